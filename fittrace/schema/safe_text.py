"""Text from a trace, made safe to show: a trace may come from anyone.

It is the one door through which such text goes to a terminal, a notebook, a viewer or the message of an error.
"""

from __future__ import annotations

import unicodedata

# Control characters move a terminal's cursor; format characters (bidirectional overrides among them) and the two
# separators rearrange what is read; surrogates cannot be encoded.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and marks that have no width: two names that look alike would differ. The selectors of emoji are not here.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)


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
    return "".join(_escaped(c) if unicodedata.category(c) in _UNSAFE or c in _UNSEEN else c for c in text)


def printable_lines(text: object) -> str:
    r"""`text` as `printable` makes it, with its lines as they are.

    >>> printable_lines("leaves\n  the order\x07")
    'leaves\n  the order\\x07'
    """
    return "\n".join(map(printable, str(text).split("\n")))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
