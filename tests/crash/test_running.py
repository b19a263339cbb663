"""A trace opens at any moment of its run: what is there grows, and what was there stays as it was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import fittrace

from .runs import finish, hook_rows, is_prefix, start, wait_for


@pytest.mark.slow
def test_read_again_and_again_while_the_run_goes_on(tmp_path: Path) -> None:
    process = start(tmp_path, tmp_path / "witness", "return", "--steps", 800, "--epochs", 3, "--batch-s", 0.001)
    wait_for(tmp_path / "witness")
    seen: list[list[Any]] = []
    endings = set()
    while process.poll() is None:
        trace = fittrace.open(tmp_path / "run")
        seen.append(hook_rows(trace))
        endings |= set(trace.processes()["ending"])
        if trace.runs[0].running:
            assert set(trace.fits()["status"]) <= {"unfinished", "ok"}
        time.sleep(0.05)
    finish(process)
    whole = hook_rows(fittrace.open(tmp_path / "run"))
    assert len(seen) > 3
    for rows, later in zip(seen, [*seen[1:], whole], strict=True):
        assert is_prefix(rows, whole)
        assert len(rows) <= len(later)
    assert len({len(rows) for rows in seen}) > 2
    assert "running" in endings
    assert fittrace.open(tmp_path / "run").processes()["ending"].tolist() == ["closed"]
