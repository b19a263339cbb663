"""docs/faults.md lists the faults of tests/cases/public_faults.py, and their rules exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cases.public_faults import CLEAN, DIFF, FAULTS, NOT_YET, Fault, described
from cases.recorded import PROGRAMS
from made.fault_score import _cell, _thread

from fittrace.analysis.rules import RULES

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text("utf-8")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: Path(fault.program).name)
def test_each_fault_is_on_the_page(fault: Fault) -> None:
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {_cell(fault.text)} |"))
    assert all(_thread(thread) in row for thread in fault.threads)
    assert fault.rule in {rule.name for rule in RULES} | {DIFF, NOT_YET}
    assert (f"`{fault.rule}`" in row) == (fault.rule != NOT_YET)


def test_each_program_is_listed_once() -> None:
    listed = [Path(fault.program).name for fault in FAULTS]
    assert len(set(listed)) == len(listed)
    files = {path.stem for path in (PROGRAMS.parent / "faults").glob("*.py")}
    assert files == {Path(fault.program).name for fault in FAULTS if fault.program.startswith("../faults/")}
    assert all(described(program) in PAGE.replace("\\_", "_") for program in CLEAN)


def test_recall_and_precision_reach_their_goals() -> None:
    named, faults = map(int, re.findall(r"Recall\*\*: (\d+) of (\d+)", PAGE)[0])
    silent, runs = map(int, re.findall(r"Precision\*\*: (\d+) of (\d+)", PAGE)[0])
    assert faults == len(FAULTS) and named >= 0.9 * faults and silent == runs
