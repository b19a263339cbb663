"""Which SQL may be asked of a trace: one `SELECT` that reads tables.

The database guards the file system itself (`database`). This module looks at the parsed query, because a `SELECT` may
hold more than reading: a `WITH` clause that writes, or a table function that runs other SQL.
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
    """The names of the tables that `query` reads, None where it asks about the tables themselves (`SHOW TABLES`).

    Raises `QueryError` for anything but one statement that only reads.
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
    """The database's `error` as one line of ours."""
    # After an empty line it draws the query with a marker, which one line cannot show.
    message = str(error).split("\n\n")[0]
    _, _, without_kind = message.partition(" Error: ")
    return QueryError("SQL: " + printable(" ".join((without_kind or message).split())))


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a parsed query, whatever the depth."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            yield item
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
