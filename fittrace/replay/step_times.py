"""When the steps of a fit began, and how long they took."""

from __future__ import annotations

from typing import NamedTuple

from .timeline import StepLocation, Timeline
from .walk import Moment


class Elapsed(NamedTuple):
    """How long a step took."""

    duration_ns: int | None
    "The time until the next clock that was read no deeper in calls; None if no clock was read when the step began."
    steps: int
    "How many steps of the same depth share that time: this one, and those after it without a clock of their own."


class StepTimes:
    """The times of the steps of a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def start(self, location: StepLocation) -> int | None:
        """The Unix time at which a step began; None if no clock was read then."""
        clock = location.visit.clock
        return None if clock is None else self.moment(location.run, location.turn, clock)

    def moment(self, run: int, turn: int, moment: Moment) -> int | None:
        """The Unix time of a moment that a visit of a turn names; None if it is not known."""
        runs = self._timeline.runs
        if moment.what == "before":
            run, turn = (run, turn - 1) if turn else (run - 1, runs.turn_count(run - 1) - 1)
            last = runs.kind_of(run).last
            return None if last is None else self.moment(run, turn, last)
        if moment.what == "line":
            clocks = self._timeline.recording.turns.clocks[int(runs.row[run])]
            return clocks[moment.of] if moment.of < len(clocks) else None
        span = runs.span_number(run, turn, moment.of)
        if span is None:
            return None
        spans = self._timeline.spans
        return spans.start(span) if moment.what == "start" else spans.end(span)

    def elapsed(self, index: int) -> Elapsed:
        """How long the step of that index took, calls included."""
        location = self._timeline.locate(index)
        start, depth = self.start(location), location.visit.depth
        if start is None:
            return Elapsed(None, 0)
        steps, following = 1, self._timeline.after(index, depth)
        while following is not None:
            other = self._timeline.locate(following)
            end = self.start(other)
            if end is not None:
                return Elapsed(end - start, steps)
            steps += other.visit.depth == depth
            following = self._timeline.after(following, depth)
        return Elapsed(self._end_of_fit() - start, steps)

    def _end_of_fit(self) -> int:
        recording = self._timeline.recording
        rows = recording.rows("fits", "start_ns + duration_ns AS end_ns", f"fit = {recording.fit}")
        return int(rows["end_ns"][0].as_py())
