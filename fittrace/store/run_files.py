"""The files of a run: its folder, its facts, its journals, and the Parquet files of each table."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..schema import run_facts as schema_run
from ..schema.regular_files import is_file, is_folder, what_stands_there
from ..schema.tables import TABLES
from .part_names import PART

JOURNALS = "journal"
"""The folder for the journals of a run. It is removed when the tables are written."""

_REMOVED = ".journal"
"""What this folder is called while it is removed. No reader looks there."""

Progress = Callable[[int, int], None]
"""Called with the bytes that are converted, and the bytes in all."""

_JOURNAL = re.compile(r"(?P<wall>[0-9]{1,18}|[1-8][0-9]{18})-((?P<clock>[0-9]{1,18})-)?[0-9]+\.journal")
_PROCESS = re.compile(r"process=(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True)
class RunFiles:
    """The files of one run.

    - `directory`: the run's folder.
    - `facts`: the contents of its `run.json`.
    - `tables`: the folder with its Parquet files, `<table>/process=<n>/part-<k>-<checksum>.parquet`. It is the
      run's own folder, or a temporary one for a run whose journals had to be converted.
    - `running`: whether the run is still running.
    """

    directory: Path
    facts: dict[str, Any]
    tables: Path
    running: bool

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.facts["run"])

    def parts(self, table: str) -> dict[int, list[Path]]:
        """The Parquet files of `table` in order of writing, by the number of their process."""
        return {process: list(parts_in(folder).values()) for process, folder in _partitions(self.tables, table)}


def processes_with_tables(directory: Path) -> set[int]:
    """The numbers of the processes that have at least one table in `directory`."""
    return {process for table in TABLES for process, _ in _partitions(directory, table)}


def _partitions(directory: Path, table: str) -> list[tuple[int, Path]]:
    """The folders of `table` in `directory`, one for each process: the process' number, and the folder."""
    folders = ((_PROCESS.fullmatch(folder.name), folder) for folder in _inside(directory / table))
    return sorted((int(process[1]), folder) for process, folder in folders if process)


def parts_in(folder: Path) -> dict[int, Path]:
    """The Parquet files of one partition by number, in order of writing. None where there is no such folder."""
    files = ((PART.fullmatch(file.name), file) for file in _inside(folder))
    return dict(sorted((int(part["number"]), file) for part, file in files if part and is_file(file)))


def journals(directory: Path) -> list[Path]:
    """The journals of a run, in order of their start: that at index n is of process n."""
    paths = [path for path in _inside(directory / JOURNALS) if path.suffix == ".journal" and is_file(path)]
    # A journal with a foreign name comes last, so that it does not shift the numbers of the others.
    return sorted(paths, key=lambda path: (_JOURNAL.fullmatch(path.name) is None, started_ns(path), path.name))


def started_ns(journal: Path) -> int:
    """When a journal was started, in Unix nanoseconds, from its name; 0 where the name does not say.

    >>> started_ns(Path("1700000000000000000-82000000-12.journal"))
    1700000000000000000
    """
    name = _JOURNAL.fullmatch(journal.name)
    return int(name["wall"]) if name else 0


def clock_ns_of(journal: Path) -> int:
    """The process' clock when a journal was started, in nanoseconds, from its name; 0 where the name does not say.

    >>> clock_ns_of(Path("1700000000000000000-82000000-12.journal"))
    82000000
    """
    name = _JOURNAL.fullmatch(journal.name)
    return int(name["clock"] or 0) if name else 0


def remove_journals(directory: Path) -> None:
    """Remove the journals of a run whose tables are written: all of them at once, also if this is interrupted."""
    remove_leftovers(directory)
    with suppress(OSError):  # where they cannot be removed they stay, and the run opens from them
        (directory / JOURNALS).rename(directory / _REMOVED)
    remove_leftovers(directory)


def remove_leftovers(directory: Path) -> None:
    """Remove what is left of the journals of a run if their removal was interrupted."""
    shutil.rmtree(directory / _REMOVED, ignore_errors=True)


def run_directories(path: Path) -> list[Path]:
    """The folders of runs at `path`: `path` itself where it is a run, else the runs right under it, sorted by name.

    `path` may be a link, but links under it are left out. Raises `OSError` where `path` cannot be listed.

    >>> run_directories(Path("nowhere"))
    []
    """
    if os.path.lexists(path / schema_run.FILE):
        return [path]
    if not path.is_dir():
        return []
    return [run for run in sorted(path.iterdir()) if is_folder(run) and os.path.lexists(run / schema_run.FILE)]


def odd_one(directory: Path) -> Path | None:
    """A link, a device or the like in place of a file or folder of the run in `directory`; None if there is none."""
    for name in (JOURNALS, *TABLES):
        for path in _at_and_under(directory / name):
            if what_stands_there(path) is not None:
                return path
    return None


def _at_and_under(folder: Path) -> Iterator[Path]:
    """`folder`, the folder of a run's journals or of a table, and the paths under it that the run uses."""
    yield folder
    for path in _inside(folder):
        yield path
        if _PROCESS.fullmatch(path.name):
            yield from _inside(path)


def _inside(folder: Path) -> list[Path]:
    """The paths in `folder`, unsorted; none where it is not a folder itself."""
    return list(folder.iterdir()) if is_folder(folder) else []
