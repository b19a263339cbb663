"""The turns of a fit, run-length encoded: a run is several turns of the same kind, one after the other.

What a turn visits depends only on its path and on the state of the walk before it. So a fit of a million batches has
few kinds of turns, and this module walks each kind once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .recorded_flow import Ints, RecordedFlow, Turns
from .walk import Moment, RecordedProgram, State, Visit, Walk

_UNKNOWN = Visit(None, None, 0, None, None, None, None, 0)


@dataclass(frozen=True)
class TurnKind:
    """What all turns of one kind have in common."""

    visits: Sequence[Visit]
    "The visits to statements in such a turn, in order."
    span_count: int
    "How many spans the turn opens."
    kept: int
    "How many of the spans that were open before the turn are still open after it."
    opened: tuple[int, ...]
    "Which of the spans that the turn opens are still open after it, counted from the turn's first."
    last: Moment | None
    "The moment at which the statement after the turn begins; None if no clock was read then."


@dataclass(frozen=True)
class TurnRuns:
    """The runs of a fit's turns, in order. Each sequence but `kinds` has one item for each run."""

    kinds: Sequence[TurnKind]
    "All kinds of turns, by their number."
    kind: Ints
    "The number of the kind of the run's turns."
    turns: Ints
    "How many turns the run has."
    first_span: Ints
    "The number of the first span of the run's first turn."
    first_step: Ints
    "The index of the run's first step. One more item at the end is the number of all steps."
    row: Ints
    "The row of the recording that the run comes from."
    open_spans: Sequence[tuple[int, ...]]
    "The numbers of the spans that are open before the run, outermost first."

    @classmethod
    def of(cls, recording: RecordedFlow) -> TurnRuns:
        """The runs of a recording."""
        builder = _Builder(recording.program, recording.paths)
        builder.add_rows(recording.turns)
        steps = np.array([len(kind.visits) for kind in builder.kinds], np.int64)
        kind, turns = np.array(builder.kind, np.int64), np.array(builder.turns, np.int64)
        lengths = steps[kind] * turns if len(kind) else turns
        return cls(
            kinds=builder.kinds,
            kind=kind,
            turns=turns,
            first_span=np.array(builder.first_span, np.int64),
            first_step=np.append(0, np.cumsum(lengths)),
            row=np.array(builder.row),
            open_spans=builder.open_spans,
        )

    def __len__(self) -> int:
        return len(self.kind)

    def kind_of(self, run: int) -> TurnKind:
        """The kind of a run's turns."""
        return self.kinds[int(self.kind[run])]

    def turn_count(self, run: int) -> int:
        """How many turns a run has."""
        return int(self.turns[run])

    def first_span_of(self, run: int, turn: int) -> int:
        """The number of the first span of a turn."""
        return int(self.first_span[run]) + turn * self.kind_of(run).span_count

    def span_number(self, run: int, turn: int, span: int) -> int | None:
        """The number of a span that a visit of a turn names.

        Visits count the spans that their turn opens from 0, and those that were open before it from -1, the innermost.
        None if the span was opened in records that are missing.
        """
        if span >= 0:
            return self.first_span_of(run, turn) + span
        kind = self.kind_of(run)
        if turn and -span <= len(kind.opened):
            return self.first_span_of(run, turn - 1) + kind.opened[span]
        # From the run's second turn on, the innermost spans are those that the turn before it has left open.
        before = self.open_spans[run][: kind.kept] if turn else self.open_spans[run]
        index = len(before) + span + (len(kind.opened) if turn else 0)
        return before[index] if index >= 0 else None

    def span_numbers(self, run: int, turns: Ints, span: int | None) -> Ints:
        """`span_number` for several turns of a run. The number is negative if it is not known, or if `span` is None."""
        if span is None or not len(turns):
            return np.full(len(turns), -2)
        numbers = [self.span_number(run, turn, span) for turn in (0, 1, 2)]
        # Some turns name a span whose records are missing. So the numbers follow no rule.
        if any(number is None for number in numbers):
            each = [self.span_number(run, turn, span) for turn in turns.tolist()]
            return np.array([-2 if number is None else number for number in each])
        # From the second turn on the number grows by the same amount with each turn, or stays the same.
        first, second, third = (int(number) for number in numbers if number is not None)
        return np.where(turns == 0, first, second + (turns - 1) * (third - second))


class _Builder:
    """Makes the runs, row by row, and walks each kind of turn once. A kind is a state and a path from it."""

    def __init__(self, program: RecordedProgram, paths: Sequence[Sequence[int]]) -> None:
        self._program = program
        self._paths = paths
        self._known: dict[tuple[int, int], tuple[int, int]] = {}
        "By the number of a state and a path: the number of the kind, and that of the state after it."
        self._state_numbers: dict[State, int] = {}
        self._states: list[State] = []
        self.kinds: list[TurnKind] = []
        self.kind: list[int] = []
        self.turns: list[int] = []
        self.first_span: list[int] = []
        self.row: list[int] = []
        self.open_spans: list[tuple[int, ...]] = []

    def add_rows(self, turns: Turns) -> None:
        """Add the runs of all rows."""
        state, open_spans = self._number_of(State()), ()
        rows = zip(turns.span.tolist(), turns.count.tolist(), turns.path.tolist(), strict=True)
        for row, (span, count, path) in enumerate(rows):
            while count:
                number, after = self._kind(state, path)
                kind = self.kinds[number]
                # If the turn changes the state, the next turn of the row is of another kind.
                repeated = count if after == state else 1
                self.kind.append(number)
                self.turns.append(repeated)
                self.first_span.append(span)
                self.row.append(row)
                self.open_spans.append(open_spans)
                # What the last of the repeated turns leaves open is open before the next run.
                last = span + (repeated - 1) * kind.span_count
                open_spans = (*open_spans[: kind.kept], *(last + opened for opened in kind.opened))
                span, count, state = last + kind.span_count, count - repeated, after

    def _number_of(self, state: State) -> int:
        number = self._state_numbers.setdefault(state, len(self._state_numbers))
        if number == len(self._states):
            self._states.append(state)
        return number

    def _kind(self, state: int, path: int) -> tuple[int, int]:
        """The number of the kind of a turn that takes `path` from `state`, and that of the state after it."""
        if (state, path) not in self._known:
            # The recording is damaged: it names a path that it does not have. So nothing is known from there on.
            if not 0 <= path < len(self._paths):
                kind, after = TurnKind([_UNKNOWN], 0, 0, (), None), State()
            else:
                walk = Walk(self._program, self._states[state])
                walk.records(self._paths[path])
                kind, after = TurnKind(walk.visits, walk.count, walk.kept, walk.opened, walk.last), walk.state
            self._known[state, path] = len(self.kinds), self._number_of(after)
            self.kinds.append(kind)
        return self._known[state, path]
