"""Output to a terminal or a pipe, through rich."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..schema.safe_text import printable


def console(file: TextIO) -> Console:
    """A console that writes text to `file` unchanged. In a pipe it neither colours nor wraps."""
    # rich asks the terminal for its width and honours NO_COLOR. For a pipe it would assume 80 columns.
    width = None if file.isatty() else 10_000
    return Console(file=file, width=width, highlight=False, markup=False, emoji=False, force_jupyter=False)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[str]) -> Table:
    """A table without borders.

    - `headers`: the names of the columns.
    - `rows`: the cells, row by row; they are made safe for a terminal.
    - `words`: the headers of the text columns, which are folded to fit. All others are numbers, aligned right.
    """
    result = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for header in headers:
        if header in words:
            result.add_column(header, overflow="fold")
        else:
            result.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        result.add_row(*(Text(printable(cell)) for cell in row))
    return result
