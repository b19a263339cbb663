"""Values in SQL, where a query cannot take them as parameters."""

from __future__ import annotations


def literal(value: int | str | None) -> str:
    """A number, a text or nothing as SQL writes it. A trace may come from anyone: no text ends its quotes.

    >>> literal(3), literal("it's"), literal(None)
    ('3', "'it''s'", 'NULL')
    """
    if value is None:
        return "NULL"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(int(value))
