"""A program's descriptors are its own: it may close any, or put another file in its place. The journal goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import HERE, PROGRAMS, Pair, run_both

ENGINE = HERE.parent / "crash" / "engine"


def both(folder: Path, scenario: str) -> Pair:
    (folder / "files").mkdir()
    return run_both(folder, [str(PROGRAMS / "descriptors.py"), scenario, str(folder / "files")], ENGINE)


TAKING = ["daemonise", "close_all", "close", "dup2_file", "dup2_socket", "dup2_pipe", "use_up"]


@pytest.mark.parametrize("scenario", TAKING)
def test_nothing_goes_into_a_file_of_the_program_and_nothing_is_lost(tmp_path: Path, scenario: str) -> None:
    pair = both(tmp_path, scenario)
    assert pair.traced == pair.plain
    assert (pair.plain.returncode, pair.plain.stderr) == (0, "")
    batches = [100] * (4 if scenario == "use_up" else 3)
    assert list(pair.fits.batches) == [*batches[1:], 40]
    assert set(pair.fits.status) == {"ok"}
    assert pair.trace.processes().ending.tolist() == ["closed"]
    # The journal's number is above 256; and where none is free, it cannot be opened again for a while.
    told = {"daemonise": [], "use_up": ["fault", "journal"]}.get(scenario, ["journal"])
    assert sorted(pair.trace.notes().kind) == told, pair.trace.notes().message.tolist()


def test_a_program_that_removes_its_trace_trains_on_and_is_told_once(tmp_path: Path) -> None:
    pair = both(tmp_path, "remove")
    assert (pair.traced.returncode, pair.traced.stdout) == (pair.plain.returncode, pair.plain.stdout)
    assert pair.traced.stderr.count("its journal was removed while the program ran; nothing more is kept") == 1
