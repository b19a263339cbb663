"""Tables held in memory: those of a run that is read where it is recorded, and is small."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from ..schema.tables import TABLES
from .conversion import derive
from .open_runs import is_running
from .parquet.arrow_columns import Values
from .parquet.row_buffers import RowBuffer
from .run_files import journals


class InMemoryTables:
    """The tables of the run in `directory` as its journals have them now, each put together when it is asked for."""

    def __init__(self, directory: Path, run: str) -> None:
        sources: set[str] = set()
        running = is_running(directory)
        self._partitions = [_Partition(run, process) for process in range(max(len(journals(directory)), 1))]
        self._tables: dict[str, pa.Table] = {}
        for path, partition in zip(journals(directory), self._partitions, strict=False):
            derive(path, partition, running, sources)

    def __getitem__(self, name: str) -> pa.Table:
        """One table, with the column `process` after `run`; columns of repeated text are plain here."""
        if name not in self._tables:
            parts = [partition.table(name) for partition in self._partitions]
            self._tables[name] = pa.concat_tables(parts, promote_options="default")
        return self._tables[name]


class _Partition:
    """The rows of one process."""

    def __init__(self, run: str, process: int) -> None:
        self._process = process
        self._rows = {table.name: RowBuffer(table, run) for table in TABLES.values()}

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows to the end of `table`."""
        self._rows[table].append(columns)

    def table(self, name: str) -> pa.Table:
        """The rows of one table, which are then forgotten here."""
        rows = self._rows[name].take(len(self._rows[name]))
        rows = rows.add_column(1, "process", pa.repeat(pa.scalar(self._process, pa.int32()), rows.num_rows))
        for place, field in enumerate(rows.schema):
            if pa.types.is_dictionary(field.type):
                rows = rows.set_column(place, field.name, rows.column(place).cast(pa.string()))
        return rows
