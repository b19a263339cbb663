"""Rows of cells as lines of text, with the columns aligned.

Use this for tables of any length, or where a view formats the lines further. `terminal.table` folds a table to the
terminal's width, which is too slow for a million rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Format each row as a line. All lines have the same width on a terminal.

    - `rows`: the cells, row by row; all rows have the same number of cells.
    - `right`: the indices of the columns that are aligned right.

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
