"""The time of one batch, line by line."""

from __future__ import annotations

from dataclasses import dataclass

from .cursor import Replay
from .step import Step
from .step_ranges import BATCH, all_steps


@dataclass(frozen=True)
class LineTime:
    """The time of one line in a batch."""

    step: Step
    "The first step on the line."
    visits: int
    "How often the line was visited."
    own_ns: int | None
    """The time until the next step with a clock, which may be in a call.

    None if no clock was read on the line. Then its time is part of that of the line `above`.
    """
    above: Step | None
    "The last step before it with a clock; None if the line has its own time."


Line = tuple[str | None, int | None]
"""A file and a line in it; both None for unknown steps."""


def line_times(replay: Replay) -> list[LineTime]:
    """The lines of the current batch, in the order of their first visit; empty outside of batches.

    Their times add up to the time of the batch.
    """
    if replay.current.batch is None:
        return []
    steps = all_steps(replay, BATCH)
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
    end = _end_of_batch(replay, steps[-1].index + 1, clocked)
    if clocked is not None and clocked.start_ns is not None and end is not None:
        own[(clocked.file, clocked.line)] += end - clocked.start_ns
    found = firsts.items()
    return [LineTime(step, visits[key], own.get(key), None if key in own else above) for key, (step, above) in found]


def _end_of_batch(replay: Replay, following: int, last: Step | None) -> int | None:
    """When a batch ended.

    - `following`: the index of the first step after it. The batch ends at the first clock from there on.
    - `last`: the last step in it with a clock. If there is no clock after the batch, it ends with that step.
    """
    for index in range(following, len(replay)):
        start = replay[index].start_ns
        if start is not None:
            return start
    return None if last is None or last.start_ns is None else last.start_ns + (last.duration_ns or 0)
