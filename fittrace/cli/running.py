"""Finds the runs that go on."""

from __future__ import annotations

from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import NotATrace


def find_running(path: Path) -> Path | None:
    """The run at `path`, or the newest directly in that folder, that goes on. None if none does."""
    from ..store.converter_lock import is_running
    from ..store.run_files import run_directories

    running = []
    for directory in run_directories(path):
        try:
            # Read first: what is no run is not looked at any further.
            start_ns = schema_run.read(str(directory))["start_ns"]
        except NotATrace:
            continue  # `ls` shows such a folder with its error
        if is_running(directory):
            running.append((start_ns, directory))
    return max(running)[1] if running else None
