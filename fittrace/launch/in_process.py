"""`fittrace.trace`: records the fits of a block of code in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ..capture import Session
from ..capture.isolation.clock import Clock
from ..schema import run_facts
from ..schema.capture_settings import DEFAULT, Settings
from ..schema.safe_text import printable
from ..store.converter_lock import StillRunning, marked_as_running
from .notebook import displayed_at_end
from .run_folder import make_run_folder


@dataclass(frozen=True)
class Run:
    """A run that is being recorded, or that has ended."""

    path: Path
    "The folder of the run. `fittrace.open(run.path)` reads it."

    def _repr_html_(self) -> str | None:
        """What a notebook shows of the run. None if it cannot be read: the notebook then shows its `repr`."""
        try:
            # By name, since launching must not import the readers. They are imported when somebody looks.
            text: str = import_module("fittrace").open(self.path)._repr_html_()
            return text
        except Exception:
            return None


@contextmanager
def trace(
    out: str | Path = "traces/",
    name: str | None = None,
    values: str = DEFAULT.values,
    lines: str = DEFAULT.lines,
    memory: str = DEFAULT.memory,
    run_metadata: str = DEFAULT.run_metadata,
) -> Iterator[Run]:
    """Record every fit in the block. This is for notebooks and scripts.

    Keras may be imported before the block or in it. In a program that `fittrace run` started, the fits go into the run
    of that program, and the parameters have no effect. In a notebook, the block ends with a display of the run.

    - `out`: the folder in which to make the folder of the run.
    - `name`: the name of the run's folder. The default is the time and the name of the script.
    - `values`, `lines`, `memory`, `run_metadata`: what to record, as in the options of `fittrace run`.

    Raises `FittraceError` if one of these is not valid, or if the folder cannot be made. Exceptions of the block
    propagate.

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
    settings = Settings(values=values, lines=lines, memory=memory, run_metadata=run_metadata)
    title = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "notebook"
    directory, facts = make_run_folder(Path(out), name, title, list(sys.argv), sys.executable, settings)
    run = Run(directory)
    with displayed_at_end(run), marked_as_running(directory):
        session = Session.begin(str(directory), settings)
        try:
            yield run
        finally:
            session.end()
            try:
                run_facts.end(str(directory), facts, None, None, Clock.wall_ns())
                # This imports Arrow. The block must run in the process as it was, so the import comes after it.
                from ..store.conversion import write_tables

                write_tables(directory, directory.name)
            except StillRunning:
                remark = "a process that the block started still runs; the trace opens from its journals"
                print(printable(f"fittrace: {directory}: {remark}"), file=sys.stderr)
            except Exception as error:
                print(printable(f"fittrace: {directory}: the tables could not be written ({error})"), file=sys.stderr)
