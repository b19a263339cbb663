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
from .convert import convert
from .files import Progress, RunFiles, journals, remove_journals, run_directories
from .lock import held, is_held
from .parquet import is_whole


def open_runs(path: Path, progress: Progress = lambda done, size: None) -> list[RunFiles]:
    """The runs at `path`: the run whose folder it is, else all runs right under it, sorted by name.

    Raises `fittrace.schema.run.NotATrace` where there are none, and `OSError` where they cannot be read.
    """
    directories = run_directories(path) or [path]
    return [_open(directory, schema_run.read(str(directory)), progress) for directory in directories]


def is_running(directory: Path) -> bool:
    """Whether the run in `directory` still goes on: its launcher or one of its processes holds a lock."""
    return is_held(directory) or any(is_held(path) for path in journals(directory))


def _open(directory: Path, facts: dict[str, object], progress: Progress) -> RunFiles:
    found = journals(directory)
    if not found and is_whole(directory, 0):
        return RunFiles(directory, facts, directory, running=False)
    name = str(facts["run"])
    running = is_running(directory)
    if not running:
        try:
            with held(directory) as free:
                if free:
                    convert(directory, name, directory, running=False, progress=progress)
                    remove_journals(directory)
                    return RunFiles(directory, facts, directory, running=False)
        except OSError:
            pass  # a folder that cannot be written: read it all the same
    tables = Path(tempfile.mkdtemp(prefix="fittrace-"))
    atexit.register(shutil.rmtree, tables, ignore_errors=True)
    convert(directory, name, tables, running=running, progress=progress)
    return RunFiles(directory, facts, tables, running)
