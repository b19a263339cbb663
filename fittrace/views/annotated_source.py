"""Source with the visits and the time of each line, function by function, as a line profiler shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

import pandas as pd
from rich.console import Console
from rich.text import Text

from ..schema.safe_text import printable
from .replay_steps import short_path
from .source_lines import coloured
from .terminal import console
from .units import amount, count, duration, share

_HEADERS = ("visits", "time", "per visit", "share")
_ABOVE = "^"


def print_lines(lines: pd.DataFrame, file: TextIO) -> None:
    """Write the functions of `lines`, a table of `Trace.lines`, to `file`, those that took the longest first.

    The time of a line is with all that it calls; lines without a clock of their own are in the time of the line above.
    """
    out = console(file)
    if lines.empty:
        out.print(Text("No control flow was recorded: there is nothing to show."))
        return
    functions = [(rows, int(rows["duration_ns"].sum())) for _, rows in lines.groupby(["file", "function"], sort=False)]
    for rows, total in sorted(functions, key=lambda function: -function[1]):
        _print_function(out, rows.sort_values("line"), total)
    out.print(Text(f"{_ABOVE}: in the time of the line above; share: of the function's time", "dim"))


def _print_function(out: Console, rows: pd.DataFrame, total: int) -> None:
    title = Text(printable(rows["function"].iloc[0]), "bold")
    file, size = short_path(rows["file"].iloc[0]), amount(len(rows), "statement", "statements")
    title.append(printable(f"  {file}, {size}, {duration(total)}"), "not bold")
    out.print(title, soft_wrap=True)
    cells = [_cells(row, total) for row in rows.to_dict("records")]
    widths = [max(len(cell) for cell in column) for column in zip(_HEADERS, *cells, strict=True)]
    number_width = max(len("line"), len(str(rows["line"].max())))
    _print_row(out, number_width, widths, "line", _HEADERS, Text("source"), "bold")
    before = None
    for row, cell in zip(rows.to_dict("records"), cells, strict=True):
        source = str(row["source"]).split("\n")
        if before is not None and row["line"] > before + 1:
            out.print(Text(f"{'':>{number_width}}  {'':>{sum(widths) + 2 * len(widths)}}⋮", "dim"))
        for number, code in enumerate(coloured(out, source), int(row["line"])):
            first = number == row["line"]
            _print_row(out, number_width, widths, str(number), cell if first else [""] * len(cell), code, "")
        before = int(row["end_line"])
    out.print()


def _print_row(
    out: Console, number_width: int, widths: list[int], number: str, cells: Any, code: Text, style: str
) -> None:
    figures = "".join(f"{cell:>{width}}  " for cell, width in zip(cells, widths, strict=True))
    line = Text(f"{number:>{number_width}}  {figures}", style)
    line.append_text(code)
    line.rstrip()
    out.print(line, no_wrap=True, overflow="ellipsis", crop=True)


def _cells(row: Mapping[Any, Any], total: int) -> list[str]:
    visits, ns = int(row["visits"]), row["duration_ns"]
    if not visits:
        return ["", "", "", ""]
    if pd.isna(ns):
        return [count(visits), _ABOVE, "", ""]
    return [count(visits), duration(int(ns)), duration(int(ns) / visits), share(int(ns), total)]
