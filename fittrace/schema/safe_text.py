"""Makes text from a trace safe to show, since a trace may come from a stranger.

All such text passes here on its way to a terminal, a notebook, a viewer or an error message.
"""

from __future__ import annotations

import unicodedata

# Control characters move a terminal's cursor. Format characters, such as bidirectional overrides, and the line and
# paragraph separators rearrange text. Surrogates cannot be encoded.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and marks without width, with which different names look equal. Variation selectors for emoji are allowed.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)


def printable(text: object) -> str:
    r"""`text` on one line. Characters that a terminal obeys or hides are escaped.

    >>> printable("loss\x1b[31m\n")
    'loss\\x1b[31m\\n'
    >>> printable("verlust_größe")
    'verlust_größe'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE or c in _UNSEEN else c for c in text)


def printable_lines(text: object) -> str:
    r"""`text` with each line made `printable`.

    >>> printable_lines("leaves\n  the order\x07")
    'leaves\n  the order\\x07'
    """
    return "\n".join(map(printable, str(text).split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
