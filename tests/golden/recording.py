"""Recording what is golden: the contracts of all scenarios on one engine."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from faithful.processes import KERAS, environ, finish, start

import fittrace
from fittrace.analysis.contract import contract

HERE = Path(__file__).parent
ORDERS = HERE / "orders"
LEGACY = HERE.parents[1] / ".venv-keras2" / "bin" / "python"

SCENARIOS = (
    "plain",
    "without callbacks",
    "progress bar",
    "validation",
    "early stop",
    "stop in mid-epoch",
    "steps per epoch",
    "generators",
    "evaluate",
    "predict",
)
"""What `programs/scenarios.py` trains, in its order."""


@dataclass(frozen=True)
class Engine:
    """An engine and its version; the program's argument; which environment, and which Keras put before its own."""

    name: str
    argument: str
    legacy: bool = False
    keras: str | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    @property
    def path(self) -> Path | None:
        """What goes on PYTHONPATH."""
        return None if self.keras is None else KERAS / self.keras


ENGINES = [
    Engine("keras-2.2 2.2.4", "keras", legacy=True),
    Engine("keras-2.2 2.2.5", "keras", legacy=True, keras="2.2.5"),
    Engine("keras-2.2 2.3.1", "keras", legacy=True, keras="2.3.1"),
    Engine("tf-keras-v1 1.15.5", "tf.keras", legacy=True),
    Engine("tf-keras-v1 2.21.0", "tf_keras-v1"),
    Engine("tf-keras 2.21.0", "tf_keras"),
    Engine("keras-3 3.6.0", "keras", keras="3.6.0"),
    Engine("keras-3 3.10.0", "keras", keras="3.10.0"),
    Engine("keras-3 3.15.1", "keras", keras="3.15.1"),
]


def recorded(engine: Engine, folder: Path) -> str:
    """The contracts of all scenarios, from a run of the program whose trace lies in `folder` then."""
    python = str(LEGACY) if engine.legacy else sys.executable
    options = ["--quiet", "--python", python, "--out", str(folder), "--name", "run"]
    program = [str(HERE / "programs" / "scenarios.py"), engine.argument]
    command = [sys.executable, "-m", "fittrace", "run", *options, *program]
    run = finish(start(command, environ(engine.path), folder))
    assert run.returncode == 0, run.stderr[-3000:]
    trace = fittrace.open(folder / "run")
    fits, hooks, spans = trace.fits(), trace.hooks(), trace.spans()
    assert trace.notes().empty
    assert set(fits.engine.astype(str) + " " + fits.engine_version.astype(str)) == {engine.name}
    return "\n".join(
        f"# {scenario}\n{contract(fit, hooks[hooks.fit == fit.fit], spans[spans.fit == fit.fit])}\n"
        for scenario, (_, fit) in zip(SCENARIOS, fits.iterrows(), strict=True)
    )
