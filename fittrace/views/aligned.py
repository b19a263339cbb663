"""Rows of cells as lines of text, with the columns aligned.

This is for lines of any number, or that a view goes on to write itself. `terminal.table` is for tables that fold to the
terminal's width, which would take too long for a million rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """A line for each row, all of the same width on a terminal. The columns numbered in `right` are aligned right.

    >>> list(aligned([["phase", "total"], ["損失", "3"]], right={1}))
    ['phase  total', '損失       3']
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = enumerate(zip(row, widths, strict=True))
        yield "  ".join(_padded(cell, width, number in right) for number, (cell, width) in cells)


def _padded(cell: str, width: int, right: bool) -> str:
    padding = " " * (width - cell_len(cell))
    return padding + cell if right else cell + padding
