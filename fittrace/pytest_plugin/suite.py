"""The recordings of a test suite: one run for each test, which the test can read while it is recorded."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..launch import RepeatedRuns
from ..store.conversion import write_tables
from ..store.converter_lock import StillRunning
from ..store.run_files import journals
from .assertions import FitTrace

if TYPE_CHECKING:
    from ..tables import TraceTables


class Suite:
    """The recordings of one pytest process.

    - `kept`: the folder for the runs of all tests; None to record only tests that use `fit_trace`, for themselves.
    """

    def __init__(self, kept: Path | None) -> None:
        self._kept = kept
        self._repeated = RepeatedRuns()
        self._running = ExitStack()

    def begin(self, test: str) -> None:
        """With a folder `kept`, start the run of `test`."""
        if self._kept is not None:
            self._running.enter_context(self._run(self._kept, test))

    def end(self) -> None:
        """End the run that `begin` started, if any."""
        self._running.close()

    @contextmanager
    def fit_trace(self, test: str, folder: Path) -> Iterator[FitTrace]:
        """Record the block as a run of its own, which the test can read.

        - `test`: the id of the test.
        - `folder`: the folder for the run, if runs are not kept.
        """
        # Only one run can record at a time, so the one of the whole test pauses.
        self.end()
        with self._run(self._kept or folder, test) as run:
            yield FitTrace(_Reader(self._repeated, run).read)
        self.begin(test)

    def close(self) -> None:
        """Restore the engines' own code."""
        self.end()
        self._repeated.close()

    @contextmanager
    def _run(self, out: Path, test: str) -> Iterator[Path]:
        """Record the block as a run under `out`, and remove the run if nothing was fitted."""
        name = _unused(out, _folder_name(test))
        with self._repeated.run(out, name, program=out == self._kept) as run:
            yield run.path
        if not journals(run.path):
            shutil.rmtree(run.path)  # nothing was fitted
        elif out == self._kept:
            with suppress(StillRunning):  # a process that the test started still runs: the run opens from its journals
                write_tables(run.path, name)


class _Reader:
    """Reads a run that is being recorded, and again only if its journals have grown."""

    def __init__(self, repeated: RepeatedRuns, run: Path) -> None:
        self._repeated = repeated
        self._run = run
        self._sizes: list[int] = []
        self._trace: TraceTables | None = None

    def read(self) -> TraceTables:
        """The trace as it is now."""
        from ..tables.in_memory import open_in_memory

        self._repeated.flush()
        sizes = [journal.stat().st_size for journal in journals(self._run)]
        if self._trace is None or sizes != self._sizes:
            self._trace, self._sizes = open_in_memory(self._run), sizes
        return self._trace


def _folder_name(test: str) -> str:
    """A folder name for the id of a test.

    >>> _folder_name("tests/test_hooks.py::TestStop::test_it[2-early stop]")
    'test_hooks-TestStop-test_it-2-early-stop'
    """
    file, *names = test.split("::")
    return re.sub(r"[^A-Za-z0-9_]+", "-", "-".join([Path(file).stem, *names])).strip("-")[:100]


def _unused(out: Path, name: str) -> str:
    """`name`, with a number appended if `out` has such a folder already."""
    number = 1
    while (out / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return name if number == 1 else f"{name}-{number}"
