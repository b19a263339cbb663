"""The recordings of a test suite: one run for each test, and how a test reads its own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..launch import RepeatedRuns
from ..store.conversion import settle
from ..store.run_files import journals
from .assertions import FitTrace

if TYPE_CHECKING:
    from ..tables import TraceTables


class Suite:
    """The tests of one pytest process. With a folder `kept` all their fits are recorded, as runs under it."""

    def __init__(self, kept: Path | None) -> None:
        self._kept = kept
        self._repeated = RepeatedRuns()
        self._running = ExitStack()

    def begin(self, test: str) -> None:
        """Record from now on, where fits are kept at all, until `end`: as the run of `test`."""
        if self._kept is not None:
            self._running.enter_context(self._run(self._kept, test))

    def end(self) -> None:
        """Record no more."""
        self._running.close()

    @contextmanager
    def fit_trace(self, test: str, folder: Path) -> Iterator[FitTrace]:
        """Record the block alone, for the `test` itself to read: under `folder`, or where fits are kept."""
        self.end()
        with self._run(self._kept or folder, test) as run:
            yield FitTrace(_Reader(self._repeated, run).read)
        self.begin(test)

    def close(self) -> None:
        """Give the engines their own code back."""
        self.end()
        self._repeated.close()

    @contextmanager
    def _run(self, out: Path, test: str) -> Iterator[Path]:
        name = _free(out, _plain(test))
        with self._repeated.run(out, name, program=out == self._kept) as run:
            yield run.path
        if not journals(run.path):
            shutil.rmtree(run.path)  # nothing was fitted
        elif out == self._kept:
            settle(run.path, name)


class _Reader:
    """Reads a run that goes on, anew only where it has grown."""

    def __init__(self, repeated: RepeatedRuns, run: Path) -> None:
        self._repeated = repeated
        self._run = run
        self._sizes: list[int] = []
        self._trace: TraceTables | None = None

    def read(self) -> TraceTables:
        """The trace as it is now."""
        from ..tables.in_memory import InMemoryTrace

        self._repeated.flush()
        sizes = [journal.stat().st_size for journal in journals(self._run)]
        if self._trace is None or sizes != self._sizes:
            self._trace, self._sizes = InMemoryTrace(self._run), sizes
        return self._trace


def _plain(test: str) -> str:
    """The name of a test, as a name of a folder.

    >>> _plain("tests/test_hooks.py::TestStop::test_it[2-early stop]")
    'test_hooks-TestStop-test_it-2-early-stop'
    """
    file, *names = test.split("::")
    return re.sub(r"[^A-Za-z0-9_]+", "-", "-".join([Path(file).stem, *names])).strip("-")[:100]


def _free(out: Path, name: str) -> str:
    """`name`, or with a number behind it where there is such a folder under `out`."""
    number = 1
    while (out / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return name if number == 1 else f"{name}-{number}"
