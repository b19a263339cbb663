"""The SQL that a trace allows: one `SELECT` that only reads tables.

DuckDB's own settings guard the file system (see `database`). This module checks the parsed query, because a `SELECT`
may do more than read: a `WITH` clause may write, and a table function may run other SQL.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..schema.safe_text import printable
from .query_errors import QueryError

if TYPE_CHECKING:
    import duckdb

_READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series", "repeat", "repeat_row", "json_each", "json_tree"})
_RULE = "`sql` takes one SELECT over the tables of the trace"


def tables_read(connection: duckdb.DuckDBPyConnection, query: str) -> set[str] | None:
    """The names of the tables that `query` reads. None if it lists the tables themselves (`SHOW TABLES`).

    Raises `QueryError` unless the query is one statement that only reads.
    """
    import duckdb

    try:
        query.encode()
    except UnicodeEncodeError:
        raise QueryError("SQL: not UTF-8 text; write it in UTF-8") from None
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise explained(error) from None
    if len(statements) != 1:
        raise QueryError(f"{len(statements)} statements given; {_RULE}")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError(f"a {statements[0].type.name} statement; {_RULE}")
    serialized = connection.execute("SELECT json_serialize_sql($1::VARCHAR)", [statements[0].query]).fetchall()
    try:
        parsed = json.loads(serialized[0][0])
    except RecursionError:
        raise QueryError("SQL: nested too deeply; write it with fewer queries inside of one another") from None
    if parsed["error"]:
        raise QueryError(f"this kind of statement cannot be checked; {_RULE}")
    names: set[str] = set()
    about_tables = False
    for node in _nodes(parsed["statements"]):
        kind = node.get("type")
        if not isinstance(kind, str):
            continue
        if kind.endswith("_NODE") and kind not in _READING_NODES:
            raise QueryError(f"a {kind.split('_')[0]} inside the query; {_RULE}")
        if kind == "TABLE_FUNCTION":
            function = str(node["function"].get("function_name"))
            if function.lower() not in _TABLE_FUNCTIONS:
                raise QueryError(f"table function {printable(function)}; {_RULE}")
        if kind == "SHOW_REF":
            about_tables = True
        if kind == "BASE_TABLE":
            names.add(str(node["table_name"]).lower())
    return None if about_tables else names


def explained(error: Exception) -> QueryError:
    """A `QueryError` with the message of DuckDB's `error` on one line."""
    # After an empty line, DuckDB shows the query with a marker below it. That needs several lines, so it is cut off.
    message = str(error).split("\n\n")[0]
    _, _, without_kind = message.partition(" Error: ")
    return QueryError("SQL: " + printable(" ".join((without_kind or message).split())))


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All JSON objects in a parsed query, at any depth. It does not recurse, since a query may be nested deeply."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
