"""Opening runs: the runs at a path, and the files of their tables.

A run that ended has its tables in its folder. For a run that is still running, or died before it wrote them, opening
derives them from its journals, in a temporary folder of this process. Opening writes nothing into the run's folder,
since the run may belong to somebody else and may be forged. `settle_run` does, when the user asks for it.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import DamagedTrace, FittraceError
from ..schema.regular_files import what_stands_there
from ..schema.tables import TABLES
from .conversion import convert, settle
from .locks import is_locked, locked
from .parquet.partition_writer import is_whole
from .run_files import Progress, RunFiles, journals, odd_one, run_directories

_TRIES = 5
"""How often opening a run is tried, since it may end meanwhile: then its journals give way to tables."""


class CannotRead(FittraceError):
    """A run whose files cannot be read, or that has links in place of its files."""


class StillRunning(FittraceError):
    """A run that is still running, so that its tables cannot be written yet."""


def open_runs(path: Path, progress: Progress = lambda done, size: None) -> list[RunFiles]:
    """The runs at `path`: the run in this folder, else all runs in the folders right under it, sorted by name.

    `progress` gets the bytes of journals that are converted, and those of all.

    Raises `fittrace.schema.run_facts.NotATrace` where there are none, and `CannotRead` where they cannot be read.
    """
    return [_open_run(directory, progress) for directory in directories_at(path)]


def directories_at(path: Path) -> list[Path]:
    """The folders of the runs at `path`, or `path` alone where there are none. Raises `CannotRead`."""
    try:
        return run_directories(path) or [path]
    except OSError as error:
        raise CannotRead(f"{path}: cannot be read ({error.strerror}); correct it and open it again") from None


def settle_run(directory: Path, progress: Progress = lambda done, size: None) -> bool:
    """Write the tables of a run that died before it wrote them into its own folder. Returns whether any were missing.

    Raises `StillRunning`, `FittraceError` as `open_runs` does, and `OSError` where the folder cannot be written.
    """
    facts = schema_run.read(str(directory))
    _refuse_links(directory)
    if not journals(directory):
        return False
    if not is_running(directory):
        with locked(directory) as free:
            if free:
                settle(directory, str(facts["run"]), progress)
                return True
    raise StillRunning(
        f"{directory}: is still running; its tables are written when it ends, and until then it can be opened as it is"
    )


def _open_run(directory: Path, progress: Progress) -> RunFiles:
    for _ in range(_TRIES):
        try:
            facts = schema_run.read(str(directory))
            _refuse_links(directory)
            return _open(directory, facts, progress)
        except FileNotFoundError:
            continue  # the run has just ended: its journals were removed when its tables were written
        except OSError as error:
            raise CannotRead(f"{directory}: cannot be read ({error.strerror}); correct it and open it again") from None
    raise CannotRead(f"{directory}: its files keep changing; open it again when nothing else works on it")


def is_running(directory: Path) -> bool:
    """Whether the run in `directory` is still running: its launcher or one of its processes holds a lock."""
    return is_locked(directory) or any(is_locked(path) for path in journals(directory))


def _open(directory: Path, facts: dict[str, object], progress: Progress) -> RunFiles:
    """The files of the run, from its own folder where it has tables, else converted. `facts` are its `run.json`."""
    running = is_running(directory)
    written = {process for table in TABLES for process in RunFiles(directory, facts, directory, False).parts(table)}
    if not journals(directory) and written:
        if not all(is_whole(directory, process) for process in written):
            raise DamagedTrace(f"{directory}: some of its tables are gone; take it from a copy, or record it again")
        return RunFiles(directory, facts, _with_utf8_path(directory), running=False)
    tables = _temporary_folder()
    convert(directory, str(facts["run"]), tables, running=running, progress=progress)
    return RunFiles(directory, facts, tables, running)


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
