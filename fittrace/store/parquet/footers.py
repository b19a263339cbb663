"""The footers of Parquet files: what they claim is checked before anything is read for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ...schema.errors import DamagedTrace
from ...schema.limits import COLUMN_BYTES, COLUMN_RATIO, COLUMNS, ROW_GROUP
from ...schema.tables import TABLES
from .row_buffers import RUN


def check(table: str, files: Iterable[Path]) -> None:
    """Raise `DamagedTrace` for the first of the `files` of `table` whose footer is none that fittrace writes.

    Such a footer claims a wider table or row groups of more rows or bytes, or it allows null where a value always is.
    """
    always = [column.name for column in (RUN, *TABLES[table].columns) if not column.nullable]
    for file in files:
        try:
            told = pq.read_metadata(file)
            schema = told.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            raise DamagedTrace(f"{file}: no Parquet that can be read ({error}); record the run again") from None
        if told.num_columns > COLUMNS:
            raise _too_much(file, f"{told.num_columns:,} columns", f"{COLUMNS:,}")
        rows = 0
        for number in range(told.num_row_groups):
            group = told.row_group(number)
            rows += group.num_rows
            if not 0 <= group.num_rows <= ROW_GROUP:
                raise _too_much(file, f"{group.num_rows:,} rows in a row group", f"{ROW_GROUP:,}")
            # The columns of a row group that together are small need no look.
            if group.total_byte_size > COLUMN_BYTES:
                for place in range(group.num_columns):
                    size = group.column(place).total_uncompressed_size
                    if size > COLUMN_BYTES and size > file.stat().st_size * COLUMN_RATIO:
                        raise _too_much(file, f"{size:,} bytes in a column", f"{COLUMN_BYTES:,}")
        if rows != told.num_rows:
            raise _too_much(file, f"{told.num_rows:,} rows", f"the {rows:,} of its row groups")
        # What Arrow says of a file may be taken from a note in it; the levels are Parquet's own.
        leaves = [told.schema.column(place) for place in range(told.num_columns)]
        optional = {leaf.path for leaf in leaves if leaf.max_definition_level}
        for name in always:
            if schema.get_field_index(name) < 0 or schema.field(name).nullable or name in optional:
                raise DamagedTrace(f"{file}: values may be missing in the column {name}; record the run again")


def _too_much(file: Path, told: str, most: str) -> DamagedTrace:
    return DamagedTrace(f"{file}: claims {told}; at most {most} are read; record the run again")
