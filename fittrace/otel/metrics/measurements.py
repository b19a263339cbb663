"""Measuring: what the spans of one thread add to the metrics.

An instrument of OpenTelemetry takes some microseconds for each measurement, and a batch has a dozen of them. So batches
are measured as long as that takes no more than `SHARE` of the time: all where a batch takes a tenth of a second, one in
many where it takes a millisecond. Counters count them all.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from ...schema.journal_format import ABSENT
from ...schema.tables import COUNTS_AS
from ..open_spans import OpenSpan
from .meters import MeterInstruments

SHARE = 0.01
"""Of the time, how much measuring may take."""


class SpanMeasurement:
    """What is gathered of a batch while it is open: nanoseconds by phase, and of each callback's hook."""

    __slots__ = ("hooks", "phases")

    def __init__(self) -> None:
        self.phases: dict[str, int] = {}
        self.hooks: list[tuple[OpenSpan, int]] = []


class Measurements:
    """Measures with `instruments` what one thread does; `clock` reads nanoseconds."""

    def __init__(self, instruments: MeterInstruments, clock: Callable[[], int]) -> None:
        self.instruments = instruments
        self._clock = clock
        self._rests_until = 0
        self._counts: dict[str, list[int]] = {}

    def is_rested(self, clock_ns: int) -> bool:
        """Whether it has cost so little that a batch which begins now may be measured."""
        return clock_ns >= self._rests_until

    def count(self, one: OpenSpan, turn: Sequence[int], sizes: "Sequence[int] | None") -> None:
        """Count the batches and the samples of a turn; `sizes` are those that its loop told."""
        counts = self._counts_of(one)
        counts[0] += turn[3] - turn[2] + 1
        counts[1] += _samples(turn, sizes)
        one.turn = turn

    def uncount(self, one: OpenSpan, sizes: "Sequence[int] | None") -> None:
        """Take back what was counted of a turn that came to be no batch."""
        turn, counts = one.turn, self._counts_of(one)
        taken = (turn[3] - turn[2] + 1, _samples(turn, sizes), int(one.retraced)) if turn is not None else (0, 0, 0)
        # What a fit inside it has handed on already stays counted: a counter never falls.
        counts[:] = [max(count - some, 0) for count, some in zip(counts, taken)]

    def retraced(self, one: OpenSpan) -> None:
        """Count a batch in which a `tf.function` was traced."""
        self._counts_of(one)[2] += 1

    def number(self, one: OpenSpan, key: str, value: float) -> None:
        """Keep a number of the logs at the end of a batch, an epoch or a fit."""
        self.instruments.numbers[one.stage or "", key] = value

    def close(self, one: OpenSpan, around: "OpenSpan | None", clock_ns: int) -> None:
        """Take note that a span is over, which was in `around`."""
        duration_ns = clock_ns - one.begin_ns
        if around is not None and not one.begins:
            around.inner_ns += duration_ns
        batch = one.measured
        phase = COUNTS_AS.get(one.phase)
        if batch is not None and phase is not None:
            batch.phases[phase] = batch.phases.get(phase, 0) + duration_ns - one.inner_ns
        if one.callback is not None and batch is not None:
            batch.hooks.append((one, duration_ns))
        elif one.callback is not None:
            self._hook(one, duration_ns)
        elif batch is not None and one.is_batch:
            begin_ns = self._clock()
            self._batch(one, batch, duration_ns)
            end_ns = self._clock()
            self._rests_until = end_ns + int((end_ns - begin_ns) / SHARE)
        elif one.begins or one.phase in ("epoch", "validation"):
            self.flush()

    def flush(self) -> None:
        """Hand the counters what was counted."""
        for stage, counts in self._counts.items():
            attributes = {"keras.stage": stage}
            instruments = self.instruments
            for place, counter in enumerate((instruments.batches, instruments.samples, instruments.retraces)):
                if counts[place]:
                    counter.add(counts[place], attributes)
                    counts[place] = 0

    def forget(self) -> None:
        """Drop what was counted and not handed on yet."""
        self._counts.clear()

    def _counts_of(self, one: OpenSpan) -> "list[int]":
        return self._counts.setdefault(one.stage or "", [0, 0, 0])

    def _batch(self, one: OpenSpan, batch: SpanMeasurement, duration_ns: int) -> None:
        instruments, stage = self.instruments, one.stage or ""
        # Those that hooks in a pool of threads are in have no turn of their own.
        if one.turned:
            instruments.record(instruments.batch, duration_ns, {"keras.stage": stage}, one.nearest)
            for phase, phase_ns in batch.phases.items():
                attributes = {"keras.stage": stage, "keras.phase": phase}
                instruments.record(instruments.phase, phase_ns, attributes, one.nearest)
        for hook, hook_ns in batch.hooks:
            self._hook(hook, hook_ns)
        self.flush()

    def _hook(self, one: OpenSpan, duration_ns: int) -> None:
        facts: tuple[tuple[str, Any], ...] = (
            ("keras.stage", one.stage), ("keras.callback", one.callback), ("keras.hook", one.hook)
        )  # fmt: skip
        attributes = {key: value for key, value in facts if value is not None}
        self.instruments.record(self.instruments.hook, duration_ns, attributes, one.nearest)


def _samples(turn: Sequence[int], sizes: "Sequence[int] | None") -> int:
    if turn[4] != ABSENT:
        return turn[4]
    return 0 if sizes is None else samples_of(turn[2], turn[3], sizes)


def samples_of(first: int, last: int, sizes: Sequence[int]) -> int:
    """The samples in the batches `first` to `last`, of a loop that told its `sizes`; 0 where that does not say.

    These are, after the head: samples of a whole batch, and of a smaller one at the end (0: there is none), the batches
    that the data makes, and the steps that were asked for instead.

    >>> samples_of(0, 1, (-1, 32, 8, 3, ABSENT)), samples_of(2, 2, (-1, 32, 8, 3, ABSENT))
    (64, 8)
    """
    _, whole, partial, count, steps = sizes
    if ABSENT in (whole, partial, count) or not count or (steps != ABSENT and partial):
        return 0
    if steps != ABSENT:
        return (last - first + 1) * whole
    last = min(last, count - 1)
    return (last - first + 1) * whole - (whole - partial if partial and last == count - 1 else 0)
