"""Tables in memory, for a small run that is read in the process that records it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from ..schema.tables import TABLES
from .conversion import derive
from .converter_lock import is_running
from .parquet.arrow_columns import Values
from .parquet.row_buffers import RowBuffer
from .run_files import journals


class InMemoryTables:
    """The stored tables of a run, derived from its journals as they are now.

    - `directory`: the run's folder.
    - `run`: the run's name.
    """

    def __init__(self, directory: Path, run: str) -> None:
        sources: set[str] = set()
        running = is_running(directory)
        self._partitions: list[_Partition] = []
        for path in journals(directory):
            partition = _Partition(run)
            derive(path, partition, running, sources)
            self._partitions.append(partition)

    def take(self, table: str) -> dict[int, pa.Table]:
        """Hand out the rows of `table`, by the number of their process, and forget them here."""
        return {process: partition.take(table) for process, partition in enumerate(self._partitions)}


class _Partition:
    """The rows of one process, as a `Sink`."""

    def __init__(self, run: str) -> None:
        self._rows = {table.name: RowBuffer(table, run) for table in TABLES.values()}

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows to the end of `table`."""
        self._rows[table].append(columns)

    def take(self, table: str) -> pa.Table:
        """Hand out the rows of `table`, and forget them here."""
        return self._rows[table].take(len(self._rows[table]))
