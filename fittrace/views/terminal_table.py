"""Rows as a table for reading in a terminal: numbers as they are, every text made safe."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from rich.cells import cell_len, set_cell_size

from ..schema.safe_text import printable

WIDEST_CELL = 60
"""Where a terminal's width is known, a longer cell is cut."""


def table_lines(frame: pd.DataFrame, width: int | None = None) -> Iterator[str]:
    """The lines of a table. With a `width`, long cells are cut, and rows that are still too long are turned upright:
    a line for each of their columns.

    >>> print("\\n".join(table_lines(pd.DataFrame({"phase": ["function", "logs"], "total": [12, 3]}))))
    phase     total
    function     12
    logs          3
    """
    names = [printable(name) for name in frame.columns]
    columns = [[_cell(value) for value in frame.iloc[:, number]] for number in range(len(names))]
    if width is not None:
        columns = [[_cut(cell, WIDEST_CELL) for cell in column] for column in columns]
    widths = [max(map(cell_len, [name, *column])) for name, column in zip(names, columns, strict=True)]
    if width is not None and len(frame) and sum(widths) + 2 * (len(widths) - 1) > width:
        yield from _upright(names, columns, width)
        return
    numbers = [pd.api.types.is_numeric_dtype(frame.dtypes.iloc[number]) for number in range(len(names))]
    for row in [names, *zip(*columns, strict=True)]:
        cells = (_padded(*cell) for cell in zip(row, widths, numbers, strict=True))
        yield "  ".join(cells).rstrip()


def plain(value: Any) -> Any:
    """`value` as JSON has it: nothing for a missing one, and for a number that is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, (bool, int, str)) else str(value)


def _upright(names: list[str], columns: list[list[str]], width: int) -> Iterator[str]:
    name_width = max(map(cell_len, names))
    for number, row in enumerate(zip(*columns, strict=True)):
        yield f"row {number}"
        for name, cell in zip(names, row, strict=True):
            yield _cut(f"  {_padded(name, name_width, False)}  {cell}".rstrip(), width)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        # Large ones are mostly nanoseconds, which no one reads as powers of ten.
        return "" if math.isnan(value) else f"{value:.1f}" if 1e6 <= abs(value) < 1e15 else f"{value:.6g}"
    if isinstance(value, (dict, list)) or hasattr(value, "tolist"):
        value = plain(value)
        if isinstance(value, (dict, list)):
            return printable(json.dumps(value, ensure_ascii=False))
    return "" if value is None or value is pd.NA or value is pd.NaT else printable(value)


def _padded(cell: str, width: int, right: bool) -> str:
    padding = " " * (width - cell_len(cell))
    return padding + cell if right else cell + padding


def _cut(cell: str, width: int) -> str:
    return cell if cell_len(cell) <= width else set_cell_size(cell, width - 1).rstrip() + "…"
