"""Which trace a command means when it is not told, or told only a name."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import FittraceError
from ..schema.run_facts import NotATrace


class EmptyPath(FittraceError, argparse.ArgumentTypeError):
    """A path without a character."""


TRACES = Path("traces")
"""Where runs lie unless the user says otherwise."""


def given(text: str) -> Path:
    """The path that is written as `text`, also for argparse, which tells the error."""
    if not text:
        # A shell's variable that is not set, most likely: Python would take it for this folder.
        raise EmptyPath("an empty path; give the path of a file or folder, `.` for this one")
    return Path(text)


def newest(directory: Path = TRACES) -> Path:
    """The run under `directory` that began last. Raises `NotATrace` where there is none."""
    from ..store.run_files import run_directories

    began = {}
    for found in run_directories(directory):
        try:
            began[found] = schema_run.read(str(found))["start_ns"]
        except NotATrace:
            continue  # `ls` shows it
    if not began:
        raise NotATrace(f"{directory}: no runs there; record one with `fittrace run script.py`, or give its path")
    return max(began, key=lambda path: (began[path], path.name))


def named(trace: str | None) -> Path:
    """The path that the user means by `trace`: a path, the name of a run in `traces/`, or None for the newest."""
    if trace is None:
        return newest()
    path = given(trace)
    return path if path.exists() or not (TRACES / trace).is_dir() else TRACES / trace
