"""One program on every engine, without and with fittrace; many tests look at what came of it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
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
    """An engine to test: its name in the trace, the program's argument, and where it is."""

    name: str
    argument: str
    legacy: bool = False
    version: str | None = None

    def __str__(self) -> str:
        return f"{self.name}-{self.version or self.argument}"


ENGINES = [
    Engine("keras-3", "keras-3"),
    Engine("tf-keras", "tf_keras"),
    Engine("tf-keras-v1", "tf_keras-v1"),
    Engine("keras-2.2", "keras", legacy=True),
    Engine("keras-2.2", "keras", legacy=True, version="2.2.5"),
    Engine("keras-2.2", "keras", legacy=True, version="2.3.1"),
    Engine("tf-keras-v1", "tf.keras", legacy=True),
]


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

    def fit(self, scenario: str) -> tuple[int, dict[str, Any]]:
        """The number of a scenario's fit, and what the program saw of it."""
        fits = self.traced.seen["fits"]
        place = next(place for place, fit in enumerate(fits) if fit["scenario"] == scenario)
        trained = self.trace.fits().query("method.str.startswith('fit')").sort_values("start_ns")
        return int(trained.fit.iloc[place]), fits[place]


@pytest.fixture(scope="session", params=ENGINES, ids=str)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    engine: Engine = request.param
    if engine.legacy and not LEGACY.exists():
        absent = "no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    folder = tmp_path_factory.mktemp(str(engine))
    python = str(LEGACY) if engine.legacy else sys.executable
    path = str(KERAS / engine.version) if engine.version else None
    program = [str(PROGRAM), engine.argument]
    options = ["--quiet", "--python", python, "--out", str(folder), "--name", "run"]
    commands = {
        "plain": [python, *program],
        "traced": [sys.executable, "-m", "fittrace", "run", *options, *program],
    }
    sees = {name: folder / f"{name}.json" for name in commands}
    processes = {
        name: start(command, environ(path, SEEN=str(sees[name])), folder) for name, command in commands.items()
    }
    runs = {name: finish(process, sees[name]) for name, process in processes.items()}
    for run in runs.values():
        assert run.returncode == 0, run.stderr[-3000:]
    return Trained(engine, runs["plain"], runs["traced"], fittrace.open(folder / "run"))
