"""The columns of a stored table as the database has them, and whether those of a file are of these types."""

from __future__ import annotations

from collections.abc import Iterable

from ..schema.errors import DamagedTrace
from ..schema.safe_text import printable
from ..schema.table import Column
from ..schema.tables import TABLES
from ..store.parquet.arrow_columns import LOGS_PREFIX

_SQL_TYPES = {
    "dictionary": "VARCHAR",
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "bool": "BOOLEAN",
    "binary": "BLOB",
}


def no_rows(table: str) -> str:
    """The SQL of `table` without a row."""
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in _types(table).items())
    return f"SELECT {empty} WHERE false"


def check_types(table: str, found: Iterable[tuple[str, str]], where: str) -> None:
    """Raise `DamagedTrace` where a column that was `found`, by name and type, is not of the type that is written.

    What reads a table counts on it: a number from a trace becomes a part of SQL, of a path, or of generated code.
    """
    wanted = _types(table)
    for name, kind in found:
        asked = wanted.get(name, "DOUBLE" if name.startswith(LOGS_PREFIX) else kind)
        if kind != asked and not (asked == "VARCHAR" and kind.startswith("ENUM(")):
            raise DamagedTrace(
                f"{where}: the column {printable(name)} of {table} is {printable(kind)} where fittrace writes {asked};"
                " these are not the files that were written, record the run again"
            )


def _types(table: str) -> dict[str, str]:
    columns = [Column("run", "string", ""), Column("process", "int32", ""), *TABLES[table].columns]
    return {column.name: _sql_type(column.type) for column in columns}


def _sql_type(kind: str) -> str:
    """
    >>> _sql_type("list<int32>")
    'INTEGER[]'
    """
    return _SQL_TYPES[kind[len("list<") : -1]] + "[]" if kind.startswith("list<") else _SQL_TYPES[kind]
