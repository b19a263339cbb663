"""Where the time of one batch went, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from .cursor import Replay
from .step import Step
from .step_ranges import BATCH, whole


@dataclass(frozen=True)
class LineTime:
    """A line in a batch: a `step` on it, how often it was visited, and the time until the next clocked line, what it
    calls not included where that is clocked too.

    `own_ns` is None for a line without a clock of its own: its time is in that of the line `above` it.
    """

    step: Step
    visits: int
    own_ns: int | None
    above: Step | None


Line = tuple[str | None, int | None]
"""A file and a line in it; both None for what is not known."""


def line_times(replay: Replay) -> list[LineTime]:
    """The lines of the current batch in the order of their first visit; none outside of batches.

    Their times add up to the batch's.
    """
    if replay.current.batch is None:
        return []
    steps = whole(replay, BATCH)
    visits: dict[Line, int] = {}
    own: dict[Line, int] = {}
    firsts: dict[Line, tuple[Step, Step | None]] = {}
    clocked: Step | None = None
    for step in steps:
        key = (step.file, step.line)
        visits[key] = visits.get(key, 0) + 1
        firsts.setdefault(key, (step, clocked))
        if step.start_ns is not None:
            if clocked is not None and clocked.start_ns is not None:
                own[(clocked.file, clocked.line)] += step.start_ns - clocked.start_ns
            own.setdefault(key, 0)
            clocked = step
    end = _end(replay, steps[-1].index + 1, clocked)
    if clocked is not None and clocked.start_ns is not None and end is not None:
        own[(clocked.file, clocked.line)] += end - clocked.start_ns
    found = firsts.items()
    return [LineTime(step, visits[key], own.get(key), None if key in own else above) for key, (step, above) in found]


def _end(replay: Replay, following: int, last: Step | None) -> int | None:
    """When the batch ended: at the next clocked step, or, at the end of all, when its last clocked step did."""
    for index in range(following, len(replay)):
        start = replay[index].start_ns
        if start is not None:
            return start
    return None if last is None or last.start_ns is None else last.start_ns + (last.duration_ns or 0)
