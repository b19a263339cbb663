"""The steps of a fit in order: in which turn each is, and which others are near it.

A fit has too many steps to hold or to visit them all. So a step is an index, and its visit is that of its kind of turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .recorded_flow import RecordedFlow
from .span_blocks import SpanBlocks
from .turn_runs import TurnRuns
from .walk import Visit

Search = Callable[[int, bool], int | None]
"""Finds the nearest step of some sort after an index, or before it if the second argument is True."""

VisitOffsets = Mapping[int, Sequence[int]]
"""By the number of a kind of turns: the offsets of some of its visits."""

_MATCHES_NO_DEPTH = 1 << 30


class StepLocation(NamedTuple):
    """Where a step is."""

    run: int
    "The run of turns that it is in."
    turn: int
    "The number of its turn in the run, from 0."
    offset: int
    "Which of the turn's visits it is, from 0."
    visit: Visit
    "That visit."


class Timeline:
    """The steps of one recorded fit.

    - `recording`: what was recorded of the fit.
    - `runs`: its turns.
    - `spans`: its spans.
    """

    def __init__(self, recording: RecordedFlow) -> None:
        self.recording = recording
        self.runs = TurnRuns.of(recording)
        self.spans = SpanBlocks(recording)
        self._smallest_depth = np.array(
            [min((visit.depth for visit in kind.visits), default=_MATCHES_NO_DEPTH) for kind in self.runs.kinds]
        )

    def __len__(self) -> int:
        return int(self.runs.first_step[-1])

    def locate(self, index: int) -> StepLocation:
        """Where the step of that index is."""
        run = int(np.searchsorted(self.runs.first_step, index, "right")) - 1
        visits = self.runs.kind_of(run).visits
        turn, offset = divmod(index - int(self.runs.first_step[run]), len(visits))
        return StepLocation(run, turn, offset, visits[offset])

    def visit(self, index: int) -> Visit:
        """The visit of the step of that index."""
        return self.locate(index).visit

    def index_of(self, run: int, turn: int, offset: int) -> int:
        """The index of the step at an offset in a turn."""
        return int(self.runs.first_step[run]) + turn * len(self.runs.kind_of(run).visits) + offset

    def span_of(self, location: StepLocation) -> int | None:
        """The number of the innermost span that a step is in; None if that is not known."""
        span = location.visit.span
        return None if span is None else self.runs.span_number(location.run, location.turn, span)

    def first_step_in(self, span: int) -> int | None:
        """The index of the first step in the span of that number; None if it has none."""
        run = int(np.searchsorted(self.runs.first_span, span, "right")) - 1
        while 0 <= run < len(self.runs):
            kind = self.runs.kind_of(run)
            turns_before = (span - int(self.runs.first_span[run])) // max(kind.span_count, 1)
            turn = min(turns_before, self.runs.turn_count(run) - 1)
            in_turn = span - self.runs.first_span_of(run, turn)
            for offset, visit in enumerate(kind.visits):
                if visit.span is not None and visit.span >= in_turn and in_turn < kind.span_count:
                    return self.index_of(run, turn, offset)
            # A run whose turns open no span begins with the same span number as the run after it.
            run += 1
            if run < len(self.runs) and self.runs.first_span[run] > span:
                return None
        return None

    def after(self, index: int, depth: int) -> int | None:
        """The first step after `index` that is in no more than `depth` calls."""
        return self._nearest(index, lambda visit: visit.depth <= depth, self._smallest_depth <= depth, False)

    def before(self, index: int, depth: int) -> int | None:
        """The last step before `index` that is in no more than `depth` calls."""
        return self._nearest(index, lambda visit: visit.depth <= depth, self._smallest_depth <= depth, True)

    def matching(self, matches: Callable[[Visit, int], bool]) -> VisitOffsets:
        """The visits that match, by their kind of turns.

        All turns of a kind have the same answer. So `matches` is called once for each visit of a kind, with the index
        of the first step that it stands for.
        """
        found = {}
        for number, kind in enumerate(self.runs.kinds):
            first = int(self.runs.first_step[int(np.argmax(self.runs.kind == number))])
            found[number] = [offset for offset, visit in enumerate(kind.visits) if matches(visit, first + offset)]
        return found

    def search(self, offsets: VisitOffsets) -> Search:
        """A search for steps whose visits are at `offsets` of their kinds of turns."""
        chosen = {id(self.runs.kinds[number].visits[offset]) for number in offsets for offset in offsets[number]}
        kinds = np.array([bool(offsets[number]) for number in range(len(self.runs.kinds))], bool)
        return lambda index, backwards: self._nearest(index, lambda visit: id(visit) in chosen, kinds, backwards)

    def _nearest(self, index: int, matches: Callable[[Visit], bool], kinds: Any, backwards: bool) -> int | None:
        """The nearest step after `index`, or before it, whose visit matches.

        `kinds` says for each kind of turns whether any of its visits match. So this looks at two turns at most: the
        step's own, and then the next one of its run or, if that kind has no match, the nearest one that has.
        """
        run, turn, offset, _ = self.locate(index)
        visits = self.runs.kind_of(run).visits
        found = _nearest_offset(visits, matches, offset, backwards)
        if found is not None:
            return self.index_of(run, turn, found)
        turns_left = turn if backwards else self.runs.turn_count(run) - turn - 1
        if turns_left and kinds[self.runs.kind[run]]:
            turn += -1 if backwards else 1
        else:
            with_match = np.flatnonzero(kinds[self.runs.kind])
            next_one = int(np.searchsorted(with_match, run, "left" if backwards else "right")) - backwards
            if not 0 <= next_one < len(with_match):
                return None
            run = int(with_match[next_one])
            turn = self.runs.turn_count(run) - 1 if backwards else 0
            visits = self.runs.kind_of(run).visits
        found = _nearest_offset(visits, matches, len(visits) if backwards else -1, backwards)
        return None if found is None else self.index_of(run, turn, found)


def _nearest_offset(
    visits: Sequence[Visit], matches: Callable[[Visit], bool], offset: int, backwards: bool
) -> int | None:
    offsets = range(offset - 1, -1, -1) if backwards else range(offset + 1, len(visits))
    return next((near for near in offsets if matches(visits[near])), None)
