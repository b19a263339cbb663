"""Who begins to watch in the middle of a fit is told of the program's hooks what there is to tell without fittrace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .processes import PROGRAMS, run_both
from .test_processes import ENGINE

# Before, a debugger meets a line once more where a probe shares it; docs/observer-effects.md says so.
pytestmark = pytest.mark.skipif(sys.version_info < (3, 10), reason="lines are told of otherwise before Python 3.10")


@pytest.mark.slow
def test_debuggers_coverage_and_copies_that_begin_in_a_fit_see_the_same(tmp_path: Path) -> None:
    pair = run_both(tmp_path, [str(PROGRAMS / "watched.py")], ENGINE, options=("--lines", "callbacks"))
    assert pair.plain.returncode == 0, pair.plain.stderr
    told = [line.split(" ")[0] for line in pair.plain.stdout.splitlines()]
    assert {"traced", "profiled", "debugged"} <= set(told)
    assert pair.traced.stdout.splitlines() == pair.plain.stdout.splitlines()
    assert pair.traced.returncode == 0
