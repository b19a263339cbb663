"""Follows a run while it goes on. Each reading takes only what the run's journals have got since the last one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...schema.journal_format import MAGIC
from ...schema.regular_files import open_regular
from ..derive.process_derivation import ProcessDerivation
from ..journal.reader import Chunk, Journal
from ..run_files import journals
from .process_memory import resident_bytes
from .running_totals import RunningTotals


class ProcessFollower:
    """Follows one process of a run. It keeps the journal open, so that it can read its end after its removal.

    - `path`: the journal.

    Raises `OSError` where the journal cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.totals = RunningTotals()
        self._file = open_regular(str(path))
        self._journal = Journal(path)
        self._windows: Iterator[list[Chunk]] = iter(())
        self._process: ProcessDerivation | None = None

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Kind and message of each note of the process so far."""
        return list(dict.fromkeys(self._journal.definitions.notes))

    @property
    def engines(self) -> dict[str, str]:
        """The versions of the engines that the process has imported, by name."""
        return self._journal.definitions.engines

    @property
    def memory_bytes(self) -> int | None:
        """The memory of the process now; None if it does not run on this machine, or the system does not say."""
        return resident_bytes(self._journal.path, self._journal.facts or {})

    def read(self, deadline: float) -> bool:
        """Derive what is new. Returns whether it came to the end of the journal.

        `deadline`: the moment of `time.monotonic` at which it stops between two windows.
        """
        while True:
            chunks = next(self._windows, None)
            if chunks is None:
                self._windows = self._journal.new_windows(self._file)
                chunks = next(self._windows, None)
                if chunks is None:
                    return True
            if self._process is None:
                self._process = ProcessDerivation.of(self._journal, self.totals)
            self._process.derivation.window(chunks, self._journal.position)
            if time.monotonic() >= deadline:
                return False

    def finish(self) -> None:
        """Derive the records that wait for others. What is still open counts as unfinished."""
        if self._process is not None:
            self._process.derivation.finish()
        self._file.close()


class RunFollower:
    """Follows all processes of a run.

    - `directory`: the run's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: dict[str, ProcessFollower] = {}

    @property
    def processes(self) -> list[ProcessFollower]:
        """The processes that have a journal so far, in the order in which they were found."""
        return list(self._processes.values())

    def read(self, budget_s: float) -> bool:
        """Derive what is new. Returns whether it came to the ends of all journals.

        `budget_s`: seconds after which it stops between two windows. Each process has one window at least.
        """
        deadline = time.monotonic() + budget_s
        for path in journals(self._directory):
            # A process may be about to write the first bytes of its journal.
            if path.name not in self._processes:
                with suppress(OSError):
                    if path.stat().st_size > len(MAGIC):
                        self._processes[path.name] = ProcessFollower(path)
        complete = True
        for process in self.processes:
            complete &= process.read(deadline)
        return complete

    def finish(self) -> None:
        """Derive the records that wait for others. What is still open counts as unfinished."""
        for process in self.processes:
            process.finish()
