"""Values in SQL, where a query cannot take them as parameters."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..schema.errors import FittraceError
from ..schema.safe_text import printable


def literal(value: int | str | None) -> str:
    """A number, a text or nothing as SQL writes it. A trace may come from anyone: no text ends its quotes.

    >>> literal(3), literal("it's"), literal(None)
    ('3', "'it''s'", 'NULL')
    """
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(int(value))


def path_text(path: Path) -> str:
    """`path` as text. Raises `FittraceError` where it is not UTF-8: the database can open no such path."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FittraceError(
            f"{printable(text)}: a path that is not UTF-8; set TMPDIR to a folder whose path is"
        ) from None
    return text


def literal_paths(paths: Iterable[Path]) -> str:
    """A list of paths as SQL writes it. DuckDB takes a path that names a file as it is, whatever wildcards are in it.

    Raises `FittraceError` as `path_text` does.
    """
    return "[" + ", ".join(literal(path_text(path)) for path in paths) + "]"
