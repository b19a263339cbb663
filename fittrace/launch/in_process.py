"""Capture in this very process, around a block of code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..capture import Session
from ..capture.isolation.clock import Clock
from ..schema import run_facts as schema_run
from ..schema.capture_settings import DEFAULT, Settings
from ..schema.safe_text import printable
from ..store.locks import held
from . import run_folder as folders


@dataclass(frozen=True)
class Run:
    """A run that is being recorded, or has been: `fittrace.open(run.path)` reads it."""

    path: Path


@contextmanager
def trace(
    out: str | Path = "traces/",
    name: str | None = None,
    values: str = DEFAULT.values,
    lines: str = DEFAULT.lines,
    run_metadata: str = DEFAULT.run_metadata,
) -> Iterator[Run]:
    """Record every fit in the block, into a new folder under `out`; for notebooks and scripts.

    Keras may be imported already or not. Inside a program that `fittrace run` started, the fits go into that run.
    `values`, `lines` and `run_metadata` say how much is recorded, as the options of `fittrace run` do. Raises
    `FittraceError` where they make no sense or the folder cannot be made; what the block raises passes through.

    >>> import tempfile
    >>> with trace(out=tempfile.mkdtemp()) as run:
    ...     pass  # model.fit(...)
    >>> run.path.is_dir()
    True
    """
    active = Session.active
    if active is not None and active.directory is not None:
        yield Run(Path(active.directory))
        return
    settings = Settings(values=values, lines=lines, run_metadata=run_metadata)
    title = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "notebook"
    directory, facts = folders.make(Path(out), name, title, list(sys.argv), sys.executable, settings)
    with held(directory):
        session = Session.begin(str(directory), settings)
        try:
            yield Run(directory)
        finally:
            session.end()
            try:
                schema_run.end(str(directory), facts, None, None, Clock.wall_ns())
                # Only now, so that the block runs in the process as it was.
                from ..store.conversion import settle

                settle(directory, directory.name)
            except Exception as error:
                print(printable(f"fittrace: {directory}: the tables could not be written ({error})"), file=sys.stderr)
