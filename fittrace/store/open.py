"""Opening runs: which runs lie at a path, and where their tables are.

A run that ended has its tables in its folder. One that died before they were written gets them now, from its
journals; for one that still goes on, and where the folder cannot be written, they are made in a temporary folder.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from ..schema import run as schema_run
from ..schema.errors import DamagedTrace, FittraceError
from ..schema.tables import TABLES
from .convert import convert, settle
from .files import Progress, RunFiles, journals, run_directories
from .lock import held, is_held
from .parquet import is_whole

_TRIES = 5


class CannotRead(FittraceError):
    """A run whose files the system does not let be read."""


def open_runs(path: Path, progress: Progress = lambda done, size: None) -> list[RunFiles]:
    """The runs at `path`: the run whose folder it is, else all runs right under it, sorted by name.

    Raises `fittrace.schema.run.NotATrace` where there are none, and `CannotRead` where they cannot be read.
    """
    directories = run_directories(path) or [path]
    return [_open_run(directory, progress) for directory in directories]


def _open_run(directory: Path, progress: Progress) -> RunFiles:
    for _ in range(_TRIES):
        try:
            return _open(directory, schema_run.read(str(directory)), progress)
        except FileNotFoundError:
            continue  # the run has just ended, and its journals are tables now
        except OSError as error:
            raise CannotRead(f"{directory}: cannot be read ({error.strerror}); mend that and open it again") from None
    raise CannotRead(f"{directory}: its files come and go; open it again when nothing else is at work on it")


def is_running(directory: Path) -> bool:
    """Whether the run in `directory` still goes on: its launcher or one of its processes holds a lock."""
    return is_held(directory) or any(is_held(path) for path in journals(directory))


def _open(directory: Path, facts: dict[str, object], progress: Progress) -> RunFiles:
    name = str(facts["run"])
    running = is_running(directory)
    if journals(directory) and not running:
        try:
            with held(directory) as free:
                if free:
                    settle(directory, name, progress)
                    return RunFiles(directory, facts, directory, running=False)
        except OSError:
            pass  # a folder that cannot be written: read it all the same
    written = {process for table in TABLES for process in RunFiles(directory, facts, directory, False).parts(table)}
    if not journals(directory) and written:
        if not all(is_whole(directory, process) for process in written):
            raise DamagedTrace(f"{directory}: some of its tables are gone; take it from a copy, or record it again")
        return RunFiles(directory, facts, directory, running=False)
    tables = Path(tempfile.mkdtemp(prefix="fittrace-"))
    atexit.register(shutil.rmtree, tables, ignore_errors=True)
    convert(directory, name, tables, running=running, progress=progress)
    return RunFiles(directory, facts, tables, running)
