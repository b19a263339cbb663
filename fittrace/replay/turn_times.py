"""The durations of all visits of a fit, summed over turns of the same kind.

The spans of many turns are read at once, as arrays. So a fit of a million batches takes a few passes over its spans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from .recorded_flow import Ints
from .step_times import StepTimes
from .timeline import Timeline
from .turn_runs import TurnKind
from .walk import Moment, Visit

SPANS = 1 << 23
"""How many span numbers are read at once."""


class VisitTime(NamedTuple):
    """The time of one visit in several turns of its kind."""

    visit: Visit
    duration_ns: int
    "The sum of the times until the next clock that was read no deeper in calls."
    together: int
    "How many statements share that time: the visited one, and those after it without a clock."


class TurnTimes:
    """The turns of a timeline, one by one, as arrays with an item for each turn."""

    def __init__(self, timeline: Timeline) -> None:
        runs = timeline.runs
        span_counts = np.array([kind.span_count for kind in runs.kinds], np.int64)
        self._timeline = timeline
        self._step_times = StepTimes(timeline)
        self._kinds = runs.kinds
        # The run of each turn, its number in the run, the number of its kind, and that of its first span.
        self._run = np.repeat(np.arange(len(runs)), runs.turns)
        self._turn = np.arange(len(self._run)) - np.repeat(np.cumsum(runs.turns) - runs.turns, runs.turns)
        self._kind = runs.kind[self._run]
        self._first_span = runs.first_span[self._run] + self._turn * span_counts[self._kind]

    def durations(self) -> Iterator[VisitTime]:
        """The times of each visit that has a clock. A visit may come several times."""
        for begin, end in self._chunks():
            numbers = self._first_span[begin : end + 1]
            times = _SpanTimes(self._timeline, int(numbers.min()), int(numbers.max()))
            following = np.append(self._kind[begin + 1 : end + 1], -1)[: end - begin]
            pairs = np.stack([self._kind[begin:end], following])
            # A visit may last into the turn after it. So turns are alike if their kinds and those after them are.
            for kind, after in np.unique(pairs, axis=1).T.tolist():
                turns = begin + np.flatnonzero((pairs[0] == kind) & (pairs[1] == after))
                yield from self._alike(turns, self._kinds[kind], self._kinds[after] if after >= 0 else None, times)

    def _chunks(self) -> Iterator[tuple[int, int]]:
        """The first turn, and that after the last, of each group of turns whose spans are read at once."""
        begin = 0
        while begin < len(self._kind):
            end = int(np.searchsorted(self._first_span, self._first_span[begin] + SPANS, "right"))
            yield begin, max(end, begin + 1)
            begin = max(end, begin + 1)

    def _alike(self, turns: Ints, kind: TurnKind, after: TurnKind | None, times: _SpanTimes) -> Iterator[VisitTime]:
        """The times of all visits in turns of a `kind` with a turn of the kind `after` behind them."""
        for offset, visit in enumerate(kind.visits):
            if visit.clock is None:
                continue
            start = self._moments(turns, visit.clock, kind, times)
            clock, without_clock = _next_clock(kind.visits[offset + 1 :], visit.depth)
            if clock is not None:
                end = self._moments(turns, clock, kind, times)
            else:
                clock, more = _next_clock(after.visits, visit.depth) if after is not None else (None, 0)
                without_clock += more
                if clock is None or after is None:
                    yield from self._one_by_one(turns, offset, visit)
                    continue
                end = self._moments(turns + 1, clock, after, times)
            known = (start >= 0) & (end >= 0)
            if np.any(known):
                yield VisitTime(visit, int((end - start)[known].sum()), without_clock + 1)

    def _one_by_one(self, turns: Ints, offset: int, visit: Visit) -> Iterator[VisitTime]:
        """The times of a visit that lasts through whole turns."""
        for turn in turns.tolist():
            index = self._timeline.index_of(int(self._run[turn]), int(self._turn[turn]), offset)
            elapsed = self._step_times.elapsed(index)
            if elapsed.duration_ns is not None:
                yield VisitTime(visit, elapsed.duration_ns, elapsed.steps)

    def _moments(self, turns: Ints, moment: Moment, kind: TurnKind, times: _SpanTimes) -> Ints:
        """The Unix time of a moment in each of some turns of one kind; -1 if it is not known."""
        if moment.what == "before":
            return self._last_moments(turns - 1, times)
        if moment.what == "line":
            each = [self._step_times.moment(int(self._run[turn]), int(self._turn[turn]), moment) for turn in turns]
            return np.array([-1 if found is None else found for found in each], np.int64)
        numbers = self._first_span[turns] + moment.of
        if moment.of < 0:
            # The span was open before the turn. In a repeated turn it may be one that the turn before it has opened.
            repeated = (self._turn[turns] > 0) & (-moment.of <= len(kind.opened))
            if np.any(repeated):
                numbers[repeated] = self._first_span[turns[repeated] - 1] + kind.opened[moment.of]
            for index in np.flatnonzero(~repeated).tolist():
                turn = turns[index]
                number = self._timeline.runs.span_number(int(self._run[turn]), int(self._turn[turn]), moment.of)
                numbers[index] = -1 if number is None else number
        return times.of(moment.what, numbers)

    def _last_moments(self, turns: Ints, times: _SpanTimes) -> Ints:
        """The Unix time at which the statement after each of some turns begins; -1 if it is not known."""
        found = np.full(len(turns), -1, np.int64)
        for number in np.unique(self._kind[turns]).tolist():
            last = self._kinds[number].last
            if last is not None:
                of_kind = self._kind[turns] == number
                found[of_kind] = self._moments(turns[of_kind], last, self._kinds[number], times)
        return found


class _SpanTimes:
    """When spans began and ended. Those of turns whose first spans are `first` to `last` are read at once."""

    def __init__(self, timeline: Timeline, first: int, last: int) -> None:
        most = max((kind.span_count for kind in timeline.runs.kinds), default=0)
        bounds = f"span >= {first - 1} AND span <= {last + most}"
        rows = timeline.recording.rows("spans", "span, start_ns, duration_ns", bounds).sort_by("span")
        self._spans = timeline.spans
        self._number, start = rows["span"].to_numpy(), rows["start_ns"].to_numpy()
        self._times = {"start": start, "end": start + rows["duration_ns"].to_numpy()}

    def of(self, what: str, numbers: Ints) -> Ints:
        """The `start` or `end` of the spans of these numbers; -1 if it is not known."""
        row = np.searchsorted(self._number, numbers, "right") - 1
        found = np.full(len(numbers), -1, np.int64)
        # The same condition as in `span_blocks.Block.row`.
        was_read = (row >= 0) & (numbers - self._number[np.maximum(row, 0)] <= 1) if len(self._number) else row >= 0
        found[was_read] = self._times[what][row[was_read]]
        for index in np.flatnonzero(~was_read & (numbers >= 0)).tolist():
            number = int(numbers[index])
            moment = self._spans.start(number) if what == "start" else self._spans.end(number)
            found[index] = -1 if moment is None else moment
        return found


def _next_clock(visits: Sequence[Visit], depth: int) -> tuple[Moment | None, int]:
    """The first clock among visits no deeper than `depth`, and how many visits of that depth come before it."""
    without_clock = 0
    for visit in visits:
        if visit.depth <= depth:
            if visit.clock is not None:
                return visit.clock, without_clock
            without_clock += visit.depth == depth
    return None, without_clock
