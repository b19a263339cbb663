"""Running a program as it is and under fittrace, side by side, and what came of each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

import fittrace

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"

# What TensorFlow and absl say on standard error depends on the machine and the moment.
_NOISE = re.compile(r"WARNING: All log|[IWE]0000 |\d{4}-\d\d-\d\d |To enable the following|WARNING:tensorflow")


@dataclass(frozen=True)
class Run:
    """One process: how it ended, what it printed, and what it saw."""

    returncode: int
    stdout: str
    stderr: str
    seen: dict[str, Any] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Standard error without the lines of TensorFlow's log."""
        return "\n".join(line for line in self.stderr.splitlines() if not _NOISE.match(line))


@dataclass(frozen=True)
class Pair:
    """The same program twice: `plain` without fittrace, `traced` with it, leaving a trace in `folder`."""

    plain: Run
    traced: Run
    folder: Path

    @cached_property
    def trace(self) -> fittrace.Trace:
        return fittrace.open(self.folder)

    @cached_property
    def fits(self) -> pd.DataFrame:
        """The fits in order of beginning, as the program has called them."""
        fits: pd.DataFrame = self.trace.fits().sort_values("start_ns").reset_index(drop=True)
        return fits

    def calls(self, scenario: str) -> list[int]:
        """The fits of a scenario, in order of beginning."""
        calls = self.traced.seen["calls"]
        assert len(self.fits) == len(calls)
        return [int(self.fits.fit[n]) for n, call in enumerate(calls) if call["scenario"] == scenario]

    def of(self, table: str, fit: int) -> pd.DataFrame:
        """The rows of one fit."""
        rows = self._table(table)
        rows_of_fit: pd.DataFrame = rows[rows.fit == fit]
        return rows_of_fit

    def _table(self, name: str) -> pd.DataFrame:
        if name not in self._tables:
            self._tables[name] = getattr(self.trace, name)()
        return self._tables[name]

    @cached_property
    def _tables(self) -> dict[str, pd.DataFrame]:
        return {}

    def both(self, scenario: str, key: str) -> tuple[Any, Any]:
        """What a scenario saw without and with fittrace."""
        return self.plain.seen["scenarios"][scenario][key], self.traced.seen["scenarios"][scenario][key]


def run_both(
    folder: Path,
    command: list[str],
    path: Path | str,
    stdin: str = "",
    options: Sequence[str] = (),
    python: str = sys.executable,
    **variables: str,
) -> Pair:
    """Run `python` with `command` (a script or `-m module`, and arguments) without and with fittrace, at the same time.

    `path` goes on `PYTHONPATH`; `options` are those of `fittrace run`.
    """
    environment = environ(path, **variables)
    sees = {name: folder / f"{name}.json" for name in ("plain", "traced")}
    traced = traced_command(folder, command, ["--python", python, *options])
    commands = {"plain": [python, *command], "traced": traced}
    started = {}
    for name, arguments in commands.items():
        oracle = {"ORACLE": "1"} if name == "plain" else {}
        started[name] = start(arguments, environment | {"SEEN": str(sees[name])} | oracle, folder)
    runs = {name: finish(process, sees[name], stdin) for name, process in started.items()}
    return Pair(runs["plain"], runs["traced"], folder / "traces" / "run")


def traced_command(folder: Path, command: list[str], more: Sequence[str] = ()) -> list[str]:
    """What runs `command` under fittrace, with the trace in `folder`/traces/run."""
    options = ["--quiet", "--out", str(folder / "traces"), "--name", "run", *more]
    return [sys.executable, "-m", "fittrace", "run", *options, *command]


def environ(path: Path | str | None = None, **variables: str) -> dict[str, str]:
    """The environment of a program, with little of this one's in it.

    TensorFlow 2, once imported here, leaves a variable that would turn TensorFlow 1 into something else there.
    """
    unwanted = ("FITTRACE", "PYTHON", "KERAS", "TF2_BEHAVIOR")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
    clean |= {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    return clean | ({"PYTHONPATH": str(path)} if path is not None else {}) | variables


def start(command: list[str], environment: dict[str, str], folder: Path) -> subprocess.Popen[str]:
    """Start a process in `folder`, with all its streams in pipes."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def finish(process: subprocess.Popen[str], sees: Path | None = None, stdin: str = "") -> Run:
    """Wait for a process to end."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=300)
    finally:
        process.kill()
    seen = json.loads(sees.read_text()) if sees is not None and sees.exists() else {}
    return Run(process.returncode, stdout, stderr, seen)


def same(one: Any, other: Any) -> bool:
    """Whether two things are equal, where NaN equals NaN."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
