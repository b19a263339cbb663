"""Opening runs: the runs at a path, and the files of their tables.

A run that ended has its tables in its folder. For a run that is still running, or died before it wrote them, opening
derives them from its journals, in a temporary folder of this process. Opening writes nothing into the run's folder,
since the run may belong to somebody else and may be forged. `convert_run` does, when the user asks for it.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import DamagedTrace, FittraceError
from ..schema.regular_files import what_stands_there
from .conversion import convert, write_tables
from .converter_lock import StillRunning, is_running, wait_for_converter
from .parquet.partition_writer import is_whole
from .run_files import Progress, RunFiles, journals, odd_one, processes_with_tables, run_directories

_PATIENCE_S = 5.0
"""How long opening a run waits for another process that writes its tables. Then it reads the journals itself."""

_TRIES = 5
"""How often opening a run is tried, since it may end meanwhile: then its journals give way to tables."""


class CannotRead(FittraceError):
    """A run whose files cannot be read, or that has links in place of its files."""


def open_runs(path: Path, progress: Progress = lambda done, size: None) -> list[RunFiles]:
    """The runs at `path`: the run in this folder, else all runs in the folders right under it, sorted by name.

    `progress` gets the bytes of journals that are converted, and those of all.

    Raises `fittrace.schema.errors.NotATrace` where there are none, and `CannotRead` where they cannot be read.
    """
    return [_open_run(directory, progress) for directory in directories_at(path)]


def directories_at(path: Path) -> list[Path]:
    """The folders of the runs at `path`, or `path` alone where there are none. Raises `CannotRead`."""
    try:
        return run_directories(path) or [path]
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read ({error.strerror}); correct it and open it again") from None


def convert_run(directory: Path, progress: Progress = lambda done, size: None) -> bool:
    """Write the tables of a run that died before it wrote them into its own folder. Returns whether any were missing.

    Raises `StillRunning`, `BeingConverted`, `FittraceError` as `open_runs` does, and `OSError` where the folder cannot
    be written.
    """
    facts = schema_run.read(str(directory))
    _refuse_links(directory)
    # This needs no lock: a run that has ended does not start again.
    if is_running(directory):
        raise StillRunning(directory)
    return write_tables(directory, str(facts["run"]), progress)


def _open_run(directory: Path, progress: Progress) -> RunFiles:
    for _ in range(_TRIES):
        try:
            facts = schema_run.read(str(directory))
            _refuse_links(directory)
            files = _open(directory, facts, progress)
        except FileNotFoundError:
            continue  # the run has just ended: its journals were removed when its tables were written
        except OSError as error:
            raise CannotRead(f"{directory}: cannot be read ({error.strerror}); correct it and open it again") from None
        if files is not None:
            return files
    raise CannotRead(f"{directory}: its files keep changing; open it again when nothing else works on it")


def _open(directory: Path, facts: dict[str, object], progress: Progress) -> RunFiles | None:
    """The files of the run, from its own folder where it has tables, else converted. `facts` are its `run.json`.

    Returns None where its journals were removed while they were read. Its tables are there then.
    """
    wait_for_converter(directory, _PATIENCE_S)
    running = is_running(directory)
    # First the journals, then the tables: journals are removed only when all tables are written.
    paths = journals(directory)
    written = processes_with_tables(directory)
    if not paths and written:
        if not all(is_whole(directory, process) for process in written):
            raise DamagedTrace(f"{directory}: some of its tables are gone; take it from a copy, or record it again")
        return RunFiles(directory, facts, _with_utf8_path(directory), running=False)
    tables = _temporary_folder()
    convert(paths, str(facts["run"]), tables, running=running, progress=progress)
    # The list may have been read while journals were being removed, and so lack some.
    unchanged = set(paths) <= set(journals(directory))
    return RunFiles(directory, facts, tables, running) if unchanged else None


def _with_utf8_path(directory: Path) -> Path:
    """`directory`, or a link to it where its path is not UTF-8, which DuckDB cannot read."""
    try:
        str(directory.absolute()).encode()
        return directory
    except UnicodeEncodeError:
        link = _temporary_folder() / "run"
        link.symlink_to(directory.absolute(), target_is_directory=True)
        return link


def _temporary_folder() -> Path:
    """A new folder, which is removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="fittrace-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _refuse_links(directory: Path) -> None:
    """Raise `CannotRead` if a link, a device or the like stands in place of a file or folder of the run."""
    if odd := odd_one(directory):
        raise CannotRead(f"{odd}: {what_stands_there(odd)}; put the file or folder itself there")
