"""The table of the prompt's `time` command: the time of a batch, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from ..analysis.units import count, duration, share
from ..replay.batch_time import LineTime
from .source_lines import clean
from .terminal import table


def batch_time_table(times: Sequence[LineTime]) -> Table:
    """A table with the visits and the own time of each line of a batch. The last row is their sum."""
    whole = sum(time.own_ns or 0 for time in times)
    rows = [
        [
            f"{time.step.function}:{time.step.line}",
            clean(time.step.source.split("\n")[0]).strip(),
            count(time.visits),
            "" if time.own_ns is None else duration(time.own_ns),
            _line_above(time) if time.own_ns is None else share(time.own_ns, whole),
        ]
        for time in times
    ]
    rows.append(["", "the batch", "", duration(whole), share(whole, whole)])
    return table(["line", "source", "visits", "own time", "share"], rows, {"line", "source"})


def _line_above(time: LineTime) -> str:
    """Name the line whose time includes that of a line without a clock."""
    return "no clock" if time.above is None else f"in line {time.above.line}"
