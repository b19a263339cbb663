"""A disk that is full or slow costs detail, and never the training."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fittrace
from fittrace.launch import Program, execute
from fittrace.store import part_names

from .runs import PROGRAM, environment, finish, hook_rows, is_prefix, start

FAST = ("/dev/null", "return", "--steps", 3000, "--epochs", 2)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("whole")
    assert finish(start(folder, *FAST))[0] == 0
    return hook_rows(fittrace.open(folder / "run"))


def test_no_room_for_the_journal(tmp_path: Path, whole: list[Any]) -> None:
    code, told = finish(start(tmp_path, *FAST, "--largest-file", 60_000))
    trace = fittrace.open(tmp_path / "run")
    found = hook_rows(trace)
    assert (code, told) == (0, "")
    assert is_prefix(found, whole)
    assert len(found) < len(whole)
    assert trace.processes()["ending"].tolist() == ["cut"]
    assert trace.notes()["message"].str.contains("writing the journal.*File too large").any()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_no_room_on_the_disk(small_disk: Path, whole: list[Any]) -> None:
    code, told = finish(start(small_disk, *FAST, quiet=False))
    assert code == 0
    assert "could not be written (No space left on device); the trace opens from its journal" in told
    trace = fittrace.open(small_disk / "run")
    assert is_prefix(hook_rows(trace), whole)
    assert trace.notes()["message"].str.contains("No space left on device").any()


def test_no_room_for_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: list[Any]) -> None:
    def refuse(path: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    program = Program(str(PROGRAM), None, [str(one) for one in FAST], sys.executable)
    with monkeypatch.context() as full:
        full.setattr(part_names, "sealed", refuse)
        finished = execute(program, tmp_path, "run", lambda done, size: None)
    assert finished.exit_code == 0
    assert [remark for remark in finished.remarks if "No space left on device" in remark]
    assert list((tmp_path / "run" / "journal").iterdir())
    trace = fittrace.open(tmp_path / "run")
    assert hook_rows(trace) == whole
    assert trace.runs[0].facts["exit_code"] == 0


@pytest.mark.slow
def test_a_disk_that_takes_nothing_for_a_while(tmp_path: Path) -> None:
    result = tmp_path / "result"
    code, told = finish(start(tmp_path, result, program=PROGRAM.with_name("slow_disk.py"), quiet=False))
    assert code == 0, told
    largest = json.loads(result.read_text())
    trace = fittrace.open(tmp_path / "run")
    process = trace.processes().iloc[0]
    assert process["ending"] == "closed"
    assert process["dropped_detail"] > 0
    assert process["dropped_batches"] > 0
    note = trace.notes().query("kind == 'dropped'")["message"].item()
    assert str(process["dropped_detail"]) in note
    assert str(process["dropped_batches"]) in note
    assert note in told or "could not keep up" in told
    # What is always kept, and what a bound of 200,000 bytes and a collector that comes five times a second mean.
    assert trace.fits()["status"].tolist() == ["ok"]
    assert trace.spans().query("phase == 'epoch'")["epoch"].tolist() == list(range(30))
    assert 100_000 < largest["queue"] < 300_000
    assert largest["buffers"] < 5_000_000
    batches = trace.batches().query("stage == 'train'")
    assert 0 < len(batches) < 30 * 800
    assert (batches["duration_ns"] < trace.spans().query("phase == 'epoch'")["duration_ns"].min()).all()
    assert batches[["epoch", "batch"]].drop_duplicates().shape[0] == len(batches)
    last = batches[batches["epoch"] == 29]
    assert last["batch"].tolist() == list(range(800))


def test_a_fault_while_the_tables_are_written_leaves_the_programs_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path) -> Path:
        raise KeyError("a fault of fittrace")

    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as fault:
        fault.setattr(part_names, "sealed", broken)
        program = Program(str(PROGRAM), None, [str(tmp_path / "witness"), "exit"], sys.executable)
        finished = execute(program, tmp_path, "run", lambda done, size: None)
    assert finished.exit_code == 4
    assert [remark for remark in finished.remarks if "KeyError: 'a fault of fittrace'" in remark]
    assert len(fittrace.open(tmp_path / "run").fits()) == 1
