"""Text from a trace, made safe to show: a trace may come from anyone."""

from __future__ import annotations

import unicodedata

# Control characters move a terminal's cursor; format characters (bidirectional overrides among them) and the two
# separators rearrange what is read; surrogates cannot be encoded.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: object) -> str:
    r"""`text` on one line, with every character that a terminal obeys or hides spelled out.

    >>> printable("loss\x1b[31m\n")
    'loss\\x1b[31m\\n'
    >>> printable("verlust_größe")
    'verlust_größe'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
