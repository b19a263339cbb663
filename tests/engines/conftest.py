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
from engine_matrix import NEWEST, OLDER_KERAS_2, OLDER_TF_KERAS, OLDER_TF_KERAS_V1, UNCOMPILED, Engine, marked, require
from faithful.processes import Run, environ, finish, start

import fittrace

PROGRAM = Path(__file__).parent / "programs" / "training.py"
ENGINES = [*NEWEST, UNCOMPILED, *marked([*OLDER_KERAS_2, *OLDER_TF_KERAS, *OLDER_TF_KERAS_V1])]


@dataclass(frozen=True)
class Trained:
    """The program without and with fittrace on one engine, and the trace."""

    engine: Engine
    plain: Run
    traced: Run
    trace: fittrace.Trace

    def of(self, table: str, fit: int, **wanted: object) -> pd.DataFrame:
        """The rows of a fit whose columns have these values."""
        rows: pd.DataFrame = getattr(self.trace, table)()
        for column, value in {"fit": fit, **wanted}.items():
            rows = rows[rows[column] == value]
        return rows

    @cached_property
    def trained(self) -> pd.DataFrame:
        """The calls of `fit`, in the order in which the program made them."""
        fits: pd.DataFrame = self.trace.fits().query("method == 'fit'").sort_values("start_ns")
        return fits

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


@pytest.fixture(scope="session", params=ENGINES, ids=str)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The program that trains in many ways, on each engine in turn."""
    engine = require(request.param)
    return train(engine, [str(PROGRAM), engine.argument], tmp_path_factory.mktemp(str(engine)))
