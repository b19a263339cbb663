"""A DataFrame as a table for a terminal. Every text is made safe to print."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from rich.cells import cell_len, set_cell_size

from ..schema.safe_text import printable
from .aligned import aligned
from .json_values import json_value

WIDEST_CELL = 60
"""Columns of the terminal. A longer cell is cut if the terminal's width is known."""


def table_lines(frame: pd.DataFrame, width: int | None = None) -> Iterator[str]:
    """The lines of a table of any length.

    With a `width`, long cells are cut. If the table is still wider than that, each row is written upright: a line for
    each column.

    >>> print("\\n".join(table_lines(pd.DataFrame({"phase": ["function", "logs"], "total": [12, 3]}))))
    phase     total
    function     12
    logs          3
    """
    names = [printable(name) for name in frame.columns]
    columns = [[_cell(value) for value in frame.iloc[:, number]] for number in range(len(names))]
    if width is not None:
        columns = [[_cut(cell, WIDEST_CELL) for cell in column] for column in columns]
    numbers = {number for number, kind in enumerate(frame.dtypes) if pd.api.types.is_numeric_dtype(kind)}
    lines = aligned([names, *zip(*columns, strict=True)], right=numbers)
    header = next(lines)
    if width is not None and len(frame) and cell_len(header) > width:
        yield from _upright(names, columns, width)
        return
    yield header.rstrip()
    yield from (line.rstrip() for line in lines)


def _upright(names: list[str], columns: list[list[str]], width: int) -> Iterator[str]:
    """Each row as a heading and a line for each column, cut to `width`."""
    for number, row in enumerate(zip(*columns, strict=True)):
        yield f"row {number}"
        for line in aligned(list(zip(names, row, strict=True))):
            yield _cut(f"  {line}".rstrip(), width)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        # Large numbers are mostly nanoseconds, which are hard to read in scientific notation.
        return "" if math.isnan(value) else f"{value:.1f}" if 1e6 <= abs(value) < 1e15 else f"{value:.6g}"
    if isinstance(value, (dict, list)) or hasattr(value, "tolist"):
        value = json_value(value)
        if isinstance(value, (dict, list)):
            return printable(json.dumps(value, ensure_ascii=False))
    return "" if value is None or value is pd.NA or value is pd.NaT else printable(value)


def _cut(cell: str, width: int) -> str:
    return cell if cell_len(cell) <= width else set_cell_size(cell, width - 1).rstrip() + "…"
