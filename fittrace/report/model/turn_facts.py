"""Stage, epoch, batch and hook of every span that the turns of a fit open, in a form that stays small.

Turns of one kind open the same spans, and the numbers of epoch and batch grow evenly from turn to turn. So the facts of
a turn are a pattern, relative to the turn's own epoch and batch; and runs of turns are those of one pattern whose
numbers grow evenly. A fit of a million batches has some ten patterns, and some ten runs in each epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...replay.recorded_flow import Ints, RecordedFlow
from ...replay.turn_runs import TurnRuns

SPANS = 1 << 20
"""How many span numbers are read at once: with their facts some 300 MB in all."""

NO_NUMBER = -(1 << 31)
"""Stands for an epoch or a batch that a span does not have."""

MISSING = 2
"""The shift of a span that the trace does not have."""

STAGES = ("train", "test", "predict")

Hook = tuple[str, int, str]
"""A callback, its position and its hook."""

_COLUMNS = f"""
    span, epoch, batch, coalesce(list_position({list(STAGES)}, stage), 0)::TINYINT - 1 AS stage,
    callback, position, hook
"""


@dataclass(frozen=True)
class Patterns:
    """The patterns of turns, one after the other. The arrays have an item for each span that a turn opens."""

    first: Ints
    "The first span of each pattern; one more at the end."
    stage: Ints
    "The stage, an index of `STAGES`; -1 for none."
    epoch: Ints
    "The epoch, less that of the turn; `NO_NUMBER` for none."
    batch: Ints
    "The batch, less that of the turn; `NO_NUMBER` for none."
    hook: Ints
    "The hook, an index of `TurnFacts.hooks`; -1 if it is none of a callback."
    begins_batch: Ints
    "1 if the span is a batch of the fit."
    shift: Ints
    "1 if the trace has the span under the number before it, `MISSING` if not at all, 0 in all other cases."


@dataclass(frozen=True)
class TurnFacts:
    """The facts of all turns. The arrays after `hooks` have an item for each run of turns."""

    patterns: Patterns
    hooks: list[Hook]
    run: Ints
    "The run of `TurnRuns` that this run is a part of."
    turns: Ints
    "How many turns it has."
    first_turn: Ints
    "The number of its first turn in the run of `TurnRuns`."
    pattern: Ints
    epoch: Ints
    "The epoch of the first turn."
    epoch_step: Ints
    "By how much the epoch grows from turn to turn."
    batch: Ints
    "The batch of the first turn."
    batch_step: Ints
    ordinal: Ints
    "How many batches of the fit begin before the first turn."


def turn_facts(recording: RecordedFlow, runs: TurnRuns) -> TurnFacts:
    """The facts of all turns of a fit."""
    reader = _Reader(recording, runs)
    columns = np.concatenate([np.empty((0, 4), np.int64), *reader.chunks()])
    pattern, epoch, batch, ordinal = columns.T
    first = _run_starts(reader.run, columns)
    turns = np.diff(np.append(first, len(columns)))
    following = np.where(turns > 1, first + 1, first)
    return TurnFacts(
        patterns=reader.patterns(),
        hooks=list(reader.hooks),
        run=reader.run[first],
        turns=turns,
        first_turn=reader.turn[first],
        pattern=pattern[first],
        epoch=epoch[first],
        epoch_step=epoch[following] - epoch[first],
        batch=batch[first],
        batch_step=batch[following] - batch[first],
        ordinal=ordinal[first],
    )


def _run_starts(run: Ints, columns: Ints) -> Ints:
    """The turns at which a run begins: another run of `TurnRuns`, another pattern, or numbers that grow otherwise."""
    if not len(run):
        return np.empty(0, np.int64)
    starts = np.ones(len(run), bool)
    starts[1:] = (run[1:] != run[:-1]) | (columns[1:, 0] != columns[:-1, 0])
    steps = np.diff(columns[:, 1:], axis=0)
    uneven = np.any(steps[1:] != steps[:-1], axis=1)
    # The step from one run to the next says nothing of how the numbers grow in either.
    starts[2:] |= uneven & ~starts[1:-1]
    return np.flatnonzero(starts)


@dataclass
class _Spans:
    """Some spans, in the order of their numbers."""

    number: Ints
    facts: tuple[Ints, ...]
    "Stage, epoch, batch, hook, and whether it begins a batch, as `Patterns` has them, but not relative to a turn."


@dataclass
class _Reader:
    """Reads the facts of turns, in chunks."""

    recording: RecordedFlow
    runs: TurnRuns
    hooks: dict[Hook, int] = field(default_factory=dict)
    "The number of each hook."
    known: dict[tuple[int, bytes], int] = field(default_factory=dict)
    "The number of each pattern, by the number of its spans and its bytes."

    def __post_init__(self) -> None:
        runs = self.runs
        self._span_count = np.array([kind.span_count for kind in runs.kinds], np.int64)
        # The run of each turn, its number in the run, the number of its kind, and that of its first span.
        self.run = np.repeat(np.arange(len(runs)), runs.turns)
        self.turn = np.arange(len(self.run)) - np.repeat(np.cumsum(runs.turns) - runs.turns, runs.turns)
        self._kind = runs.kind[self.run]
        self._first_span = runs.first_span[self.run] + self.turn * self._span_count[self._kind]
        batches = self.recording.rows("batches", "span", f"fit = {self.recording.fit}")
        self._batch_spans = np.sort(batches["span"].to_numpy())

    def chunks(self) -> Iterator[npt.NDArray[np.int64]]:
        """Pattern, epoch, batch and ordinal of each turn, a row for each."""
        begin = 0
        while begin < len(self.run):
            end = int(np.searchsorted(self._first_span, self._first_span[begin] + SPANS, "right"))
            end = max(end, begin + 1)
            spans = self._read(begin, end)
            found = np.zeros((end - begin, 4), np.int64)
            for kind in np.unique(self._kind[begin:end]).tolist():
                turns = np.flatnonzero(self._kind[begin:end] == kind)
                found[turns, :3] = self._alike(begin + turns, int(self._span_count[kind]), spans)
            found[:, 3] = np.searchsorted(self._batch_spans, self._first_span[begin:end])
            yield found
            begin = end

    def patterns(self) -> Patterns:
        """All patterns, by their number."""
        rows = [np.frombuffer(pattern, np.int64).reshape(6, count) for count, pattern in self.known]
        first = np.append(0, np.cumsum([row.shape[1] for row in rows], dtype=np.int64))
        return Patterns(first, *np.concatenate([np.empty((6, 0), np.int64), *rows], axis=1))

    def _read(self, begin: int, end: int) -> _Spans:
        """The spans of some turns."""
        first = self._first_span[begin:end]
        last = int((first + self._span_count[self._kind[begin:end]]).max())
        # The span before the first is read too: see `span_blocks.Block.row`.
        rows = self.recording.rows("spans", _COLUMNS, f"span >= {int(first.min()) - 1} AND span < {last}")
        number = rows["span"].to_numpy()
        order = np.argsort(number, kind="stable")
        number = number[order]
        begins_batch = np.zeros(len(number), np.int64)
        begins_batch[np.searchsorted(number, self._batch_spans[self._in_range(number)])] = 1
        columns = (rows["stage"].to_numpy(), _numbers(rows["epoch"]), _numbers(rows["batch"]), self._hooks_of(rows))
        return _Spans(number, (*(column[order] for column in columns), begins_batch))

    def _in_range(self, number: Ints) -> slice:
        """The batches whose spans are between the first and the last of some spans."""
        if not len(number):
            return slice(0)
        return slice(*np.searchsorted(self._batch_spans, [number[0], number[-1] + 1]).tolist())

    def _hooks_of(self, rows: pa.Table) -> Ints:
        """The number of each span's hook; -1 if it is none of a callback."""
        callback, callbacks = _encoded(rows["callback"])
        name, names = _encoded(rows["hook"])
        position = rows["position"].fill_null(0).to_numpy()
        found = np.full(rows.num_rows, -1, np.int64)
        # In a damaged trace a span may have a callback and no hook, and a position may be any number.
        of_callback = (callback >= 0) & (name >= 0)
        if not of_callback.any():
            return found
        positions, at = np.unique(position[of_callback], return_inverse=True)
        shape = len(callbacks), len(positions), len(names)
        codes, code_of = np.unique(
            np.ravel_multi_index((callback[of_callback], at, name[of_callback]), shape), return_inverse=True
        )
        numbers = np.empty(len(codes), np.int64)
        for index, code in enumerate(codes.tolist()):
            parts = [int(part) for part in np.unravel_index(code, shape)]
            hook = callbacks[parts[0]], int(positions[parts[1]]), names[parts[2]]
            numbers[index] = self.hooks.setdefault(hook, len(self.hooks))
        found[of_callback] = numbers[code_of]
        return found

    def _alike(self, turns: Ints, count: int, spans: _Spans) -> npt.NDArray[Any]:
        """Pattern, epoch and batch of turns of one kind, which open `count` spans each."""
        numbers = self._first_span[turns][:, None] + np.arange(count)
        row = np.searchsorted(spans.number, numbers, "right") - 1
        shift = numbers - spans.number[np.maximum(row, 0)] if len(spans.number) else np.full(numbers.shape, MISSING)
        missing = (row < 0) | (shift > 1)
        row[missing], shift[missing] = 0, MISSING
        absent_values = (-1, NO_NUMBER, NO_NUMBER, -1, 0)
        facts = []
        for values, absent in zip(spans.facts, absent_values, strict=True):
            column = values[row] if len(values) else np.full(row.shape, absent)
            column[missing] = absent
            facts.append(column)
        _, epoch, batch, _, begins_batch = facts
        begins_batch[shift != 0] = 0
        epochs, batches = _made_relative(epoch), _made_relative(batch)
        facts.append(shift)
        # Turns one after the other mostly have the same pattern. So only the first of them makes it.
        differs = np.zeros(max(len(turns) - 1, 0), bool)
        for column in facts:
            differs |= np.any(column[1:] != column[:-1], axis=1)
        starts = np.append(0, np.flatnonzero(differs) + 1)
        patterns = []
        for start in starts.tolist():
            made = np.stack([column[start] for column in facts]).astype(np.int64).tobytes()
            patterns.append(self.known.setdefault((count, made), len(self.known)))
        pattern = np.repeat(patterns, np.diff(np.append(starts, len(turns))))
        return np.stack([pattern, epochs, batches], axis=1)


def _encoded(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """A column of texts as indices of its distinct texts, -1 for none, and these texts."""
    encoded = column.combine_chunks().dictionary_encode()
    indices: Ints = encoded.indices.fill_null(-1).to_numpy()
    return indices, encoded.dictionary.to_pylist()


def _made_relative(numbers: Ints) -> Ints:
    """The first number of each row, or 0 if it has none. Subtracts it from the others, in place."""
    has = numbers != NO_NUMBER
    if not numbers.shape[1]:
        return np.zeros(len(numbers), np.int64)
    base = np.where(has.any(axis=1), numbers[np.arange(len(numbers)), has.argmax(axis=1)], 0)
    np.subtract(numbers, base[:, None], out=numbers, where=has)
    return base


def _numbers(column: pa.ChunkedArray) -> Ints:
    """A column of numbers, with `NO_NUMBER` for those that are missing."""
    found: Ints = column.fill_null(NO_NUMBER).to_numpy()
    return found
