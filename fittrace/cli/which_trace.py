"""Finds the trace that the user means by a path, a name, or nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import FittraceError, NotATrace


class EmptyPath(FittraceError, argparse.ArgumentTypeError):
    """An empty path."""


TRACES = Path("traces")
"""The default folder of runs."""


def parse_path(text: str) -> Path:
    """The path that `text` names. It is also the `type` of an argparse option."""
    if not text:
        # Most likely a shell variable that is not set. `Path` would take it for the current folder.
        raise EmptyPath("an empty path; give the path of a file or folder, `.` for the current folder")
    return Path(text)


def newest(directory: Path = TRACES) -> Path:
    """The run under `directory` that began last. Raises `NotATrace` if there is none."""
    began = _began(directory)
    if not began:
        raise NotATrace(f"{directory}: no runs there; record one with `fittrace run script.py`, or give its path")
    return max(began, key=lambda path: (began[path], path.name))


def newest_running(directory: Path) -> Path | None:
    """The run at `directory`, or the newest directly in that folder, that goes on. None if none does."""
    from ..store.converter_lock import is_running

    running = [(start_ns, path) for path, start_ns in _began(directory).items() if is_running(path)]
    return max(running)[1] if running else None


def _began(directory: Path) -> dict[Path, int]:
    """When each run at or under `directory` began, in Unix nanoseconds. What is no run is not looked at any further."""
    from ..store.run_files import run_directories

    began = {}
    for found in run_directories(directory):
        try:
            began[found] = schema_run.read(str(found))["start_ns"]
        except NotATrace:
            continue  # `ls` shows such a folder with its error
    return began


def find_trace(trace: str | None) -> Path:
    """The path of the trace that the user means: a path, the name of a run in `traces/`, or None for the newest."""
    if trace is None:
        return newest()
    path = parse_path(trace)
    return path if path.exists() or not (TRACES / trace).is_dir() else TRACES / trace
