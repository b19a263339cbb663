"""What the prompt's `time` prints: the time of a batch, line by line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from ..replay.batch_time import LineTime
from .source_lines import clean
from .terminal import table
from .units import count, duration, share


def batch_time_table(times: Sequence[LineTime]) -> Table:
    """The lines of a batch, each with its visits and its own time."""
    whole = sum(time.own_ns or 0 for time in times)
    rows = [
        [
            f"{time.step.function}:{time.step.line}",
            clean(time.step.source.split("\n")[0]).strip(),
            count(time.visits),
            "" if time.own_ns is None else duration(time.own_ns),
            _with_line(time) if time.own_ns is None else share(time.own_ns, whole),
        ]
        for time in times
    ]
    rows.append(["", "the batch", "", duration(whole), share(whole, whole)])
    return table(["line", "source", "visits", "own time", "share"], rows, {"line", "source"})


def _with_line(time: LineTime) -> str:
    """Which line has the time of a line without a clock."""
    return "no clock" if time.above is None else f"in line {time.above.line}"
