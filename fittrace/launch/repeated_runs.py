"""Records many runs in this process, one after the other: for instance one for each test of a suite."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..capture import Session
from ..capture.isolation.clock import Clock
from ..schema import run_facts
from ..schema.batches_to_sample import OFF
from ..schema.capture_settings import Settings
from ..schema.errors import FittraceError
from ..store.converter_lock import marked_as_running
from .in_process import Run
from .run_folder import make_run_folder

_SETTINGS = Settings(run_metadata=OFF)


class RepeatedRuns:
    """Records runs one after the other, each into its own folder. It records no RunMetadata.

    The first run instruments the engines, which takes a fraction of a second. Each later run reuses that, and takes
    about a millisecond to begin and end.
    """

    def __init__(self) -> None:
        self._session: Session | None = None

    @staticmethod
    def check() -> None:
        """Raise `FittraceError` if `fittrace run` or `fittrace.trace` already records this process."""
        if Session.active is not None and Session.active.directory is not None:
            raise FittraceError(
                f"{Session.active.directory}: this process is recorded there already, so a test cannot have its own "
                "trace; start pytest without `fittrace run`, and with --fittrace to keep the traces"
            )

    @contextmanager
    def run(self, out: Path, name: str, program: bool = True) -> Iterator[Run]:
        """Record every fit in the block. `fittrace.open` makes the tables of the run, not the end of the block.

        - `out`: the folder in which to make the folder of the run.
        - `name`: the name of the run's folder.
        - `program`: whether to record the engine's source and flow graphs. They are most of the data of a short run;
          without them the run cannot be replayed.

        Raises `FittraceError` if the folder cannot be made, or if this process is already recorded.
        """
        self.check()
        folder, facts = make_run_folder(out, name, name, list(sys.argv), sys.executable, _SETTINGS)
        with marked_as_running(folder):
            if self._session is None:
                self._session = Session.begin(str(folder), _SETTINGS, program)
            else:
                self._session.resume(str(folder), include_source=program)
            try:
                yield Run(folder)
            finally:
                self._session.suspend()
                run_facts.end(str(folder), facts, None, None, Clock.wall_ns())

    def flush(self) -> None:
        """Write all that was recorded so far, so that `fittrace.open` shows it."""
        if self._session is not None:
            self._session.flush()

    def close(self) -> None:
        """End recording in this process."""
        if self._session is not None:
            self._session.end()
            self._session = None
