"""A program may freeze, fake or replace Python's clocks: it never feels the trace, whose times stay the real ones."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .processes import HERE, PROGRAMS, run_both

ENGINE = HERE.parent / "crash" / "engine"


@pytest.mark.parametrize("how", ["compiled later", "python later", "compiled frozen", "python faked"])
def test_clocks_that_tell_another_time(tmp_path: Path, how: str) -> None:
    probes, when = how.split()
    fits = 6 if when == "later" else 1
    began = time.time_ns()
    pair = run_both(tmp_path, [str(PROGRAMS / "clocks.py"), probes, when], ENGINE)
    ended = time.time_ns()
    assert (pair.traced.returncode, pair.traced.stderr) == (0, "") == (pair.plain.returncode, pair.plain.stderr)
    # What the real clocks told differs; what was frozen and faked, and how often fakes were called, does not.
    plain, traced = (run.stdout.splitlines()[when == "later" :] for run in (pair.plain, pair.traced))
    assert traced == plain
    assert list(pair.fits.batches) == list(range(1, fits + 1))
    assert set(pair.fits.status) == {"ok"}
    spans = pair.trace.spans()
    assert spans.start_ns.min() >= began
    assert (spans.start_ns + spans.duration_ns).max() <= ended
    assert (spans.duration_ns >= 0).all()
    # Each fit waits for half a second.
    assert (pair.fits.duration_ns >= 400_000_000).all()
    assert pair.trace.notes().empty
