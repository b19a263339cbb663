"""Two that convert one run at once, and one that reads it meanwhile: no row is lost, and each is told what goes on."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import fittrace
from fittrace.cli import main
from fittrace.store import conversion, converter_lock, open_runs, run_files
from fittrace.store.conversion import write_tables
from fittrace.store.converter_lock import StillRunning, is_running, marked_as_running, only_converter
from fittrace.store.locks import is_locked, locked
from fittrace.tables import TraceTables
from reading.died import WALL, write_died
from reading.stores import write_run

pytest.importorskip("fcntl")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two processes that died before its tables were written."""
    run = write_died(tmp_path)
    add_process(run, 1)
    return run


def add_process(run: Path, number: int) -> None:
    """Give the run one more journal, a copy of its first one."""
    first = run / "journal" / f"{WALL}-0-7.journal"
    shutil.copy(first, first.with_name(f"{WALL + number}-0-{7 + number}.journal"))


def while_converting(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Call `action` once, when the next conversion has begun."""
    derive = conversion.derive

    def act_and_derive(*words: Any) -> bool:
        monkeypatch.setattr(conversion, "derive", derive)
        action()
        return derive(*words)

    monkeypatch.setattr(conversion, "derive", act_and_derive)


def processes(run: Path) -> list[int]:
    return TraceTables.open(run).processes()["process"].tolist()


def test_a_converter_that_comes_second_keeps_the_tables_of_the_first(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def locked_after_the_first(path: Path, wait_s: float) -> Iterator[bool]:
        monkeypatch.undo()
        assert open_runs.convert_run(run)
        with locked(path, wait_s=wait_s) as free:
            yield free

    monkeypatch.setattr(converter_lock, "locked", locked_after_the_first)
    assert not open_runs.convert_run(run)
    assert processes(run) == [0, 1]


def test_tables_without_journals_are_never_replaced(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    assert not write_tables(run, run.name)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_who_comes_second_is_told_that_the_run_is_being_converted(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(converter_lock, "_PROBE_S", 0.0)
    monkeypatch.setattr(open_runs, "_PATIENCE_S", 0.0)
    with only_converter(run):
        assert main(["convert", str(run)]) == 2
        assert f"{run}: is being converted by another process" in capsys.readouterr().err
        trace = TraceTables.open(run)
        assert not trace.runs[0].running and len(trace.processes()) == 2


def test_the_launcher_that_writes_the_tables_runs_no_longer(run: Path) -> None:
    with marked_as_running(run):
        assert is_running(run)
        with only_converter(run):
            assert not is_running(run)


def test_opening_waits_for_the_tables_that_are_being_written(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_runs, "_PATIENCE_S", 60.0)
    begun = threading.Event()

    def begin_slowly() -> None:
        begun.set()
        time.sleep(0.2)

    while_converting(monkeypatch, begin_slowly)
    converter = threading.Thread(target=write_tables, args=(run, run.name))
    converter.start()
    assert begun.wait(60)
    trace = TraceTables.open(run)
    converter.join()
    assert trace.runs[0].tables == run and len(trace.processes()) == 2


def test_a_process_that_begins_while_tables_are_written_keeps_its_journal(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    while_converting(monkeypatch, lambda: add_process(run, 2))
    assert write_tables(run, run.name)
    assert processes(run) == [0, 1, 2]
    assert write_tables(run, run.name)
    assert not (run / "journal").exists() and processes(run) == [0, 1, 2]


def test_tables_are_not_written_while_a_journal_grows(run: Path) -> None:
    with locked(max(run.glob("journal/*"))), pytest.raises(StillRunning):
        write_tables(run, run.name)
    assert len(list(run.glob("journal/*"))) == 2 and not (run / "spans").exists()


def test_a_block_keeps_its_journals_while_a_child_still_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as child, fittrace.trace(out=tmp_path, name="inline") as recorded:
        journal = write_died(tmp_path, "child") / "journal"
        shutil.copytree(journal, recorded.path / "journal")
        child.enter_context(locked(next(recorded.path.glob("journal/*"))))
    assert "a process that the block started still runs" in capsys.readouterr().err
    assert (recorded.path / "journal").exists() and not (recorded.path / "spans").exists()


def test_removing_journals_that_is_interrupted_removes_none_or_all(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path, ignore_errors: bool) -> None:
        if folder.is_dir():
            min(folder.iterdir()).unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_files.remove_journals(run)
    monkeypatch.undo()
    assert not (run / "journal").exists()


def test_a_list_of_journals_that_are_being_removed_is_not_believed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def some(directory: Path) -> list[Path]:
        monkeypatch.setattr(open_runs, "journals", run_files.journals)
        return run_files.journals(directory)[1:]

    def while_removed(*words: Any, **options: Any) -> bool:
        complete = conversion.convert(*words, **options)
        assert write_tables(run, run.name)
        return complete

    monkeypatch.setattr(open_runs, "journals", some)
    monkeypatch.setattr(open_runs, "convert", while_removed)
    assert processes(run) == [0, 1]


def test_a_launcher_waits_for_who_only_asks_whether_it_runs(run: Path) -> None:
    with locked(run, shared=True):
        launcher = marked_as_running(run)
        begins = threading.Thread(target=launcher.__enter__)
        begins.start()
        time.sleep(0.1)
    begins.join()
    assert is_locked(run)
    launcher.__exit__(None, None, None)
    assert not is_locked(run)
