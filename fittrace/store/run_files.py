"""Where the files of a run lie: its folder, its facts, and the Parquet files of each table."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..schema import run_facts as schema_run
from ..schema.regular_files import is_file, is_folder, what_stands_there
from ..schema.tables import TABLES
from .part_names import PART

JOURNALS = "journal"
"""The folder of a run in which its journals lie while they are needed."""

Progress = Callable[[int, int], None]
"""Told the bytes that are done with, and the bytes in all."""

_JOURNAL = re.compile(r"(?P<wall>[0-9]{1,18}|[1-8][0-9]{18})-((?P<clock>[0-9]{1,18})-)?[0-9]+\.journal")
_PROCESS = re.compile(r"process=(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True)
class RunFiles:
    """The files of one run."""

    directory: Path
    """The run's folder."""
    facts: dict[str, Any]
    """What its `run.json` says."""
    tables: Path
    """The folder with its Parquet files, `<table>/process=<n>/part-<k>-<checksum>.parquet`.

    It is the run's own folder, or a temporary one for a run whose journals had to be read."""
    running: bool
    """Whether the run still goes on."""

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self.facts["run"])

    def parts(self, table: str) -> dict[int, list[Path]]:
        """The Parquet files of `table`: those of each process, by its number, in the order of writing."""
        found = {}
        for folder in _inside(self.tables / table):
            if process := _PROCESS.fullmatch(folder.name):
                found[int(process[1])] = list(parts_in(folder).values())
        return dict(sorted(found.items()))


def parts_in(folder: Path) -> dict[int, Path]:
    """The Parquet files of one partition, by number, in the order of writing; none where there is no such folder."""
    files = ((PART.fullmatch(file.name), file) for file in _inside(folder))
    return dict(sorted((int(part["number"]), file) for part, file in files if part and is_file(file)))


def journals(directory: Path) -> list[Path]:
    """The journals of a run, in order of their beginning: the n-th is process n."""
    found = [path for path in _inside(directory / JOURNALS) if path.suffix == ".journal" and is_file(path)]
    # What has another name is none of ours; it comes last, so that it takes no other's number.
    return sorted(found, key=lambda path: (_JOURNAL.fullmatch(path.name) is None, started_ns(path), path.name))


def started_ns(journal: Path) -> int:
    """When a journal was begun, after its name; 0 where that does not say.

    >>> started_ns(Path("1700000000000000000-82000000-12.journal"))
    1700000000000000000
    """
    name = _JOURNAL.fullmatch(journal.name)
    return int(name["wall"]) if name else 0


def clock_ns_of(journal: Path) -> int:
    """What the process' own clock showed when a journal was begun, after its name: where its facts are damaged.

    >>> clock_ns_of(Path("1700000000000000000-82000000-12.journal"))
    82000000
    """
    name = _JOURNAL.fullmatch(journal.name)
    return int(name["clock"] or 0) if name else 0


def remove_journals(directory: Path) -> None:
    """Remove the journals of a run whose tables are written."""
    shutil.rmtree(directory / JOURNALS, ignore_errors=True)


def run_directories(path: Path) -> list[Path]:
    """The folders of runs at `path`: `path` itself where it is a run, else the runs right under it, by name.

    A link is followed where `path` itself is one, and not under it. Raises `OSError` where `path` cannot be listed.

    >>> run_directories(Path("nowhere"))
    []
    """
    if os.path.lexists(path / schema_run.FILE):
        return [path]
    if not path.is_dir():
        return []
    return [run for run in sorted(path.iterdir()) if is_folder(run) and os.path.lexists(run / schema_run.FILE)]


def odd_one(directory: Path) -> Path | None:
    """A link, a device or the like in the place of a file or folder of the run in `directory`; None where is none."""
    for name in (JOURNALS, *TABLES):
        for path in _at_and_under(directory / name):
            if what_stands_there(path) is not None:
                return path
    return None


def _at_and_under(folder: Path) -> Iterator[Path]:
    """What a run may keep at `folder`, a folder of its journals or of a table."""
    yield folder
    for path in _inside(folder):
        yield path
        if _PROCESS.fullmatch(path.name):
            yield from _inside(path)


def _inside(folder: Path) -> list[Path]:
    """What lies in `folder`, in no order; nothing where it is no folder itself."""
    return list(folder.iterdir()) if is_folder(folder) else []
