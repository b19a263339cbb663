"""Annotated source: the visits and the time of each line, function by function, as in a line profiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

import pandas as pd
from rich.console import Console
from rich.text import Text

from ..analysis.units import amount, count, duration, share
from ..schema.safe_text import printable
from .aligned import aligned
from .replay_steps import short_path
from .source_lines import coloured
from .terminal import console

_HEADERS = ("visits", "time", "per visit", "share")
_EMPTY = ("",) * (1 + len(_HEADERS))
"""The cells of a line that has neither a number nor figures."""
_ABOVE = "^"
"""Shown for a statement without a clock of its own: its time is part of the line above."""


def print_lines(lines: pd.DataFrame, file: TextIO) -> None:
    """Write the source of each function in `lines` to `file`, the slowest function first.

    `lines` is a table from `Trace.lines`. The time of a line includes what it calls. A line without a clock of its own
    is part of the line above.
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
    lines = [_Line(("line", *_HEADERS), Text("source"), "bold"), *_lines(out, rows, total)]
    numbers_and_figures = aligned([line.cells for line in lines], right=range(len(_EMPTY)))
    for line, cells in zip(lines, numbers_and_figures, strict=True):
        text = Text(f"{cells}  ", line.style)
        text.append_text(line.code)
        text.rstrip()
        out.print(text, no_wrap=True, overflow="ellipsis", crop=True)
    out.print()


class _Line(NamedTuple):
    """One printed line.

    - `cells`: its line number and figures.
    - `code`: its source.
    - `style`: the style of the cells, as rich names it.
    """

    cells: Sequence[str]
    code: Text
    style: str = ""


def _lines(out: Console, rows: pd.DataFrame, total: int) -> Iterator[_Line]:
    """The lines of a function's statements. `⋮` stands for source lines that are omitted."""
    end = None
    for row in rows.to_dict("records"):
        if end is not None and row["line"] > end + 1:
            yield _Line(_EMPTY, Text("⋮"), "dim")
        figures = _figures(row, total)
        for number, code in enumerate(coloured(out, str(row["source"]).split("\n")), int(row["line"])):
            yield _Line((str(number), *figures), code)
            figures = _EMPTY[1:]  # the first line of a statement alone shows its figures
        end = int(row["end_line"])


def _figures(row: Mapping[Any, Any], total: int) -> Sequence[str]:
    """The cells of a statement in the columns `_HEADERS`."""
    visits, ns = int(row["visits"]), row["duration_ns"]
    if not visits:
        return _EMPTY[1:]
    if pd.isna(ns):
        return (count(visits), _ABOVE, "", "")
    return (count(visits), duration(int(ns)), duration(int(ns) / visits), share(int(ns), total))
