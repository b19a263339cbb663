"""Lines: how often each statement of the engine ran in a fit, and how long it took.

Turns that are alike are summed together, so that a fit of a million batches takes a few passes over its spans.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .cursor import Replay
from .recorded_flow import Ints
from .statement_visits import Place, counts_of
from .turn_runs import Kind
from .walk import Moment, Visit

SPANS = 1 << 23
"""Numbers of spans whose times are read at once."""


@dataclass
class _Sums:
    """What is known of a statement so far: `visits`, the time `spent` where a clock was read, over how many
    statements that `together` is."""

    visits: int = 0
    spent: int | None = None
    together: int = 0

    def add(self, spent: int, together: int) -> None:
        self.spent = spent + (self.spent or 0)
        self.together = max(self.together, together)


def lines_of(replay: Replay) -> pd.DataFrame:
    """A row for each statement of each function that ran in the fit, in the order of the source.

    `visits` counts how often it ran. `duration_ns` is the time from its beginning to that of the next statement in its
    function, calls included; where no clock was read between them, it stands with the first of the `together`
    statements that share it, and is missing for the others.
    """
    sums: dict[Place, _Sums] = defaultdict(_Sums)
    for place, count in counts_of(replay).items():
        sums[place].visits = count.visits
    for visit, spent, together in _TurnArrays(replay).times():
        if visit.function is not None and visit.node is not None:
            sums[visit.function, visit.node].add(spent, together)
    return _frame(replay, sums)


class _TurnArrays:
    """The turns of a fit one by one, as arrays: kind, first span, stretch, and number in the stretch."""

    def __init__(self, replay: Replay) -> None:
        stretches = replay.stretches
        counts = np.array([kind.count for kind in stretches.kinds], np.int64)
        self._replay = replay
        self.kinds = stretches.kinds
        self._stretch = np.repeat(np.arange(len(stretches)), stretches.turns)
        self._turn = np.arange(len(self._stretch)) - np.repeat(
            np.cumsum(stretches.turns) - stretches.turns, stretches.turns
        )
        self.kind = stretches.kind[self._stretch]
        self._span = stretches.span[self._stretch] + self._turn * counts[self.kind]

    def times(self) -> Iterator[tuple[Visit, int, int]]:
        """For each visit with a clock the time until the next, summed over turns that are alike, and how many
        statements share it."""
        for begin, end in self._chunks():
            times = _Times(self._replay, int(self._span[begin : end + 1].min()), int(self._span[begin : end + 1].max()))
            following = np.append(self.kind[begin + 1 : end + 1], -1)[: end - begin]
            pairs = np.stack([self.kind[begin:end], following])
            for kind, after in np.unique(pairs, axis=1).T.tolist():
                which = begin + np.flatnonzero((pairs[0] == kind) & (pairs[1] == after))
                yield from self._alike(which, self.kinds[kind], self.kinds[after] if after >= 0 else None, times)

    def _chunks(self) -> Iterator[tuple[int, int]]:
        begin = 0
        while begin < len(self.kind):
            end = int(np.searchsorted(self._span, self._span[begin] + SPANS, "right"))
            yield begin, max(end, begin + 1)
            begin = max(end, begin + 1)

    def _alike(self, which: Ints, kind: Kind, after: Kind | None, times: _Times) -> Iterator[tuple[Visit, int, int]]:
        for place, visit in enumerate(kind.visits):
            if visit.clock is None:
                continue
            start = self._moments(which, visit.clock, kind, times)
            ends, together = _next_clock(kind.visits[place + 1 :], visit.depth)
            if ends is not None:
                end = self._moments(which, ends, kind, times)
            else:
                ends, more = _next_clock(after.visits, visit.depth) if after is not None else (None, 0)
                together += more
                if ends is not None and after is not None:
                    end = self._moments(which + 1, ends, after, times)
                else:
                    yield from self._far(which, place, visit)
                    continue
            known = (start >= 0) & (end >= 0)
            if np.any(known):
                yield visit, int((end - start)[known].sum()), together + 1

    def _far(self, which: Ints, place: int, visit: Visit) -> Iterator[tuple[Visit, int, int]]:
        """A statement that goes on through whole turns: one by one."""
        for one in which.tolist():
            index = self._replay.number_of(int(self._stretch[one]), int(self._turn[one]), place)
            spent, together = self._replay.elapsed(index)
            if spent is not None:
                yield visit, spent, together

    def _moments(self, which: Ints, moment: Moment, kind: Kind, times: _Times) -> Ints:
        """A moment of each of some turns of one kind, -1 where it is not known."""
        if moment.what == "before":
            return self._last_moments(which - 1, times)
        if moment.what == "line":
            one_by_one = [self._replay.moment(int(self._stretch[one]), int(self._turn[one]), moment) for one in which]
            return np.array([-1 if one is None else one for one in one_by_one], np.int64)
        numbers = self._span[which] + moment.of
        if moment.of < 0:
            repeated = (self._turn[which] > 0) & (-moment.of <= len(kind.opened))
            if np.any(repeated):
                numbers[repeated] = self._span[which[repeated] - 1] + kind.opened[moment.of]
            for place in np.flatnonzero(~repeated).tolist():
                one = which[place]
                number = self._replay.stretches.number(int(self._stretch[one]), int(self._turn[one]), moment.of)
                numbers[place] = -1 if number is None else number
        return times.of(moment.what, numbers)

    def _last_moments(self, which: Ints, times: _Times) -> Ints:
        """The last moment of each of some turns."""
        found = np.full(len(which), -1, np.int64)
        for number in np.unique(self.kind[which]).tolist():
            last = self.kinds[number].last
            if last is not None:
                here = self.kind[which] == number
                found[here] = self._moments(which[here], last, self.kinds[number], times)
        return found


class _Times:
    """The beginnings and ends of the spans from number `first` to `last` and a little beyond, and of any other."""

    def __init__(self, replay: Replay, first: int, last: int) -> None:
        most = max((kind.count for kind in replay.stretches.kinds), default=0)
        bounds = f"span >= {first - 1} AND span <= {last + most}"
        rows = replay.recording.rows("spans", "span, start_ns, duration_ns", bounds).sort_by("span")
        self._replay = replay
        self._number, start = rows["span"].to_numpy(), rows["start_ns"].to_numpy()
        self._times = {"start": start, "end": start + rows["duration_ns"].to_numpy()}

    def of(self, what: str, numbers: Ints) -> Ints:
        """The `start` or `end` of the spans of these numbers, -1 where it is not known."""
        place = np.searchsorted(self._number, numbers, "right") - 1
        found = np.full(len(numbers), -1, np.int64)
        # A fetch that found no more data is one span with the turn that did not come to be.
        inside = (place >= 0) & (numbers - self._number[np.maximum(place, 0)] <= 1) if len(self._number) else place >= 0
        found[inside] = self._times[what][place[inside]]
        for one in np.flatnonzero(~inside & (numbers >= 0)).tolist():
            spans = self._replay.spans
            moment = spans.start(int(numbers[one])) if what == "start" else spans.end(int(numbers[one]))
            found[one] = -1 if moment is None else moment
        return found


def _next_clock(visits: object, depth: int) -> tuple[Moment | None, int]:
    """The first clock among visits no deeper than `depth`, and how many of that depth come before it without one."""
    together = 0
    for visit in visits:  # type: ignore[attr-defined]
        if visit.depth <= depth:
            if visit.clock is not None:
                return visit.clock, together
            together += visit.depth == depth
    return None, together


def _frame(replay: Replay, sums: dict[Place, _Sums]) -> pd.DataFrame:
    rows = []
    ran = {function for function, _ in sums}
    for number, graph in enumerate(replay.recording.program.graphs):
        if number not in ran:
            continue
        text = replay.recording.sources.get(graph.file, ())
        by_line: dict[tuple[int, int], _Sums] = {}
        for place, node in enumerate(graph.nodes):
            if node.line:
                total = by_line.setdefault((node.line, node.end_line), _Sums())
                one = sums.get((number, place), _Sums())
                total.visits += one.visits
                if one.spent is not None:
                    total.add(one.spent, one.together)
        for (line, end_line), total in sorted(by_line.items()):
            source = "\n".join(text[line - 1 : end_line])
            rows.append((graph.file, graph.name, line, end_line, source, total.visits, total.spent, total.together))
    columns = ["file", "function", "line", "end_line", "source", "visits", "duration_ns", "together"]
    frame: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    result: pd.DataFrame = frame.astype({"visits": "int64", "duration_ns": "Int64", "together": "int64"})
    return result
