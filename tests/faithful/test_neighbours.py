"""What a program does to its process and its threads comes out as it would, and the trace has what there is to have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fittrace.schema.errors import FittraceError

from .processes import HERE, PROGRAMS, Pair, Run, environ, finish, run_both, start, traced_command

ENGINE = HERE.parent / "crash" / "engine"
OK = {
    "asyncio_executor": [10, 20, 30],
    "asyncio_timeout": [20],
    "trio_threads": [10, 15, 20, 30],
    "fault_handler": [20],
    "garbage": [20, 20],
    "forked_in_a_fit": [20, 30],
    "forkserver": [10, 20],
    "threads_at_exit": [100],
    "files_limited": [10, 20, 30],
    "rooted": [10, 20],
}
"""The batches of the fits that end well, in each program."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the root")


def both(folder: Path, scenario: str) -> Pair:
    pair = run_both(folder, [str(PROGRAMS / "neighbours.py"), scenario], ENGINE)
    assert pair.plain.returncode == 0, pair.plain.stderr
    assert pair.traced == pair.plain
    return pair


@pytest.mark.parametrize(
    "scenario", [pytest.param(one, marks=needs_root) if one.startswith("rooted") else one for one in OK]
)
def test_the_program_is_as_ever_and_its_fits_are_there(tmp_path: Path, scenario: str) -> None:
    fits = both(tmp_path, scenario).fits
    assert sorted(fits.batches[fits.status == "ok"]) == OK[scenario]
    assert set(fits.status) <= ({"ok", "unfinished"} if scenario == "threads_at_exit" else {"ok"})


@pytest.mark.parametrize("scenario", ["replaced", "replaced_in_a_fit"])
def test_what_a_process_lost_that_became_another_program_is_told(tmp_path: Path, scenario: str) -> None:
    pair = both(tmp_path, scenario)
    ended = pair.fits[pair.fits.status == "ok"]
    assert 30 in set(ended.batches)
    is_whole = set(ended.batches) == {20, 30}
    assert is_whole or not pair.trace.notes().empty or "unfinished" in set(pair.fits.status)


def test_where_there_is_no_memory_left_the_trace_says_so(tmp_path: Path) -> None:
    pair = both(tmp_path, "memory_limited")
    is_whole = list(pair.fits.status) == ["ok"]
    assert is_whole or "MemoryError" in " ".join(pair.trace.notes().message)


@pytest.mark.parametrize("scenario", ["folder_deleted", "folder_deleted_before"])
def test_a_program_that_deletes_the_runs_folder_is_told_of(tmp_path: Path, scenario: str) -> None:
    pair = both(tmp_path, scenario)
    assert not pair.folder.exists()
    with pytest.raises(FittraceError):
        pair.fits  # noqa: B018
    command = traced_command(tmp_path, [str(PROGRAMS / "neighbours.py"), scenario])
    command.remove("--quiet")
    told: Run = finish(start(command, environ(ENGINE), tmp_path))
    (line,) = told.stderr.splitlines()
    assert told.returncode == 0
    assert line == f"fittrace: {pair.folder}: the run's folder was deleted while the program ran, and the trace with it"


@needs_root
def test_nothing_is_written_below_a_new_root(tmp_path: Path) -> None:
    pair = both(tmp_path, "rooted_before")
    assert pair.traced.stdout == "[]\n"
