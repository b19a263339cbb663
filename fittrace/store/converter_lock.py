"""Decides who may write a run's tables into its folder: one process at a time, once the run has ended.

Three kinds of locks show how far a run is:

- on the run's folder: its launcher still works. It holds the lock from before the program starts.
- on a journal: the process that writes this journal still runs.
- on `run.json`: a process writes the run's tables. That file is replaced for the last time before tables are written.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import FittraceError
from .locks import is_locked, locked
from .run_files import journals

_PROBE_S = 1.0
"""How long to try to get a lock that seems taken: whoever asks whether it is taken holds it for a moment."""

_PAUSE_S = 0.02


class StillRunning(FittraceError):
    """A run that is still running, so that its tables cannot be written yet."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"{directory}: is still running; its tables are written when it ends, "
            "and until then it can be opened as it is"
        )


class BeingConverted(FittraceError):
    """A run whose tables another process writes now."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"{directory}: is being converted by another process; its tables are there when that ends")


@contextmanager
def marked_as_running(directory: Path) -> Iterator[None]:
    """Show to every other process, while the block runs, that the run in `directory` is running.

    Where the lock cannot be had the block runs all the same: to record the program matters more.
    """
    with locked(directory, wait_s=_PROBE_S):
        yield


@contextmanager
def only_converter(directory: Path) -> Iterator[list[Path]]:
    """Keep every other process from writing the tables of a run while the block runs. Yields the run's journals.

    Raises `BeingConverted` where another process writes them, `StillRunning` where one of the journals still grows, and
    `OSError` where the run's files cannot be opened.
    """
    with locked(directory / schema_run.FILE, wait_s=_PROBE_S) as free:
        if not free:
            raise BeingConverted(directory)
        # Not before the lock: another converter may have finished in between, and removed the journals.
        paths = journals(directory)
        if any(is_locked(path) for path in paths):
            raise StillRunning(directory)
        yield paths


def is_being_converted(directory: Path) -> bool:
    """Whether a process writes the tables of the run in `directory` now."""
    return is_locked(directory / schema_run.FILE)


def wait_for_converter(directory: Path, patience_s: float) -> None:
    """Wait until no process writes the tables of the run in `directory`, or until `patience_s` seconds have passed."""
    deadline = time.monotonic() + patience_s
    while is_being_converted(directory) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)


def is_running(directory: Path) -> bool:
    """Whether the run in `directory` is still running: its launcher or one of its processes holds a lock.

    The launcher keeps its lock while it writes the tables. The run has ended by then.
    """
    if is_being_converted(directory):
        return False
    return is_locked(directory) or any(is_locked(path) for path in journals(directory))
