"""Writing the tables of one process as Parquet: its partition of every table, whole or not at all.

The encodings are chosen per column by what was measured to be smallest on real traces (`docs/performance.md`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from ..schema import VERSION
from ..schema.table import Column, Table
from ..schema.tables import TABLES
from . import checksum
from .columns import LOGS_PREFIX, Values, Vocabulary, arrow_array, arrow_field, arrow_type, logs_column
from .files import parts_in

ROW_GROUP = 131_072
"""Rows of a row group: enough to compress well, few enough that two threads share a small trace."""

RUN = Column("run", "dictionary", "name of the run")
"""The column that every file has first; the process is in its path."""


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
        shutil.rmtree(self._hidden, ignore_errors=True)
        for table in self._tables:
            (self._hidden / table).mkdir(parents=True)
        return self

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
        # The old partition goes first as a whole: if this is interrupted, `is_whole` tells.
        targets = {table: partition(self._directory, table, self._process) for table in self._tables}
        for target in targets.values():
            if target.exists():
                shutil.rmtree(target)
        for table, target in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            (self._hidden / table).rename(target)


class _TableWriter:
    """Writes one table into `folder`, part by part, in row groups of equal size."""

    def __init__(self, table: Table, run: str, folder: Path) -> None:
        self._table = table
        self._run = run
        self._folder = folder
        self._columns = {column.name: column for column in table.columns}
        self._vocabularies = {c.name: Vocabulary() for c in table.columns if c.type == "dictionary"}
        self._chunks: list[dict[str, pa.Array]] = []
        self._buffered = 0
        self._parts = 0
        self._file: pq.ParquetWriter | None = None

    def append(self, columns: Mapping[str, Values]) -> None:
        new = [name for name in columns if name not in self._columns]
        if new:
            self._widen(new)
        arrays = {name: self._array(self._columns[name], values) for name, values in columns.items()}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{self._table.name}: columns of unequal length: {lengths}; give as many of each")
        for name, column in self._columns.items():
            if name not in arrays and not column.nullable:
                raise ValueError(f"{self._table.name}.{name}: no values given; only nullable columns may be left out")
        if not arrays or not (rows := next(iter(lengths.values()))):
            return
        self._chunks.append(arrays)
        self._buffered += rows
        if self._buffered >= ROW_GROUP:
            self._flush(whole_groups_only=True)

    def close(self, complete: bool) -> None:
        if complete:
            self._flush(whole_groups_only=False)
            if not self._parts:
                self._open()  # an empty table has a file too
        self._close_part()

    def _array(self, column: Column, values: Values) -> pa.Array:
        if column.type == "dictionary":
            return self._vocabularies[column.name].encode(values)
        try:
            return arrow_array(column, values)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"{self._table.name}.{column.name}: {error}; give {column.type}") from error

    def _widen(self, new: list[str]) -> None:
        """Take up the columns of further logs keys; rows that are already in a file stay in a part without them."""
        for name in new:
            if self._table.name != "batches" or not name.startswith(LOGS_PREFIX):
                raise ValueError(f"{self._table.name}.{name}: no such column; it has {', '.join(self._columns)}")
        if self._file is not None:
            self._flush(whole_groups_only=False)
            self._close_part()
        self._columns.update((name, logs_column(name)) for name in new)

    def _flush(self, whole_groups_only: bool) -> None:
        rows = self._buffered - self._buffered % ROW_GROUP if whole_groups_only else self._buffered
        if not rows:
            return
        file = self._open()
        buffered = pa.table(
            [self._buffered_column(column) for column in self._columns.values()],
            schema=pa.schema([arrow_field(column) for column in self._columns.values()]),
        )
        run = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), rows), pa.array([self._run]))
        file.write_table(buffered[:rows].add_column(0, arrow_field(RUN), run), row_group_size=ROW_GROUP)
        self._keep(rows)

    def _keep(self, written: int) -> None:
        """Forget the first `written` of the buffered rows."""
        remaining = []
        for chunk in self._chunks:
            rows = len(next(iter(chunk.values())))
            if rows > written:
                remaining.append({name: array[written:] for name, array in chunk.items()})
            written = max(written - rows, 0)
        self._chunks = remaining
        self._buffered = sum(len(next(iter(chunk.values()))) for chunk in remaining)

    def _buffered_column(self, column: Column) -> pa.ChunkedArray:
        arrays = []
        for chunk in self._chunks:
            given = chunk.get(column.name)
            if given is None:
                rows = len(next(iter(chunk.values())))
                given = pa.nulls(rows, pa.int32() if column.type == "dictionary" else arrow_type(column))
            arrays.append(self._vocabularies[column.name].decode(given) if column.type == "dictionary" else given)
        return pa.chunked_array(arrays)

    def _open(self) -> pq.ParquetWriter:
        if self._file is None:
            columns = [RUN, *self._columns.values()]
            schema = pa.schema([arrow_field(column) for column in columns], metadata={"fittrace.schema": str(VERSION)})
            self._file = pq.ParquetWriter(
                self._path(),
                schema,
                compression="zstd",
                compression_level=9,
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
            self._file.close()
            self._file = None
            checksum.sealed(self._path())
            self._parts += 1


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
