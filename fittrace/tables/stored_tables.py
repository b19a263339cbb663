"""The sources of the stored tables: Parquet files, or memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ..schema.tables import TABLES
from ..store import part_names
from ..store.in_memory import InMemoryTables
from ..store.parquet import footers
from ..store.run_files import RunFiles
from .sql_literals import literal_paths

# DuckDB 1, the last for Python 3.10, cannot read integers that are split into byte streams, an encoding of our Parquet
# files. With it, Arrow reads the files into memory.
_READS_OUR_ENCODINGS = int(duckdb.__version__.partition(".")[0]) >= 2


class StoredTables(Protocol):
    """The stored tables of a trace. Each table is in partitions, one for each process."""

    def files(self) -> list[Path]:
        """Every file that the database may read."""

    def folder(self, table: str) -> str:
        """The folder of a table, for messages."""

    def partitions(self, table: str, connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
        """The SQL to read each partition of `table`, to be put after `FROM`, by the number of its process.

        Raises `DamagedTrace` where a file is not as fittrace writes it.
        """


class ParquetTables:
    """The tables in the Parquet files of some runs."""

    def __init__(self, runs: Sequence[RunFiles]) -> None:
        self._files = {table: _by_process(runs, table) for table in TABLES}

    def files(self) -> list[Path]:
        """As `StoredTables` says."""
        return [file for table in self._files for file in self._of_table(table)]

    def folder(self, table: str) -> str:
        """As `StoredTables` says."""
        return next((str(file.parent.parent) for file in self._of_table(table)), table)

    def partitions(self, table: str, connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
        """As `StoredTables` says."""
        part_names.verify(self._of_table(table))
        footers.check(table, self._of_table(table))
        return {
            process: self._partition(table, process, files, connection) for process, files in self._files[table].items()
        }

    def _of_table(self, table: str) -> list[Path]:
        return [file for files in self._files[table].values() for file in files]

    def _partition(self, table: str, process: int, files: list[Path], connection: duckdb.DuckDBPyConnection) -> str:
        if _READS_OUR_ENCODINGS:
            # Without hive partitioning: folders above the trace may have names such as `x=y`, which are no partitions.
            return f"read_parquet({literal_paths(files)}, union_by_name = true, hive_partitioning = false)"
        rows = pa.concat_tables([pq.ParquetFile(file).read() for file in files], promote_options="default")
        return _copy(table, process, rows, connection)


class MemoryTables:
    """The tables of a small unfinished run, derived from its journals in memory."""

    def __init__(self, tables: InMemoryTables) -> None:
        self._tables = tables

    def files(self) -> list[Path]:
        """As `StoredTables` says."""
        return []

    def folder(self, table: str) -> str:
        """As `StoredTables` says."""
        return table

    def partitions(self, table: str, connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
        """As `StoredTables` says."""
        taken = self._tables.take(table)
        return {process: _copy(table, process, rows, connection) for process, rows in taken.items()}


def _by_process(runs: Sequence[RunFiles], table: str) -> dict[int, list[Path]]:
    by_process: dict[int, list[Path]] = {}
    for run in runs:
        for process, files in run.parts(table).items():
            if files:
                by_process.setdefault(process, []).extend(file.absolute() for file in files)
    return dict(sorted(by_process.items()))


def _copy(table: str, process: int, rows: pa.Table, connection: duckdb.DuckDBPyConnection) -> str:
    """Copy Arrow rows into the database. Returns the name of the new table.

    `register` alone would not do: a registered table is visible in this connection, but not in its cursors.
    """
    name = f"stored.{table}_{process}"
    connection.register("rows", rows)
    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
    connection.unregister("rows")
    return name
