"""One program on every engine, without and with fittrace; many tests look at what came of it."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from faithful.processes import KERAS, Run, environ, finish, start

import fittrace

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(__file__).parent / "programs" / "training.py"
LEGACY = ROOT / ".venv-keras2" / "bin" / "python"


@dataclass(frozen=True)
class Engine:
    """An engine to test: its name in the trace, the program's argument, and where it is.

    With a `version` it lies in `.keras/<folder>`, made by scripts/env and scripts/legacy-env. It is recorded by probes
    that are `compiled`, or by those in Python.
    """

    name: str
    argument: str
    legacy: bool = False
    version: str | None = None
    compiled: bool = True

    def __str__(self) -> str:
        name = f"{self.argument}-{self.version}" if self.version else self.argument
        return name if self.compiled else f"{name}, nothing compiled"

    @property
    def path(self) -> Path | None:
        """What goes on PYTHONPATH."""
        if self.version is None:
            return None
        return KERAS / (self.version if self.argument.startswith("keras") else f"tf_keras-{self.version}")

    @property
    def loops_over_arrays(self) -> bool:
        """Whether it slices arrays in Python, and tells the samples of a batch."""
        return self.name in ("keras-2.2", "tf-keras-v1")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return LEGACY if self.legacy else Path(sys.executable)

    def missing(self) -> str | None:
        """Why it cannot be tested here."""
        if self.legacy and not LEGACY.exists():
            return "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
        if self.path is not None and not self.path.exists():
            return f"no {self.path.name} here; `scripts/env matrix` and `scripts/legacy-env` get it"
        return None


NEWEST = [
    Engine("keras-3", "keras-3"),
    Engine("tf-keras", "tf_keras"),
    Engine("tf-keras-v1", "tf_keras-v1"),
    Engine("keras-2.2", "keras", legacy=True),
    Engine("tf-keras-v1", "tf.keras", legacy=True),
]
OLDER = [
    Engine("keras-2.2", "keras", legacy=True, compiled=False),
    *(Engine("keras-2.2", "keras", legacy=True, version=version) for version in ("2.0.9", "2.1.6", "2.2.5", "2.3.1")),
    *(
        Engine(name, argument, version=version)
        for version in ("2.16.0", "2.18.0", "2.20.1")
        for name, argument in (("tf-keras", "tf_keras"), ("tf-keras-v1", "tf_keras-v1"))
    ),
]


def require(engine: Engine) -> Engine:
    """`engine`, or skip the test with the reason where it is not here; in CI that is a failure."""
    absent = engine.missing()
    if absent is not None:
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    return engine


@dataclass(frozen=True)
class Trained:
    """The program without and with fittrace on one engine, and the trace."""

    engine: Engine
    plain: Run
    traced: Run
    trace: fittrace.Trace

    def of(self, table: str, fit: int, **wanted: object) -> pd.DataFrame:
        """The rows of a fit whose columns have these values."""
        rows = getattr(self.trace, table)()
        for column, value in {"fit": fit, **wanted}.items():
            rows = rows[rows[column] == value]
        return rows

    @cached_property
    def trained(self) -> pd.DataFrame:
        """The calls of `fit`, in the order in which the program made them."""
        return self.trace.fits().query("method == 'fit'").sort_values("start_ns")

    def scenarios(self, begin: str = "") -> list[str]:
        """The scenarios whose names begin so."""
        names = [fit["scenario"] for fit in self.traced.seen["fits"]]
        return [name for name in names if name.startswith(begin)]

    def fit(self, scenario: str) -> tuple[int, dict[str, Any]]:
        """The number of a scenario's fit, and what the program saw of it."""
        place = self.scenarios().index(scenario)
        return int(self.trained.fit.iloc[place]), self.traced.seen["fits"][place]


def without_compiled(folder: Path) -> Path:
    """Where a fittrace lies of which nothing is compiled."""
    path = folder / "without-compiled"
    unwanted = shutil.ignore_patterns("_native*", "__pycache__")
    shutil.copytree(Path(fittrace.__file__).parent, path / "fittrace", ignore=unwanted)
    return path


def train(engine: Engine, program: list[str], folder: Path, *more: str) -> Trained:
    """Run a program and its arguments on `engine`, without and with fittrace, which has `more` options."""
    options = ["--quiet", "--python", str(engine.python), "--out", str(folder), "--name", "run", *more]
    commands = {
        "plain": [str(engine.python), *program],
        "traced": [sys.executable, "-m", "fittrace", "run", *options, *program],
    }
    sees = {name: folder / f"{name}.json" for name in commands}
    paths = [engine.path, None if engine.compiled else without_compiled(folder)]
    path = os.pathsep.join(str(one) for one in paths if one is not None) or None
    processes = {
        name: start(command, environ(path, SEEN=str(sees[name])), folder) for name, command in commands.items()
    }
    runs = {name: finish(process, sees[name]) for name, process in processes.items()}
    for run in runs.values():
        assert run.returncode == 0, run.stderr[-3000:]
    return Trained(engine, runs["plain"], runs["traced"], fittrace.open(folder / "run"))


@pytest.fixture(scope="session", params=[*NEWEST, *OLDER], ids=str)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The program that trains in many ways, on each engine in turn."""
    engine = require(request.param)
    return train(engine, [str(PROGRAM), engine.argument], tmp_path_factory.mktemp(str(engine)))
