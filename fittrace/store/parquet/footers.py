"""Checking the footers of Parquet files before any of their rows is read.

The readers of a table rely on its types: a number from a trace becomes part of SQL, of a path, or of generated code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ...schema.errors import DamagedTrace
from ...schema.limits import COLUMN_BYTES, COLUMN_RATIO, COLUMNS, ROW_GROUP
from ...schema.safe_text import printable
from ...schema.table import Column
from ...schema.tables import TABLES
from .arrow_columns import LOGS_PREFIX, arrow_field, logs_column
from .row_buffers import RUN


def check(table: str, files: Iterable[Path]) -> None:
    """Raise `DamagedTrace` for the first of the `files` of `table` whose footer fittrace would not write.

    Such a footer claims too many columns, or row groups of too many rows or bytes, or a column of another type, or it
    allows nulls in a column without nulls.
    """
    for file in files:
        try:
            footer = pq.read_metadata(file)
            schema = footer.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise DamagedTrace(f"{file}: no Parquet that can be read ({error}); record the run again") from None
        _check_amounts(file, footer)
        _check_columns(table, file, footer.schema, schema)


def _check_amounts(file: Path, footer: pq.FileMetaData) -> None:
    """Raise `DamagedTrace` if the footer claims more columns, rows or bytes than fittrace writes."""
    if footer.num_columns > COLUMNS:
        raise _too_much(file, f"{footer.num_columns:,} columns", f"{COLUMNS:,}")
    rows = 0
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        rows += group.num_rows
        if not 0 <= group.num_rows <= ROW_GROUP:
            raise _too_much(file, f"{group.num_rows:,} rows in a row group", f"{ROW_GROUP:,}")
        # Columns of a small row group are small. This spares a look at each of them.
        if group.total_byte_size > COLUMN_BYTES:
            for index in range(group.num_columns):
                size = group.column(index).total_uncompressed_size
                if size > COLUMN_BYTES and size > file.stat().st_size * COLUMN_RATIO:
                    raise _too_much(file, f"{size:,} bytes in a column", f"{COLUMN_BYTES:,}")
    if rows != footer.num_rows:
        raise _too_much(file, f"{footer.num_rows:,} rows", f"the {rows:,} of its row groups")


class _Leaf(NamedTuple):
    """How Parquet stores the values of a column."""

    path: str
    """The column's name, for a list with the path to its elements."""
    type: str
    """The physical type, and what Parquet calls the logical type."""
    repetition: int
    """The number of lists around a value."""
    definition: int
    """The number of levels at which a value may be missing."""


def _check_columns(table: str, file: Path, stored: pq.ParquetSchema, read: pa.Schema) -> None:
    """Raise `DamagedTrace` if a column is not as fittrace writes it. Unknown columns are allowed.

    - `table`: the name of the table.
    - `file`: the file.
    - `stored`: the columns as Parquet describes them.
    - `read`: the columns as Arrow reads them. They may differ, since the file may hold an Arrow schema too.
    """
    present = set()
    for leaf in _leaves(stored):
        name = leaf.path if leaf.path.startswith(LOGS_PREFIX) else leaf.path.partition(".")[0]
        expected = _expected(table, name)
        if expected is None:
            continue
        if leaf._replace(definition=expected.definition) != expected:
            raise _other_type(table, file, name, leaf.type, expected.type)
        if leaf.definition <= expected.definition:
            present.add(name)
    for column in (RUN, *TABLES[table].columns):
        if not column.nullable and column.name not in present:
            raise DamagedTrace(f"{file}: values may be missing in the column {column.name}; record the run again")
    for field in read:
        known = _known(table, field.name)
        wanted = None if known is None else arrow_field(known).type
        # What is written as a dictionary may be read as plain text.
        if wanted is not None and field.type not in (wanted, getattr(wanted, "value_type", wanted)):
            raise _other_type(table, file, field.name, str(field.type), str(wanted))


def _known(table: str, name: str) -> Column | None:
    """The column of `table` with this name; None if there is none."""
    if name.startswith(LOGS_PREFIX):
        return logs_column(name)
    # DuckDB ignores the case of column names.
    return next((column for column in (RUN, *TABLES[table].columns) if column.name == name.lower()), None)


def _expected(table: str, name: str) -> _Leaf | None:
    """How fittrace writes the column of `table` with this name; None if it writes none."""
    if name.startswith(LOGS_PREFIX):
        return _written(logs_column(LOGS_PREFIX))._replace(path=name)
    column = _known(table, name)
    return None if column is None else _written(column)


@cache
def _written(column: Column) -> _Leaf:
    """How fittrace writes a column, found by writing a file without rows."""
    file = BytesIO()
    pq.ParquetWriter(file, pa.schema([arrow_field(column)])).close()
    (leaf,) = _leaves(pq.read_metadata(file).schema)
    return leaf


def _leaves(schema: pq.ParquetSchema) -> Iterator[_Leaf]:
    for index in range(len(schema.names)):
        leaf = schema.column(index)
        kind = f"{leaf.physical_type} ({leaf.logical_type})"
        yield _Leaf(leaf.path, kind, leaf.max_repetition_level, leaf.max_definition_level)


def _other_type(table: str, file: Path, column: str, found: str, written: str) -> DamagedTrace:
    return DamagedTrace(
        f"{file}: the column {printable(column)} of {table} is {printable(found)} where fittrace writes {written};"
        " this is not the file that was written, record the run again"
    )


def _too_much(file: Path, claimed: str, most: str) -> DamagedTrace:
    return DamagedTrace(f"{file}: claims {claimed}; at most {most} are read; record the run again")
