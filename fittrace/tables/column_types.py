"""The SQL types of a stored table's columns."""

from __future__ import annotations

from ..schema.table import Column
from ..schema.tables import TABLES

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
    """The SQL of an empty `table`, with all its columns. In a union it adds the columns that older traces lack."""
    columns = [Column("run", "string", ""), Column("process", "int32", ""), *TABLES[table].columns]
    return f"SELECT {', '.join(f'NULL::{_sql_type(column.type)} AS {column.name}' for column in columns)} WHERE false"


def _sql_type(kind: str) -> str:
    """The SQL type of a column type in `schema.tables`.

    >>> _sql_type("list<int32>")
    'INTEGER[]'
    """
    return _SQL_TYPES[kind[len("list<") : -1]] + "[]" if kind.startswith("list<") else _SQL_TYPES[kind]
