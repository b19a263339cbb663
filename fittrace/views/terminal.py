"""The terminal, or the pipe, that a view is written to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..schema.safe_text import printable


def console(file: TextIO) -> Console:
    """A console that writes to `file` just what it is given: in a pipe without colours and without wrapping."""
    # rich knows a terminal's width, and NO_COLOR; a pipe has no width.
    width = None if file.isatty() else 10_000
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False, force_jupyter=False)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[str]) -> Table:
    """A table without lines; the columns `words` hold words, the others numbers."""
    result = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for header in headers:
        if header in words:
            result.add_column(header, overflow="fold")
        else:
            result.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        result.add_row(*(Text(printable(cell)) for cell in row))
    return result
