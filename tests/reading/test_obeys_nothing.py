"""Opening and listing write nothing, and follow no link out of a run: what a trace holds may be made to mislead."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fittrace.cli import main
from fittrace.schema.errors import FittraceError
from fittrace.store.converter_lock import is_running
from fittrace.tables import TraceTables
from reading.died import write_died
from reading.stores import write_run

Made = tuple[Path, Path]
"""A run of a stranger, and a run of the reader's own beside it."""


def everything(directory: Path) -> dict[str, object]:
    """All that lies under `directory`, links and times of change included."""
    found: dict[str, object] = {}
    for base, folders, files in os.walk(directory):
        for name in (".", *folders, *files):
            path = Path(base, name)
            facts = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            found[str(path)] = (facts.st_mode, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, content)
    return found


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return write_died(tmp_path / "traces"), write_run(tmp_path / "own", "mine")


def _spans_link(run: Path, own: Path) -> None:
    (run / "spans").symlink_to(own / "spans")


def _process_link(run: Path, own: Path) -> None:
    (run / "spans").mkdir()
    (run / "spans" / "process=0").symlink_to(own / "spans" / "process=0")


def _part_link(run: Path, own: Path) -> None:
    (run / "spans" / "process=0").mkdir(parents=True)
    part = next(own.glob("spans/process=0/*"))
    (run / "spans" / "process=0" / part.name).symlink_to(part)


def _dangling_link(run: Path, own: Path) -> None:
    (run / "spans").symlink_to(own / "not-yet-there")


def _journal_link(run: Path, own: Path) -> None:
    shutil.move(run / "journal", own / "journal")
    (run / "journal").symlink_to(own / "journal")


def _one_journal_link(run: Path, own: Path) -> None:
    (run / "journal" / "1-1-1.journal").symlink_to(own / "run.json")


def _facts_link(run: Path, own: Path) -> None:
    (run / "run.json").unlink()
    (run / "run.json").symlink_to(own / "run.json")


def _facts_fifo(run: Path, own: Path) -> None:
    (run / "run.json").unlink()
    os.mkfifo(run / "run.json")


def _part_fifo(run: Path, own: Path) -> None:
    (run / "spans" / "process=0").mkdir(parents=True)
    os.mkfifo(run / "spans" / "process=0" / "part-0-00000000.parquet")


def _journal_fifo(run: Path, own: Path) -> None:
    os.mkfifo(run / "journal" / "1-1-1.journal")


def _journal_is_a_device(run: Path, own: Path) -> None:
    (run / "journal" / "1-1-1.journal").symlink_to("/dev/zero")


REFUSED: list[Callable[[Path, Path], None]] = [
    _spans_link,
    _process_link,
    _part_link,
    _dangling_link,
    _journal_link,
    _one_journal_link,
    _facts_link,
    _facts_fifo,
    _part_fifo,
    _journal_fifo,
    _journal_is_a_device,
]


@pytest.mark.parametrize("harm", REFUSED)
def test_a_link_or_a_device_is_refused_and_nothing_is_written(
    made: Made, harm: Callable[[Path, Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, own = made
    harm(run, own)
    before = everything(tmp_path)
    with pytest.raises(FittraceError, match=r"link|neither a file nor a folder"):
        TraceTables.open(run)
    assert main(["show", str(run)]) == 2
    assert main(["ls", str(run.parent)]) == 0
    out, err = capsys.readouterr()
    assert "died" in out and err.count("\n") == 1
    assert main(["convert", str(run)]) == 2
    assert everything(tmp_path) == before


def test_reading_a_run_that_died_writes_nothing_into_it(made: Made, tmp_path: Path) -> None:
    run, _ = made
    before = everything(tmp_path)
    assert TraceTables.open(run).processes()["pid"].tolist() == [7]
    assert [main([*words, str(run)]) for words in (["ls"], ["show"], ["check"])] == [0, 0, 0]
    assert main(["sql", str(run), "SELECT * FROM processes"]) == 0
    assert everything(tmp_path) == before


def test_a_hidden_link_where_tables_are_made_is_not_written_through(made: Made, tmp_path: Path) -> None:
    run, own = made
    (run / ".process=0").symlink_to(own)
    before = everything(tmp_path)
    assert len(TraceTables.open(run).processes()) == 1
    assert main(["convert", str(run)]) == 2
    assert everything(tmp_path) == before


def test_listing_follows_no_link_to_a_run_elsewhere(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    run, own = made
    (run.parent / "other").symlink_to(own)
    assert [files.name for files in TraceTables.open(run.parent).runs] == ["died"]
    assert main(["ls", str(run.parent)]) == 0
    assert "mine" not in capsys.readouterr().out
    # Who names the link means what it leads to.
    assert [files.name for files in TraceTables.open(run.parent / "other").runs] == ["mine"]


def test_only_convert_writes_the_tables(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = made
    (run / ".process=0").mkdir()  # what an interrupted conversion left
    (run / ".process=0" / "spans").mkdir()
    assert main(["convert", str(run)]) == 0
    assert capsys.readouterr().out == f"{run}: tables written\n"
    assert not (run / "journal").exists() and list(run.glob(".*")) == []
    assert TraceTables.open(run).processes()["pid"].tolist() == [7]
    assert main(["convert", str(run.parent)]) == 0
    assert capsys.readouterr().out == f"{run}: has its tables already\n"


def test_a_run_that_goes_on_is_not_converted(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    fcntl = pytest.importorskip("fcntl")
    run, _ = made
    with next(run.glob("journal/*")).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert main(["convert", str(run)]) == 2
        assert "is still running" in capsys.readouterr().err
        assert (run / "journal").exists() and not (run / "spans").exists()


def test_two_that_look_at_once_do_not_take_each_other_for_the_program(made: Made) -> None:
    run, _ = made
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.extend(is_running(run) for _ in range(200))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 800 and not any(found)


def test_the_newest_run_is_none_that_a_link_leads_to(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = made
    newer = write_run(tmp_path / "elsewhere", "newer", start_ns=2**62)
    (run.parent / "newer").symlink_to(newer)
    monkeypatch.chdir(tmp_path)
    assert main(["show"]) == 0
    assert "traces/died: " in capsys.readouterr().out


def test_a_pattern_in_a_name_reads_no_neighbour(tmp_path: Path) -> None:
    """The database knows patterns; a folder that is called like one is that folder."""
    write_run(tmp_path, "a1", processes=2)
    for name in ("a*", "a?", "[a]1", "**", "{a1,b}"):
        run = write_run(tmp_path, name)
        assert TraceTables.open(run).sql("SELECT DISTINCT run FROM stored.spans")["run"].tolist() == [name]
