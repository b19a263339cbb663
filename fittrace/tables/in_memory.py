"""A trace in memory. A test that reads its own few fits uses it, since writing files would take most of its time."""

from __future__ import annotations

from pathlib import Path

from ..schema import run_facts
from ..store.in_memory import InMemoryTables
from ..store.run_files import RunFiles
from .stored_tables import MemoryTables
from .trace_tables import TraceTables


def open_in_memory(directory: Path) -> TraceTables:
    """Open the unfinished run in `directory`, with what its journals have now.

    Raises `FittraceError` as `TraceTables.open` does.
    """
    facts = run_facts.read(str(directory))
    run = RunFiles(directory, facts, directory, running=True)
    return TraceTables(directory, [run], MemoryTables(InMemoryTables(directory, run.name)))
