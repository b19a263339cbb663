"""What an analysis of a walk says: the branches on the way, the time by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from ..replay.batch_time import LineTime
from ..replay.why import Branch
from ..schema.safe_text import printable
from .replay_steps import moment, short_path
from .source_lines import clean
from .terminal import table
from .units import count, duration, share

_ARM = {True: "taken", False: "not taken", None: "arm not recorded"}


def branches_lines(branches: Sequence[Branch]) -> Iterator[str]:
    """A line for each branch, below the name of its function."""
    frame = None
    width = max((len(_code(branch)) for branch in branches), default=0)
    for branch in branches:
        step = branch.step
        if branch.frame.index != frame:
            frame = branch.frame.index
            yield printable(f"{step.function}()  {short_path(step.file or '')}")
        yield f"{step.line:>6}  {_code(branch):<{width}}  {_ARM[branch.arm]}  {moment(step)}"


def times_table(times: Sequence[LineTime]) -> Table:
    """The lines of a batch, each with its visits and its own time."""
    whole = sum(time.own_ns or 0 for time in times)
    rows = [
        [
            f"{time.step.function}:{time.step.line}",
            clean(time.step.source.split("\n")[0]).strip(),
            count(time.visits),
            "" if time.own_ns is None else duration(time.own_ns),
            _shared(time) if time.own_ns is None else share(time.own_ns, whole),
        ]
        for time in times
    ]
    rows.append(["", "the batch", "", duration(whole), share(whole, whole)])
    return table(["line", "source", "visits", "own time", "share"], rows, {"line", "source"})


def _shared(time: LineTime) -> str:
    return "no clock" if time.above is None else f"in line {time.above.line}"


def _code(branch: Branch) -> str:
    return clean(branch.step.source.split("\n")[0]).strip()
