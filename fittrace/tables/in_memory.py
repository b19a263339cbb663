"""A trace in memory: for a test that reads its own few fits, where files and a database would take most of the time."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..schema import run_facts as schema_run
from ..store.in_memory import InMemoryTables
from ..store.run_files import RunFiles
from .database import Database
from .derived_tables import VIEWS
from .trace_tables import TraceTables

_HOOKS = (
    *("process", "fit", "stage", "epoch", "batch", "callback", "position", "hook", "start_ns", "duration_ns"),
    *("thread", "status", "span", "parent"),
)
_LAST_OF_SPANS = ("thread", "status", "callback", "position", "hook", "site", "nested")


class InMemoryTrace(TraceTables):
    """One run as its journals have it now. Its tables are those of `TraceTables.open`; what asks in SQL has files made
    first.

    Raises `FittraceError` as `TraceTables.open` does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        facts = schema_run.read(str(path))
        self.runs = (RunFiles(path, facts, path, running=True),)
        self.is_folder = False
        self._tables = InMemoryTables(path, str(facts["run"]))

    @cached_property
    def _database(self) -> Database:  # type: ignore[override]
        return TraceTables.open(self.path)._database

    def _rows(self, name: str) -> pa.Table:
        if name == "spans":
            return self._spans()
        if VIEWS[name].sql != f"SELECT * FROM stored.{name}":
            return super()._rows(name)
        return self._tables[name].drop_columns(["run"])

    def _spans(self) -> pa.Table:
        spans = self._tables["spans"]
        own = pc.subtract(spans["duration_ns"], spans["children_ns"])
        first = [name for name in spans.column_names if name not in ("run", "children_ns", *_LAST_OF_SPANS)]
        return spans.append_column("self_ns", own).select([*first, "self_ns", *_LAST_OF_SPANS])

    def _hooks(self) -> pa.Table:
        spans = self._tables["spans"]
        return spans.filter(pc.is_valid(spans["callback"])).select(_HOOKS)

    def _stored_logs(self) -> pa.Table:
        return self._tables["logs"]
