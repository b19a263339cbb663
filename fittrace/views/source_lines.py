"""Source code on a terminal: numbered lines with marks, coloured where the terminal has colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from ..schema.safe_text import printable

TAB = 8
"""Columns to the next tab stop, as Python itself counts them."""

_THEME = "ansi_dark"
"""Names only the terminal's own sixteen colours, so that it is legible on any background."""


def print_source(out: Console, lines: Sequence[str], first: int, last: int, marks: Mapping[int, str]) -> None:
    """Print some lines of a source file, with their numbers.

    - `out`: the console to print to.
    - `lines`: all lines of the file.
    - `first`, `last`: the first and the last line to print, counted from 1.
    - `marks`: the mark shown before a line, by line number.

    >>> import sys
    >>> from .terminal import console
    >>> print_source(console(sys.stdout), ["if x:", "    y = 1"], 1, 2, {2: "->"})
      1      if x:
      2  ->      y = 1
    """
    width = max(3, len(str(last)))
    mark_width = max(2, *(len(mark) for mark in marks.values())) if marks else 2
    for number, code in enumerate(coloured(out, lines[first - 1 : last]), first):
        mark = marks.get(number, "")
        line = Text(f"{number:>{width}}  ", "bold" if mark else "dim")
        line.append(f"{mark:<{mark_width}}  ", "bold")
        line.append_text(code)
        line.rstrip()
        out.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def clean(line: str) -> str:
    r"""A line of source with its tabs as spaces, and its control characters escaped.

    >>> clean("\tx = '\x1b[2J'  # größe\r\n")
    "        x = '\\x1b[2J'  # größe"
    """
    return printable(line.rstrip("\r\n").expandtabs(TAB))


def coloured(out: Console, lines: Sequence[str]) -> list[Text]:
    """Lines of source, cleaned, and coloured if `out` has colours."""
    lines = [clean(line) for line in lines]
    if out.color_system is None or out.no_color:
        return [Text(line) for line in lines]
    highlighted = Syntax("", "python", theme=_THEME).highlight("\n".join(lines)).split("\n", allow_blank=True)
    # The lexer drops some lines, such as blank lines at the beginning. Marks would then stand at the wrong lines, so
    # the lines stay uncoloured.
    plain = [text.plain for text in highlighted[: len(lines)]]
    return list(highlighted[: len(lines)]) if plain == lines else [Text(line) for line in lines]
