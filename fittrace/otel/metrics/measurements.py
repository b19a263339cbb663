"""Measurements: they turn the spans of one thread into metrics.

An instrument of OpenTelemetry takes some microseconds for each measurement, and a batch has a dozen of them. So
measuring is limited to `SHARE` of the time. If a batch takes a tenth of a second, all batches are measured; if it takes
a millisecond, only some are. The counters count all batches.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

from ...schema.batch_sizes import samples_between
from ...schema.journal_format import ABSENT
from ...schema.tables import COUNTS_AS
from ..open_spans import BatchMeasurement, OpenSpan
from .meters import MeterInstruments

SHARE = 0.01
"""The largest part of the time that measuring may take."""


class Measurements:
    """Measures the batches and hooks of one thread.

    - `instruments`: receive the measurements.
    - `clock`: returns nanoseconds.
    """

    def __init__(self, instruments: MeterInstruments, clock: Callable[[], int]) -> None:
        self.instruments = instruments
        self._clock = clock
        self._rests_until = 0
        # By stage: the batches, samples and retraces that are counted, but not passed to the counters yet.
        self._counts: dict[str, list[int]] = {}

    def is_rested(self, clock_ns: int) -> bool:
        """Whether a batch that begins now may be measured without exceeding `SHARE`."""
        return clock_ns >= self._rests_until

    def count(self, batch: OpenSpan, turn: Sequence[int], sizes: "Sequence[int] | None") -> None:
        """Count the batches and the samples of a turn. `sizes` is the `sizes` record of its loop, if there is one."""
        counts = self._counts_of(batch)
        counts[0] += turn[3] - turn[2] + 1
        counts[1] += _samples(turn, sizes)
        batch.turn = turn

    def uncount(self, batch: OpenSpan, sizes: "Sequence[int] | None") -> None:
        """Subtract the counts of a turn that turned out to be no batch."""
        turn, counts = batch.turn, self._counts_of(batch)
        if turn is None:
            return
        counted = (turn[3] - turn[2] + 1, _samples(turn, sizes), int(batch.is_retraced))
        # A fit inside it may have passed the counts to the counters already. They stay, since a counter never falls.
        counts[:] = [max(count - less, 0) for count, less in zip(counts, counted)]

    def count_retrace(self, batch: OpenSpan) -> None:
        """Count a batch in which a `tf.function` was retraced."""
        self._counts_of(batch)[2] += 1

    def keep_number(self, span: OpenSpan, key: str, value: float) -> None:
        """Keep a number of the logs at the end of a batch, an epoch or a fit."""
        self.instruments.numbers[span.stage or "", key] = value

    def close(self, span: OpenSpan, around: "OpenSpan | None", clock_ns: int) -> None:
        """Measure a span that has ended. `around` is the span around it, if there is one."""
        duration_ns = clock_ns - span.begin_ns
        if around is not None and not span.begins_fit:
            around.inner_ns += duration_ns
        measurement = span.measurement
        phase = COUNTS_AS.get(span.phase)
        if measurement is not None and phase is not None:
            measurement.phase_ns[phase] = measurement.phase_ns.get(phase, 0) + duration_ns - span.inner_ns
        if span.callback is not None and measurement is not None:
            measurement.hooks.append((span, duration_ns))
        elif span.callback is not None:
            self._record_hook(span, duration_ns)
        elif measurement is not None and span.is_batch:
            begin_ns = self._clock()
            self._record_batch(span, measurement, duration_ns)
            end_ns = self._clock()
            self._rests_until = end_ns + int((end_ns - begin_ns) / SHARE)
        elif span.begins_fit or span.phase in ("epoch", "validation"):
            self.flush()

    def flush(self) -> None:
        """Pass the counts to the counters."""
        instruments = self.instruments
        for stage, counts in self._counts.items():
            attributes = {"keras.stage": stage}
            for index, counter in enumerate((instruments.batches, instruments.samples, instruments.retraces)):
                if counts[index]:
                    counter.add(counts[index], attributes)
                    counts[index] = 0

    def forget(self) -> None:
        """Drop the counts that are not passed to the counters yet."""
        self._counts.clear()

    def _counts_of(self, batch: OpenSpan) -> "list[int]":
        return self._counts.setdefault(batch.stage or "", [0, 0, 0])

    def _record_batch(self, batch: OpenSpan, measurement: BatchMeasurement, duration_ns: int) -> None:
        instruments, stage = self.instruments, batch.stage or ""
        # A batch without a turn is not a batch of the loop: it stands for hooks in a pool of threads.
        if batch.has_turn:
            instruments.record(instruments.batch, duration_ns, {"keras.stage": stage}, batch.context)
            for phase, phase_ns in measurement.phase_ns.items():
                attributes = {"keras.stage": stage, "keras.phase": phase}
                instruments.record(instruments.phase, phase_ns, attributes, batch.context)
        for hook, hook_ns in measurement.hooks:
            self._record_hook(hook, hook_ns)
        self.flush()

    def _record_hook(self, hook: OpenSpan, duration_ns: int) -> None:
        facts: tuple[tuple[str, Any], ...] = (
            ("keras.stage", hook.stage), ("keras.callback", hook.callback), ("keras.hook", hook.hook)
        )  # fmt: skip
        attributes = {key: value for key, value in facts if value is not None}
        self.instruments.record(self.instruments.hook, duration_ns, attributes, hook.context)


def _samples(turn: Sequence[int], sizes: "Sequence[int] | None") -> int:
    """The samples of a turn: as its record says, else from the `sizes` of its loop. 0 if unknown."""
    if turn[4] != ABSENT:
        return turn[4]
    return 0 if sizes is None else samples_between(turn[2], turn[3], sizes[1:]) or 0
