"""Plain names. A name from a trace becomes part of a path only if it is plain."""

import re
from typing import Any

from .errors import FittraceError
from .safe_text import printable

LONGEST = 200
"""Bytes of a plain name at most. File systems allow 255, and exports add a suffix."""

_SEPARATES = re.compile(r"[/\\:\0]")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


def is_plain(name: Any) -> bool:
    r"""Whether `name` names a file or folder in its folder on every system.

    A name is not plain if it is no text, is empty or longer than `LONGEST`, has separators, control characters or
    characters that cannot be encoded, begins or ends with characters that some systems drop (spaces, a last dot), or
    names a device of Windows.

    >>> is_plain("2026-01-31-train"), is_plain("größe.2")
    (True, True)
    >>> [name for name in ("..", "../x", "/etc", "a\\b", "c:x", "a\n", "nul.txt", "", " a") if is_plain(name)]
    []
    """
    return (
        isinstance(name, str)
        and printable(name) == name
        and 0 < len(name.encode()) <= LONGEST
        and name == name.strip()
        and not name.endswith(".")
        and not _SEPARATES.search(name)
        and not _DEVICES.fullmatch(name)
    )


def plain(name: Any, of: str) -> str:
    """`name` itself, to be used in a path.

    Raises `FittraceError` if it is not plain: a trace may come from a stranger.

    - `name`: the name, from a trace.
    - `of`: what it names, for the error: `of the run`.

    >>> plain("a1", "of the run")
    'a1'
    """
    if not is_plain(name):
        shown = printable(name)
        shown = shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"
        raise FittraceError(
            "the name %s, %s, is no name of a file or folder; change it in the trace, or leave that trace out"
            % (of, shown or "(empty)")
        )
    return str(name)
