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
    from ..store.run_files import run_directories

    began = {}
    for found in run_directories(directory):
        try:
            began[found] = schema_run.read(str(found))["start_ns"]
        except NotATrace:
            continue  # `ls` shows such a folder with its error
    if not began:
        raise NotATrace(f"{directory}: no runs there; record one with `fittrace run script.py`, or give its path")
    return max(began, key=lambda path: (began[path], path.name))


def find_trace(trace: str | None) -> Path:
    """The path of the trace that the user means: a path, the name of a run in `traces/`, or None for the newest."""
    if trace is None:
        return newest()
    path = parse_path(trace)
    return path if path.exists() or not (TRACES / trace).is_dir() else TRACES / trace
