"""Literals for SQL that cannot have parameters."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..schema.errors import FittraceError
from ..schema.safe_text import printable


def literal(value: int | str | None) -> str:
    """`value` as an SQL literal. Quotes are escaped, because the text of a trace may come from anyone.

    >>> literal(3), literal("it's"), literal(None)
    ('3', "'it''s'", 'NULL')
    """
    if value is None:
        return "NULL"
    if not isinstance(value, str):
        return str(int(value))
    quoted = "'" + value.replace("'", "''") + "'"
    # DuckDB 1 ends a literal at a NUL, so an expression adds each NUL.
    return quoted if "\0" not in value else "(" + quoted.replace("\0", "' || chr(0) || '") + ")"


def path_text(path: Path) -> str:
    """`path` as text. Raises `FittraceError` if it is not UTF-8, because DuckDB cannot open such a path."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FittraceError(
            f"{printable(text)}: a path that is not UTF-8; set TMPDIR to a folder whose path is"
        ) from None
    return text


def literal_paths(paths: Iterable[Path]) -> str:
    """A list of paths as an SQL literal. DuckDB expands no wildcards in the path of an existing file.

    Raises `FittraceError` as `path_text` does.
    """
    return "[" + ", ".join(literal(path_text(path)) for path in paths) + "]"
