"""Evaluates a condition on the place, such as `epoch == 3`, for thousands of turns at once.

Function, line, depth and phase are the same for all steps of one visit of a kind of turns. Stage, epoch and batch are
those of the span around the step. So this reads the spans of a window of steps, and evaluates the condition for all its
steps together. Windows begin at the current position and grow, so that a near match is found soon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .breakpoints import values_of
from .condition.parser import Condition
from .recorded_flow import Ints
from .step_reader import StepReader
from .timeline import VisitOffsets

_SMALLEST, _LARGEST = 1 << 10, 1 << 17
"""Steps in the first window, and in the largest."""

_OF_SPANS = frozenset({"stage", "epoch", "batch"})
"""The names in conditions that are facts of the span around a step."""


class _VisitSteps(NamedTuple):
    """The steps of one visit in several turns of a run."""

    steps: Ints
    "The indices of the steps."
    spans: Ints
    "The number of the span around each; negative if it is not known."
    kind: int
    "The number of the kind of turns."
    offset: int
    "The offset of the visit in the turns."


class _CommonValues(NamedTuple):
    """What all steps of one visit have in common."""

    values: Mapping[str, Any]
    "The values that the condition names, apart from those of the span."
    may_have_variables: bool
    "Whether variables may be recorded there. They may have any name, also one of those above."


class ConditionSearch:
    """Finds the steps at which `test` may hold, among the visits at `offsets` of their kinds of turns."""

    def __init__(self, reader: StepReader, test: Condition, offsets: VisitOffsets) -> None:
        self._reader = reader
        self._timeline = reader.timeline
        self._test = test
        self._offsets = offsets
        self._constant_names = test.names - _OF_SPANS
        self._span_names = test.names & _OF_SPANS
        self._constants: dict[tuple[int, int], _CommonValues] = {}
        self._window_size = _SMALLEST

    def candidates(self, position: int, backwards: bool) -> Iterator[int]:
        """The indices of such steps after `position`, or before it, the nearest first."""
        window: list[_VisitSteps] = []
        self._window_size, count = _SMALLEST, 0
        for group in self._groups(position, backwards):
            window += group
            count += sum(len(part.steps) for part in group)
            if count >= self._window_size:
                yield from self._matches(window, position, backwards)
                window, count = [], 0
                self._window_size = min(2 * self._window_size, _LARGEST)
        yield from self._matches(window, position, backwards)

    def _groups(self, position: int, backwards: bool) -> Iterator[list[_VisitSteps]]:
        """The steps of all visits in some turns around `position`, then in the turns after those, or before them."""
        runs = self._timeline.runs
        run, turn, *_ = self._timeline.locate(position)
        while 0 <= run < len(runs):
            number, turns = int(runs.kind[run]), runs.turn_count(run)
            visits, offsets = runs.kinds[number].visits, self._offsets.get(number, ())
            low, high = (0, turn + 1) if backwards else (turn, turns)
            while offsets and low < high:
                size = self._window_size // len(offsets) + 1
                begin, end = (max(high - size, low), high) if backwards else (low, min(low + size, high))
                chosen = np.arange(begin, end)
                first = int(runs.first_step[run]) + chosen * len(visits)
                yield [
                    _VisitSteps(first + offset, runs.span_numbers(run, chosen, visits[offset].span), number, offset)
                    for offset in offsets
                ]
                low, high = (low, begin) if backwards else (end, high)
            run += -1 if backwards else 1
            turn = runs.turn_count(run) - 1 if backwards and run >= 0 else 0

    def _matches(self, window: Sequence[_VisitSteps], position: int, backwards: bool) -> Iterator[int]:
        """The candidates among the steps of a window, the nearest first."""
        if not window:
            return
        index = np.concatenate([part.steps for part in window])
        columns = self._span_columns(np.concatenate([part.spans for part in window])) if self._span_names else {}
        lengths = [len(part.steps) for part in window]
        constants = [self._constants_of(part) for part in window]
        for name in self._constant_names:
            # pandas makes these floats if all are numbers, as it does for columns of tables.
            of_parts = pd.Series([constant.values.get(name) for constant in constants]).to_numpy()
            columns[name] = np.repeat(of_parts, lengths)
        frame = pd.DataFrame(columns, index=range(len(index)))
        uncertain = np.repeat([constant.may_have_variables for constant in constants], lengths)
        may_hold = self._test.holds_in(frame) | uncertain
        found = np.sort(index[may_hold & (index < position if backwards else index > position)])
        yield from (found[::-1] if backwards else found).tolist()

    def _constants_of(self, part: _VisitSteps) -> _CommonValues:
        key = part.kind, part.offset
        if key not in self._constants:
            visit = self._timeline.runs.kinds[part.kind].visits[part.offset]
            values = values_of(self._reader.step(int(part.steps[0]))) if self._constant_names else {}
            self._constants[key] = _CommonValues(values, self._reader.values.may_have_variables(visit))
        return self._constants[key]

    def _span_columns(self, numbers: Ints) -> dict[str, Any]:
        """The facts that the condition names of each of the spans with these numbers."""
        unique, row = np.unique(numbers, return_inverse=True)
        # A few spans were opened long before the others. They are read one by one, and the others as one range.
        far = int(np.searchsorted(unique, unique[-1] - 4 * _LARGEST))
        spans = self._timeline.spans
        facts_of_far = [spans.facts(number) if number >= 0 else {} for number in unique[:far].tolist()]
        columns = {}
        for name, near in spans.columns(self._span_names, unique[far:]).items():
            first = np.array([facts.get(name, np.nan) for facts in facts_of_far], near.dtype)
            columns[name] = np.concatenate([first, near])[row]
        return columns
