"""Buffers of a table's rows, which check the rows that are appended and give them out as Arrow."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from ...schema.table import Column, Table
from .arrow_columns import LOGS_PREFIX, Values, Vocabulary, arrow_array, arrow_field, arrow_type, logs_column

RUN = Column("run", "dictionary", "name of the run")
"""The first column of every table."""


class RowBuffer:
    """Rows of a table in memory. `len` is their number.

    - `table`: the table of the schema.
    - `run`: the name of the run, the value of the column `run`.

    >>> from fittrace.schema.tables import TABLES
    >>> rows = RowBuffer(TABLES["notes"], "a1")
    >>> rows.append({"kind": ["engine"], "message": ["keras 9: not checked"]})
    >>> rows.take(len(rows)).to_pylist(), len(rows)
    ([{'run': 'a1', 'kind': 'engine', 'message': 'keras 9: not checked'}], 0)
    """

    def __init__(self, table: Table, run: str) -> None:
        self._table = table
        self._run = run
        self._columns = {column.name: column for column in table.columns}
        self._vocabularies = {c.name: Vocabulary() for c in table.columns if c.type == "dictionary"}
        self._chunks: list[dict[str, pa.Array]] = []
        self._count = 0
        self._nulls: dict[tuple[int, pa.DataType], pa.Array] = {}

    def __len__(self) -> int:
        return self._count

    @property
    def columns(self) -> list[Column]:
        """All columns in their order, with those that appended rows have added."""
        return [RUN, *self._columns.values()]

    def unknown(self, columns: Mapping[str, Values]) -> list[str]:
        """The names among `columns` that are not columns of this table yet."""
        return [name for name in columns if name not in self._columns]

    def append(self, columns: Mapping[str, Values]) -> None:
        """Add rows to the end. Takes and raises what `PartitionWriter.append` does."""
        for name in self.unknown(columns):
            if self._table.name != "batches" or not name.startswith(LOGS_PREFIX):
                raise ValueError(f"{self._table.name}.{name}: no such column; it has {', '.join(self._columns)}")
            self._columns[name] = logs_column(name)
        arrays = {name: self._array(self._columns[name], values) for name, values in columns.items()}
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{self._table.name}: columns of unequal length: {lengths}; give as many of each")
        for name, column in self._columns.items():
            if name not in arrays and not column.nullable:
                raise ValueError(f"{self._table.name}.{name}: no values given; only nullable columns may be left out")
        if arrays and (rows := next(iter(lengths.values()))):
            self._chunks.append(arrays)
            self._count += rows

    def take(self, count: int) -> pa.Table:
        """Remove the first `count` rows and return them."""
        taken = pa.table(
            [self._column(column) for column in self._columns.values()],
            schema=pa.schema([arrow_field(column) for column in self._columns.values()]),
        )[:count]
        self._forget(count)
        self._nulls.clear()
        run = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), taken.num_rows), pa.array([self._run]))
        return taken.add_column(0, arrow_field(RUN), run)

    def _array(self, column: Column, values: Values) -> pa.Array:
        if column.type == "dictionary":
            return self._vocabularies[column.name].encode(values)
        try:
            return arrow_array(column, values)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"{self._table.name}.{column.name}: {error}; give {column.type}") from error

    def _column(self, column: Column) -> pa.ChunkedArray:
        kind = pa.int32() if column.type == "dictionary" else arrow_type(column)
        arrays = []
        for chunk in self._chunks:
            values = chunk.get(column.name)
            if values is None:
                values = self._no_values(len(next(iter(chunk.values()))), kind)
            arrays.append(values)
        if column.type != "dictionary":
            return pa.chunked_array(arrays, kind)
        decoded = [self._vocabularies[column.name].decode(array) for array in arrays]
        return pa.chunked_array(decoded, pa.dictionary(pa.int32(), pa.string()))

    def _no_values(self, count: int, kind: pa.DataType) -> pa.Array:
        # Columns share arrays of nulls, since `batches` may have thousands of columns without values.
        if (count, kind) not in self._nulls:
            self._nulls[count, kind] = pa.nulls(count, kind)
        return self._nulls[count, kind]

    def _forget(self, count: int) -> None:
        remaining = []
        for chunk in self._chunks:
            rows = len(next(iter(chunk.values())))
            if rows > count:
                remaining.append({name: array[count:] for name, array in chunk.items()})
            count = max(count - rows, 0)
        self._chunks = remaining
        self._count = sum(len(next(iter(chunk.values()))) for chunk in remaining)
