"""Stretches: the turns of a fit, those alike taken together.

A turn's steps depend on its path and on the state before it alone. So a fit of a million batches has a handful of
kinds of turns, each of which is walked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .recorded_flow import Ints, Recording, Turns
from .walk import Moment, RecordedProgram, State, Visit, Walk

_NOTHING_KNOWN = Visit(None, None, 0, None, None, None, None, 0)


@dataclass(frozen=True)
class Kind:
    """One kind of turn: what is visited in it; how many spans it opens; how many of those that were open before it
    are open after it (`kept`), and which of its own (`opened`). `last` is the moment at which the statement after it
    begins."""

    visits: Sequence[Visit]
    count: int
    kept: int
    opened: tuple[int, ...]
    last: Moment | None


@dataclass(frozen=True)
class TurnRuns:
    """Turns of one kind in a row: for each stretch its `kind`, the number of `turns`, the first span of the first, the
    index of its first step (`first`, one more at the end), the row of the recording, and the spans that are `open`
    before it, outermost first."""

    kinds: Sequence[Kind]
    kind: Ints
    turns: Ints
    span: Ints
    first: Ints
    row: Ints
    open: Sequence[tuple[int, ...]]

    @classmethod
    def of(cls, recording: Recording) -> TurnRuns:
        """Those of a recording."""
        maker = _Maker(recording.program, recording.paths)
        maker.all(recording.turns)
        steps = np.array([len(kind.visits) for kind in maker.kinds], np.int64)
        kind, turns = np.array(maker.kind, np.int64), np.array(maker.turns, np.int64)
        lengths = steps[kind] * turns if len(kind) else turns
        first = np.append(0, np.cumsum(lengths))
        return cls(maker.kinds, kind, turns, np.array(maker.span, np.int64), first, np.array(maker.row), maker.open)

    def __len__(self) -> int:
        return len(self.kind)

    def span_of(self, stretch: int, turn: int) -> int:
        """The number of the first span of a turn."""
        return int(self.span[stretch]) + turn * self.kinds[int(self.kind[stretch])].count

    def number(self, stretch: int, turn: int, span: int) -> int | None:
        """The number of a span that the visits of a kind name: one that the turn opened, or one from before.

        None for one from before records that are missing.
        """
        if span >= 0:
            return self.span_of(stretch, turn) + span
        kind = self.kinds[int(self.kind[stretch])]
        if turn and -span <= len(kind.opened):
            return self.span_of(stretch, turn - 1) + kind.opened[span]
        before = self.open[stretch][: kind.kept] if turn else self.open[stretch]
        place = len(before) + span + (len(kind.opened) if turn else 0)
        return before[place] if place >= 0 else None

    def numbers(self, stretch: int, turns: Ints, span: int | None) -> Ints:
        """The same for several turns; negative where `number` is None, or no span is named."""
        if span is None or not len(turns):
            return np.full(len(turns), -2)
        # From the second turn on each is that of the turn before and what a turn opens, or stays the same.
        numbers = [self.number(stretch, turn, span) for turn in (0, 1, 2)]
        if any(number is None for number in numbers):
            return np.array([_or(self.number(stretch, int(turn), span), -2) for turn in turns])
        first, second, third = (int(number) for number in numbers if number is not None)
        return np.where(turns == 0, first, second + (turns - 1) * (third - second))


def _or(number: int | None, otherwise: int) -> int:
    return otherwise if number is None else number


class _Maker:
    """Walks rows in order, and each kind of turn once."""

    def __init__(self, program: RecordedProgram, paths: Sequence[Sequence[int]]) -> None:
        self._program = program
        self._paths = paths
        self._known: dict[tuple[int, int], tuple[int, int]] = {}
        self._states: dict[State, int] = {}
        self._by_number: list[State] = []
        self.kinds: list[Kind] = []
        self.kind: list[int] = []
        self.turns: list[int] = []
        self.span: list[int] = []
        self.row: list[int] = []
        self.open: list[tuple[int, ...]] = []

    def all(self, turns: Turns) -> None:
        """Make the stretches of all rows."""
        state, stack = self._state(State()), ()
        rows = zip(turns.span.tolist(), turns.count.tolist(), turns.path.tolist(), strict=True)
        for row, (span, count, path) in enumerate(rows):
            while count:
                kind, after = self._kind(state, path)
                made = self.kinds[kind]
                repeated = count if after == state else 1
                self.kind.append(kind)
                self.turns.append(repeated)
                self.span.append(span)
                self.row.append(row)
                self.open.append(stack)
                last = span + (repeated - 1) * made.count
                stack = (*stack[: made.kept], *(last + one for one in made.opened))
                span, count, state = last + made.count, count - repeated, after

    def _state(self, state: State) -> int:
        number = self._states.setdefault(state, len(self._states))
        if number == len(self._by_number):
            self._by_number.append(state)
        return number

    def _kind(self, state: int, path: int) -> tuple[int, int]:
        """The kind of a turn that takes `path` from `state`, and the state after it."""
        if (state, path) not in self._known:
            if not 0 <= path < len(self._paths):
                made, after = Kind([_NOTHING_KNOWN], 0, 0, (), None), self._state(State())
            else:
                walk = Walk(self._program, self._by_number[state])
                walk.records(self._paths[path])
                made, after = Kind(walk.visits, walk.count, walk.kept, walk.opened, walk.last), self._state(walk.state)
            self._known[state, path] = len(self.kinds), after
            self.kinds.append(made)
        return self._known[state, path]
