"""Names that are plain: the only ones from a trace that become a part of a path."""

import re
from typing import Any

from .errors import FittraceError
from .safe_text import printable

LONGEST = 200
"""Bytes that a plain name may have: a file's name may have 255, and exports add to it."""

_SEPARATES = re.compile(r"[/\\:\0]")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)


def is_plain(name: Any) -> bool:
    r"""Whether `name` names one file or folder on every system, in the folder where it is looked for.

    It is no text at all, empty, longer than `LONGEST`, has separators, control characters or what cannot be encoded,
    begins or ends with what some systems drop (`.`, `..` and trailing spaces among it), or is a device of Windows: then
    it is not plain.

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
    """`name`, a name `of` something (in words) that becomes a part of a path.

    Raises `FittraceError` where it is not plain: a trace may come from a stranger.

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
