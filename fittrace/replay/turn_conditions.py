"""Windows: a condition on the place, such as `epoch == 3`, asked of thousands of turns at once.

Function, line, depth and phase of a step are the same in all turns of its kind. Stage, epoch and batch are those of the
span that it is in; so they are read for all spans of a window, and the condition is asked of all its steps at once.
Windows begin where the cursor is and grow, so that what is near is found soon.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from .breakpoints import values_of
from .condition.parser import Condition
from .recorded_flow import Ints

if TYPE_CHECKING:
    from .cursor import Replay

_SMALLEST, _LARGEST = 1 << 10, 1 << 17
"""Steps in the first window, and in the largest."""
_OF_SPANS = frozenset({"stage", "epoch", "batch"})

Places = Mapping[int, Sequence[int]]
"""By the number of a kind of turns: the places of those of its visits that come into question."""


class Piece(NamedTuple):
    """The `steps` of one visit, the one at `place` of turns of a `kind`, in some turns, and the `spans` they are in."""

    steps: Ints
    spans: Ints
    kind: int
    place: int


class Windows:
    """Looks for the steps of `replay` at which `test` may hold, among the visits at `places`."""

    def __init__(self, replay: Replay, test: Condition, places: Places) -> None:
        self._replay = replay
        self._test = test
        self._places = places
        self._constants = test.names - _OF_SPANS
        self._varying = test.names & _OF_SPANS
        self._samples: dict[tuple[int, int], Mapping[str, Any]] = {}
        self._size = _SMALLEST

    def candidates(self, backwards: bool) -> Iterator[int]:
        """The indices of such steps after the current one, or before it, the nearest first."""
        window: list[Piece] = []
        self._size, steps = _SMALLEST, 0
        for pieces in self._turns(backwards):
            window += pieces
            steps += sum(len(piece.steps) for piece in pieces)
            if steps >= self._size:
                yield from self._of(window, backwards)
                window, steps = [], 0
                self._size = min(2 * self._size, _LARGEST)
        yield from self._of(window, backwards)

    def _turns(self, backwards: bool) -> Iterator[list[Piece]]:
        """A piece for each visit, of some turns and then of the next, or of those before."""
        stretches, position = self._replay.stretches, self._replay.position
        at, turn, _ = self._replay.visit(position)
        while 0 <= at < len(stretches):
            number = int(stretches.kind[at])
            kind, turns, places = stretches.kinds[number], int(stretches.turns[at]), self._places.get(number, ())
            low, high = (0, turn + 1) if backwards else (turn, turns)
            while places and low < high:
                some = self._size // len(places) + 1
                begin, end = (max(high - some, low), high) if backwards else (low, min(low + some, high))
                chosen = np.arange(begin, end)
                first = int(stretches.first[at]) + chosen * len(kind.visits)
                yield [
                    Piece(first + place, stretches.numbers(at, chosen, kind.visits[place].span), number, place)
                    for place in places
                ]
                low, high = (low, begin) if backwards else (end, high)
            at += -1 if backwards else 1
            turn = int(stretches.turns[at]) - 1 if backwards and at >= 0 else 0

    def _of(self, window: Sequence[Piece], backwards: bool) -> Iterator[int]:
        """The candidates among the steps of a window."""
        if not window:
            return
        index = np.concatenate([piece.steps for piece in window])
        columns = self._facts(np.concatenate([piece.spans for piece in window])) if self._varying else {}
        lengths = [len(piece.steps) for piece in window]
        samples = [self._sample(piece) for piece in window]
        for name in self._constants:
            # As pandas would have it: floats where all are numbers.
            columns[name] = np.repeat(pd.Series([sample.get(name) for sample in samples]).to_numpy(), lengths)
        # A variable that was recorded there may have any of these names.
        frame = pd.DataFrame(columns, index=range(len(index)))
        holds = self._test.over(frame) | np.repeat([sample["told"] for sample in samples], lengths)
        position = self._replay.position
        found = np.sort(index[holds & (index < position if backwards else index > position)])
        yield from (found[::-1] if backwards else found).tolist()

    def _sample(self, piece: Piece) -> Mapping[str, Any]:
        """What all steps of a visit have in common, from one of them; `told`: variables may be recorded there."""
        key = piece.kind, piece.place
        if key not in self._samples:
            visit = self._replay.stretches.kinds[piece.kind].visits[piece.place]
            constants = values_of(self._replay[int(piece.steps[0])]) if self._constants else {}
            self._samples[key] = {**constants, "told": self._replay.values.may_tell(visit)}
        return self._samples[key]

    def _facts(self, numbers: Ints) -> dict[str, Any]:
        """What the condition names of stage, epoch and batch, of each of the spans with these numbers."""
        known, place = np.unique(numbers, return_inverse=True)
        # Spans that were open long before are few, and far from the others.
        far = int(np.searchsorted(known, known[-1] - 4 * _LARGEST))
        before = [self._replay.spans.facts(number) if number >= 0 else {} for number in known[:far].tolist()]
        near = self._replay.spans.places(self._varying, known[far:])
        found = {}
        for name, column in near.items():
            first = np.array([facts.get(name, np.nan) for facts in before], column.dtype)
            found[name] = np.concatenate([first, column])[place]
        return found
