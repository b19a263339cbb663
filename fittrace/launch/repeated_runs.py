"""Capture in this very process again and again: a run for each test of a suite, say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..capture import Session
from ..capture.isolation.clock import Clock
from ..schema import run_facts as schema_run
from ..schema.capture_settings import Settings
from ..schema.errors import FittraceError
from ..schema.sampled_batches import OFF
from ..store.locks import held
from . import run_folder as folders
from .in_process import Run

_SETTINGS = Settings(run_metadata=OFF)


class Repeated:
    """Records runs one after the other, each into a folder of its own. The engines are rewritten for the first only,
    which takes a fraction of a second; beginning and ending another takes a millisecond or so. No batch is sampled."""

    def __init__(self) -> None:
        self._session: Session | None = None

    @staticmethod
    def check() -> None:
        """Raise `FittraceError` where this process is recorded already, as one run."""
        if Session.active is not None and Session.active.directory is not None:
            raise FittraceError(
                f"{Session.active.directory}: this process is recorded there already, and a test cannot have a trace "
                "of its own; start pytest without `fittrace run`, and with --fittrace to keep the traces"
            )

    @contextmanager
    def run(self, out: Path, name: str, program: bool = True) -> Iterator[Run]:
        """Record every fit in the block as the run `name`, a new folder under `out`.

        Without `program` the engine's source and the graphs of its functions are left out, which are most of a short
        run: then it cannot be replayed. Its tables are made when it is opened. Raises `FittraceError` where the folder
        cannot be made, or where this process is recorded already.
        """
        self.check()
        folder, facts = folders.make(out, name, name, list(sys.argv), sys.executable, _SETTINGS)
        with held(folder):
            if self._session is None:
                self._session = Session.begin(str(folder), _SETTINGS, program)
            else:
                self._session.tells_program = program
                self._session.resume(str(folder))
            try:
                yield Run(folder)
            finally:
                self._session.suspend()
                schema_run.end(str(folder), facts, None, None, Clock.wall_ns())

    def flush(self) -> None:
        """Write what was recorded until now, so that opening the run shows it."""
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """Record no more runs."""
        if self._session is not None:
            self._session.end()
            self._session = None
