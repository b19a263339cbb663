"""Leaks are found where they are, on every engine, and nothing in fits without one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from engine_matrix import NEWEST, Engine, require
from faithful.processes import environ, finish, start

import fittrace
from fittrace.analysis.rules import apply
from fittrace.analysis.rules.memory_rules import MEMORY

PROGRAM = Path(__file__).parent / "programs" / "leaks.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its memory")
@pytest.mark.parametrize("engine", NEWEST, ids=str)
def test_leaks_are_found_within_ten_epochs(engine: Engine, tmp_path: Path) -> None:
    require(engine)
    options = ["--quiet", "--python", str(engine.python), "--out", str(tmp_path), "--name", "run"]
    command = [sys.executable, "-m", "fittrace", "run", *options, str(PROGRAM), engine.argument]
    seen = tmp_path / "seen.json"
    run = finish(start(command, environ(engine.path, SEEN=str(seen)), tmp_path), seen)
    assert run.returncode == 0, run.stderr[-3000:]
    trace = fittrace.open(tmp_path / "run")
    outcome = apply(trace, MEMORY)
    hooks = {found.fit: f"{found.finding.callback}.{found.finding.hook}" for found in outcome.found}
    told = [hooks.get(fit) for fit in range(len(run.seen))]
    assert told == ["None.None" if leak == "" else leak for leak in run.seen], trace.memory().to_string()
    assert not outcome.failed


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its memory")
@pytest.mark.parametrize(
    ("choice", "hooks"), [("off", set()), ("full", {"on_train_batch_begin", "on_train_batch_end"})]
)
def test_memory_is_read_around_the_hooks_of_batches_or_not_at_all(choice: str, hooks: set[str], tmp_path: Path) -> None:
    options = ["--quiet", "--memory", choice, "--out", str(tmp_path), "--name", "run"]
    program = str(PROGRAM.parents[2] / "cases" / "clean" / "two_fits.py")
    command = [sys.executable, "-m", "fittrace", "run", *options, program]
    run = finish(start(command, environ(PROGRAM.parents[2] / "cases" / "programs"), tmp_path))
    assert run.returncode == 0, run.stderr[-3000:]
    memory = fittrace.open(tmp_path / "run").memory()
    of_batches = memory[memory["hook"].astype(str).str.contains("batch")]
    assert set(of_batches["hook"]) == hooks
    assert (len(memory) == 0) == (choice == "off")
    assert of_batches["batch"].notna().all()
