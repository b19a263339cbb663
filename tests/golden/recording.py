"""Recording what is golden: the contracts of all scenarios on one engine."""

from __future__ import annotations

import sys
from pathlib import Path

from engine_matrix import OLDER_KERAS_2, OLDER_KERAS_3, Engine
from faithful.processes import environ, finish, start

import fittrace
from fittrace.analysis.contract import contract

HERE = Path(__file__).parent
ORDERS = HERE / "orders"

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


_KERAS_2 = {engine.version: engine for engine in OLDER_KERAS_2}
_KERAS_3 = {engine.version: engine for engine in OLDER_KERAS_3}
ENGINES = {
    "keras-2.2-2.2.4": Engine("keras-2.2", "keras", legacy=True),
    "keras-2.2-2.2.5": _KERAS_2["2.2.5"],
    "keras-2.2-2.3.1": _KERAS_2["2.3.1"],
    "tf-keras-v1-1.15.5": Engine("tf-keras-v1", "tf.keras", legacy=True),
    "tf-keras-v1-2.21.0": Engine("tf-keras-v1", "tf_keras-v1"),
    "tf-keras-2.21.0": Engine("tf-keras", "tf_keras"),
    "keras-3-3.6.0": _KERAS_3["3.6.0"],
    "keras-3-3.10.0": _KERAS_3["3.10.0"],
    "keras-3-3.15.1": Engine("keras-3", "keras-3"),
}
"""The engines that have a golden file, by what it is called: the engine and its version."""


def recorded(name: str, folder: Path) -> str:
    """The contracts of all scenarios on the engine of that name. The run's trace lies in `folder` then."""
    engine = ENGINES[name]
    options = ["--quiet", "--python", str(engine.python), "--out", str(folder), "--name", "run"]
    program = [str(HERE / "programs" / "scenarios.py"), engine.argument]
    command = [sys.executable, "-m", "fittrace", "run", *options, *program]
    run = finish(start(command, environ(engine.path), folder))
    assert run.returncode == 0, run.stderr[-3000:]
    trace = fittrace.open(folder / "run")
    fits, hooks, spans = trace.fits(), trace.hooks(), trace.spans()
    assert trace.notes().empty
    assert set(fits.engine.astype(str) + "-" + fits.engine_version.astype(str)) == {name}
    return "\n".join(
        f"# {scenario}\n{contract(fit, hooks[hooks.fit == fit.fit], spans[spans.fit == fit.fit])}\n"
        for scenario, (_, fit) in zip(SCENARIOS, fits.iterrows(), strict=True)
    )
