"""Writing the tables of one process as Parquet: its partition of every table, all of them or none.

Each column has the encoding that was smallest on real traces (`docs/performance.md`).
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

from ...schema.limits import ROW_GROUP
from ...schema.regular_files import is_folder
from ...schema.schema_version import VERSION
from ...schema.table import Column, Table
from ...schema.tables import TABLES
from .. import part_names
from ..run_files import parts_in
from .arrow_columns import Values, arrow_field
from .row_buffers import RowBuffer


def partition(directory: Path, table: str, process: int) -> Path:
    """The folder for the rows of `process` in `table`. `directory` is the folder of the run's tables.

    >>> partition(Path("traces/a1"), "spans", 3).as_posix()
    'traces/a1/spans/process=3'
    """
    return directory / table / f"process={process}"


def is_whole(directory: Path, process: int) -> bool:
    """Whether `directory` has all tables of `process`, each with its parts numbered from 0 without a gap.

    It has not if the writer was interrupted while it moved the tables into place, or if files were removed.
    """
    numbers = [list(parts_in(partition(directory, table, process))) for table in TABLES]
    return all(parts and parts == list(range(len(parts))) for parts in numbers)


class PartitionWriter:
    """Writes all tables of one process of a run.

    It is a context manager. It writes into a hidden folder. When the block ends well, it moves all tables into place,
    empty ones too, and replaces older ones. When an exception ends the block, it removes the hidden folder.

    - `directory`: the folder of the run's tables.
    - `run`: the name of the run.
    - `process`: the number of the process.

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
        # A leading dot, so that no reader takes the folder for a table.
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
        """Raise `NotADirectoryError` if a link or a file stands in place of a folder that is written to."""
        for table in self._tables:
            target = partition(self._directory, table, self._process)
            for folder in (self._hidden, target.parent, target):
                if os.path.lexists(folder) and not is_folder(folder):
                    message = "a link or a file where a folder is written; remove it"
                    raise NotADirectoryError(errno.ENOTDIR, message, str(folder))

    def append(self, table: str, columns: Mapping[str, Values]) -> None:
        """Add rows to the end of `table`: one entry of `columns` per column, all of one length.

        Nullable columns may be left out. `batches` takes further columns of floats, named `logs.<key>`. Raises
        `ValueError` for an unknown column, a missing one, and one of another length than the others.
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
        # All old tables are removed before the first new one is moved. If this is interrupted, tables are missing, and
        # `is_whole` shows it. Otherwise old and new tables could be mixed.
        targets = {table: partition(self._directory, table, self._process) for table in self._tables}
        for target in targets.values():
            if is_folder(target):
                shutil.rmtree(target)
        for table, target in targets.items():
            target.parent.mkdir(exist_ok=True)
            (self._hidden / table).rename(target)


class _TableWriter:
    """Writes one table into `folder`, in parts, each with row groups of `ROW_GROUP` rows."""

    def __init__(self, table: Table, run: str, folder: Path) -> None:
        self._rows = RowBuffer(table, run)
        self._folder = folder
        self._parts = 0
        self._file: pq.ParquetWriter | None = None
        self._bytes: IO[bytes] = BytesIO()

    def append(self, columns: Mapping[str, Values]) -> None:
        if self._file is not None and self._rows.unknown(columns):
            # A Parquet file cannot get columns later. So rows with new columns begin a new part.
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
            # Python opens the file, since Arrow takes only paths that are UTF-8.
            self._bytes = self._path().open("xb")
            self._file = pq.ParquetWriter(
                self._bytes,
                schema,
                compression={_leaf(column): _codec(column) for column in columns},
                compression_level={_leaf(column): 9 for column in columns if _codec(column) == "zstd"},
                use_dictionary=[column.name for column in columns if column.type == "dictionary"],
                column_encoding={c.name: encoding for c in columns if (encoding := _encoding(c)) is not None},
                # Version 2 does not compress the levels, which say where nulls are. Here they compress well.
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
    """The compression of a column. Queries read durations most: LZ4 reads faster, and takes a fifth more space."""
    return "lz4" if column.name == "duration_ns" else "zstd"


def _leaf(column: Column) -> str:
    """The name that Parquet gives to the values of a column."""
    return f"{column.name}.list.element" if column.type.startswith("list<") else column.name


def _encoding(column: Column) -> str | None:
    """The encoding of a column's pages; None for Parquet's default."""
    if column.type == "float64":
        return "BYTE_STREAM_SPLIT"
    if column.type not in ("int32", "int64") or column.name == "children_ns":
        return None  # most spans have no children, and zeros compress well as they are
    # Durations and parents vary from row to row, but their high bytes repeat: BYTE_STREAM_SPLIT puts those together.
    # All other numbers, moments among them, grow in small steps: DELTA_BINARY_PACKED stores the steps.
    jumps = column.name == "parent" or (column.name.endswith("_ns") and column.name not in ("start_ns", "end_ns"))
    return "BYTE_STREAM_SPLIT" if jumps else "DELTA_BINARY_PACKED"
