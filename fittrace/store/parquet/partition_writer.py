"""Writing the tables of one process as Parquet: its partition of every table, whole or not at all.

The encodings are chosen per column by what was measured to be smallest on real traces (`docs/performance.md`).
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from ...schema import VERSION
from ...schema.limits import ROW_GROUP
from ...schema.regular_files import is_folder
from ...schema.table import Column, Table
from ...schema.tables import TABLES
from .. import part_names
from ..run_files import parts_in
from .arrow_columns import Values, arrow_field
from .row_buffers import RowBuffer


def partition(directory: Path, table: str, process: int) -> Path:
    """The folder where `process` keeps its part of `table`, under the folder of its run's tables.

    >>> partition(Path("traces/a1"), "spans", 3).as_posix()
    'traces/a1/spans/process=3'
    """
    return directory / table / f"process={process}"


def is_whole(directory: Path, process: int) -> bool:
    """Whether the partition of `process` lies complete under `directory`: of every table the parts from the first on.

    It does not where the writer was interrupted in the moment of moving its tables into place, or files were removed.
    """
    numbers = [list(parts_in(partition(directory, table, process))) for table in TABLES]
    return all(found and found == list(range(len(found))) for found in numbers)


class PartitionWriter:
    """Writes all tables of one process of a run, through a hidden folder that is moved into place at the end.

    Use it as a context manager. When the block is left by an exception nothing of it remains; when it ends well, the
    partition is there, also its empty tables, and replaces an older one.

    >>> import tempfile
    >>> directory = Path(tempfile.mkdtemp())
    >>> with PartitionWriter(directory, "a1", 0) as writer:
    ...     writer.append("notes", {"kind": ["engine"], "message": ["keras 9: not checked"]})
    >>> pq.read_table(directory / "notes").to_pylist()
    [{'run': 'a1', 'kind': 'engine', 'message': 'keras 9: not checked', 'process': 0}]
    """

    def __init__(self, directory: Path, run: str, process: int) -> None:
        self._directory = directory
        self._process = process
        # Hidden, so that no reader of the folder takes it for a table.
        self._hidden = directory / f".process={process}"
        self._tables = {table.name: _TableWriter(table, run, self._hidden / table.name) for table in TABLES.values()}

    def __enter__(self) -> PartitionWriter:
        self._refuse_links()
        shutil.rmtree(self._hidden, ignore_errors=True)
        self._hidden.mkdir()
        for table in self._tables:
            (self._hidden / table).mkdir()
        return self

    def _refuse_links(self) -> None:
        """Raise `NotADirectoryError` where a link or a file stands in the place of a folder that is written to."""
        for table in self._tables:
            target = partition(self._directory, table, self._process)
            for folder in (self._hidden, target.parent, target):
                if os.path.lexists(folder) and not is_folder(folder):
                    message = "a link or a file where a folder is written; remove it"
                    raise NotADirectoryError(errno.ENOTDIR, message, str(folder))

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows to the end of `table`: one entry of `columns` per column, all of one length.

        Nullable columns may be left out. `batches` takes further columns named `logs.<key>`, of floats. Raises
        `ValueError` for a column that the table has not, misses, or that has another length than the others.
        """
        self._tables[table].append(columns)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            for writer in self._tables.values():
                writer.close(complete=kind is None)
            if kind is None:
                self._move_into_place()
        finally:
            shutil.rmtree(self._hidden, ignore_errors=True)

    def _move_into_place(self) -> None:
        self._refuse_links()
        # The old partition goes first as a whole: if this is interrupted, `is_whole` tells.
        targets = {table: partition(self._directory, table, self._process) for table in self._tables}
        for target in targets.values():
            if is_folder(target):
                shutil.rmtree(target)
        for table, target in targets.items():
            target.parent.mkdir(exist_ok=True)
            (self._hidden / table).rename(target)


class _TableWriter:
    """Writes one table into `folder`, part by part, in row groups of equal size."""

    def __init__(self, table: Table, run: str, folder: Path) -> None:
        self._rows = RowBuffer(table, run)
        self._folder = folder
        self._parts = 0
        self._file: pq.ParquetWriter | None = None
        self._bytes: IO[bytes] = BytesIO()

    def append(self, columns: Mapping[str, Values]) -> None:
        if self._file is not None and self._rows.unknown(columns):
            # Rows that are already in a file stay in a part without the new columns.
            self._flush(whole_groups_only=False)
            self._close_part()
        self._rows.append(columns)
        if len(self._rows) >= ROW_GROUP:
            self._flush(whole_groups_only=True)

    def close(self, complete: bool) -> None:
        if complete:
            self._flush(whole_groups_only=False)
            if not self._parts:
                self._open()  # an empty table has a file too
        self._close_part()

    def _flush(self, whole_groups_only: bool) -> None:
        rows = len(self._rows) - len(self._rows) % ROW_GROUP if whole_groups_only else len(self._rows)
        if rows:
            self._open().write_table(self._rows.take(rows), row_group_size=ROW_GROUP)

    def _open(self) -> pq.ParquetWriter:
        if self._file is None:
            columns = self._rows.columns
            schema = pa.schema([arrow_field(column) for column in columns], metadata={"fittrace.schema": str(VERSION)})
            # Opened here: Arrow takes no path that is not UTF-8.
            self._bytes = self._path().open("xb")
            self._file = pq.ParquetWriter(
                self._bytes,
                schema,
                compression={_leaf(column): _codec(column) for column in columns},
                compression_level={_leaf(column): 9 for column in columns if _codec(column) == "zstd"},
                use_dictionary=[column.name for column in columns if column.type == "dictionary"],
                column_encoding={c.name: encoding for c in columns if (encoding := _encoding(c)) is not None},
                # The levels that say where nulls are get compressed in version 1 only, and here they repeat.
                data_page_version="1.0",
            )
        return self._file

    def _path(self) -> Path:
        return self._folder / f"part-{self._parts}.parquet"

    def _close_part(self) -> None:
        if self._file is not None:
            with self._bytes:
                self._file.close()
            self._file = None
            part_names.sealed(self._path())
            self._parts += 1


def _codec(column: Column) -> str:
    """What compresses a column: durations, which are summed up most, are read faster so, and take a fifth more."""
    return "lz4" if column.name == "duration_ns" else "zstd"


def _leaf(column: Column) -> str:
    """What Parquet calls the column that holds the values."""
    return f"{column.name}.list.element" if column.type.startswith("list<") else column.name


def _encoding(column: Column) -> str | None:
    """The encoding of a column's pages, None where Parquet's own choice is good."""
    if column.type == "float64":
        return "BYTE_STREAM_SPLIT"
    if column.type not in ("int32", "int64") or column.name == "children_ns":
        return None  # most spans have no children: zeros are small as they are
    # Durations and parents jump from row to row, and what they share is their high bytes; all other numbers grow in
    # small steps, moments among them.
    jumps = column.name == "parent" or (column.name.endswith("_ns") and column.name not in ("start_ns", "end_ns"))
    return "BYTE_STREAM_SPLIT" if jumps else "DELTA_BINARY_PACKED"
