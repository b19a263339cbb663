"""A trace in memory: for a test that reads its own few fits, where writing files would take most of the time."""

from __future__ import annotations

from pathlib import Path

from ..schema import run_facts
from ..store.in_memory import InMemoryTables
from ..store.run_files import RunFiles
from .stored_tables import MemoryTables
from .trace_tables import TraceTables


def open_in_memory(directory: Path) -> TraceTables:
    """The trace of the run in `directory` that still goes on, as its journals have it now.

    Raises `FittraceError` as `TraceTables.open` does.
    """
    facts = run_facts.read(str(directory))
    run = RunFiles(directory, facts, directory, running=True)
    return TraceTables(directory, [run], MemoryTables(InMemoryTables(directory, run.name)))
