"""Which trace a command reads: the one at a path, the run of a name, or the newest run."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.errors import FittraceError
from ..schema.run_facts import NotATrace


class EmptyPath(FittraceError, argparse.ArgumentTypeError):
    """A path of no characters."""


TRACES = Path("traces")
"""Where runs lie unless the user says otherwise."""


def given(text: str) -> Path:
    """The path that is written as `text`. Also the `type` of an argparse option, which then prints the error."""
    if not text:
        # Most likely a variable of the shell that is not set. Python would take "" for the current folder.
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


def named(trace: str | None) -> Path:
    """The path of a trace: `trace` is a path, the name of a run in `traces/`, or None for the newest run."""
    if trace is None:
        return newest()
    path = given(trace)
    return path if path.exists() or not (TRACES / trace).is_dir() else TRACES / trace
