"""One program on every engine: traced, and as it is under `sys.settrace`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from engine_matrix import (
    NEWEST,
    OLDER_KERAS_2,
    OLDER_KERAS_3,
    OLDER_TF_KERAS,
    OLDER_TF_KERAS_V1,
    UNCOMPILED,
    Engine,
    marked,
    require,
)
from faithful.processes import environ, finish, start
from named_rows import named_rows

import fittrace

PROGRAMS = Path(__file__).parent / "programs"
OLDER = marked([*OLDER_KERAS_2, *OLDER_TF_KERAS, *OLDER_TF_KERAS_V1, *OLDER_KERAS_3])


@dataclass(frozen=True)
class Walked:
    """The trace of a program on one engine, and for each of its fits what `sys.settrace` saw: (function, line), and
    `after` each of these the numbers among the function's variables."""

    engine: Engine
    trace: fittrace.Trace
    seen: dict[str, list[list[object]]]
    after: dict[str, list[dict[str, float]]]

    def fit(self, scenario: str) -> int:
        """The number of a scenario's fit."""
        fits = self.trace.fits()
        outermost = fits[fits["parent_fit"].isna()].sort_values("start_ns")["fit"].tolist()
        assert len(outermost) == len(self.seen)
        return int(outermost[list(self.seen).index(scenario)])


@pytest.fixture(scope="session", params=[*NEWEST, UNCOMPILED, *OLDER], ids=str)
def walked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Of the engine's own code."""
    engine = require(request.param)
    return walk(engine, "flows.py", tmp_path_factory.mktemp(f"walked-{engine}"))


@pytest.fixture(scope="session", params=[*NEWEST, UNCOMPILED, *OLDER], ids=str)
def walked_whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Of the program's callbacks and steps too, with all values."""
    engine = require(request.param)
    folder = tmp_path_factory.mktemp(f"whole-{engine}")
    return walk(engine, "own.py", folder, "--lines", "callbacks", "--values", "all")


def walk(engine: Engine, program: str, folder: Path, *wanted: str) -> Walked:
    """Run a program twice."""
    python = str(engine.python)
    command = [str(PROGRAMS / program), engine.argument]
    options = ["--quiet", *wanted, "--python", python, "--out", str(folder), "--name", "run"]
    traced = finish(start([sys.executable, "-m", "fittrace", "run", *options, *command], environ(engine.path), folder))
    assert traced.returncode == 0, traced.stderr[-3000:]
    trace = fittrace.open(folder / "run")
    functions: dict[str, dict[str, int]] = defaultdict(dict)
    for row in named_rows(trace.functions()):
        functions[row.file][row.name] = row.line
    names, seen = folder / "functions.json", folder / "seen.json"
    names.write_text(json.dumps(functions))
    told = finish(start([python, *command], environ(engine.path, ORACLE=str(names), SEEN=str(seen)), folder))
    assert told.returncode == 0, told.stderr[-3000:]
    found = json.loads(seen.read_text())
    return Walked(engine, trace, {one[0]: one[1] for one in found}, {one[0]: one[2] for one in found})
