"""Rows of batches that wait for their logs, and the number of samples in each batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...schema.journal_format import ABSENT
from ...schema.record_kinds import KINDS
from ..parquet.arrow_columns import LOGS_PREFIX, Values
from .records import Indices, Parsed
from .site_arrays import KIND
from .spans import SpanArrays

BatchKey = tuple[int, int, int, int]
"""Fit, stage, epoch and batch."""
Floats = np.ma.MaskedArray[tuple[int, ...], np.dtype[np.float64]]


def absent(count: int) -> Floats:
    """An array of `count` missing values. They are masked, since NaN is a value that logs may have."""
    return np.ma.array(np.zeros(count), mask=np.ones(count, bool))


class PendingBatches:
    """Rows of `batches` whose logs may still come from another thread.

    - `columns`: the columns of the table, without those of logs.
    - `logs`: for each key of the logs, the value of each row.
    - `spans`: the span of each row.
    """

    def __init__(
        self,
        columns: dict[str, Values],
        logs: dict[str, Floats],
        spans: SpanArrays,
    ) -> None:
        self._columns = columns
        self._logs = logs
        self._spans = spans

    def take_late(self, late: dict[BatchKey, dict[str, float]]) -> None:
        """Move the logs of these batches from `late` into the rows."""
        for row in range(len(self._spans)):
            for key, value in late.pop(key_of(self._spans, row, self._spans.last), {}).items():
                self._logs.setdefault(key, absent(len(self._spans)))[row] = value

    def whole(self) -> dict[str, Values]:
        """All columns, those of logs included."""
        return self._columns | {LOGS_PREFIX + key: value for key, value in self._logs.items()}


def key_of(spans: SpanArrays, index: int, batch: Indices) -> BatchKey:
    """The key of the span at `index`. `batch` holds the batch number to use: `spans.batch`, or `spans.last`."""
    return int(spans.fit[index]), int(spans.stage[index]), int(spans.epoch[index]), int(batch[index])


def sizes_of(spans: SpanArrays, parsed: Parsed) -> Indices:
    """The number of samples in each span's batch; -1: unknown.

    It is in the `turn` record of the batch, or follows from the latest `sizes` record of the loop.
    """
    loops = np.flatnonzero(parsed.annotation_kind == KIND["sizes"])
    if not len(loops):
        return spans.size
    frame = parsed.frame[spans.record]
    latest = latest_in_frame(
        parsed.annotation_frame[loops], parsed.annotation_before[loops], frame, spans.record, len(parsed.start)
    )
    first_operand = parsed.annotation_start[loops[latest]] + 1
    sizes = [parsed.numbers[first_operand + position] for position in range(len(KINDS["sizes"].operands))]
    samples = np.where(latest >= 0, samples_between(spans.batch, spans.last, sizes), -1)
    return np.where(spans.size >= 0, spans.size, samples)


def samples_between(first: Indices, last: Indices, sizes: Sequence[Indices]) -> Indices:
    """`schema.batch_sizes.samples_between` for arrays, with -1 for None. A test compares the two.

    - `first`, `last`: the first and last batch of each entry.
    - `sizes`: the four operands of its `sizes` record, in their order.
    """
    whole, partial, count, steps = sizes
    repeats = steps != ABSENT
    known = (whole != ABSENT) & (partial != ABSENT) & (count != ABSENT) & (count != 0) & ~(repeats & (partial != 0))
    known &= repeats | (first < count)
    last = np.where(repeats, last, np.minimum(last, count - 1))
    shortfall = np.where((partial != 0) & (last == count - 1), whole - partial, 0)
    return np.where(known, (last - first + 1) * whole - shortfall, -1)


def latest_in_frame(frames: Indices, moments: Indices, frame: Indices, moment: Indices, most: int) -> Indices:
    """For each query, the index of the latest entry in its frame that is no later than its moment; -1: none.

    - `frames`, `moments`: the frame and moment of each entry, in order of moments.
    - `frame`, `moment`: the frame and moment of each query.
    - `most`: the greatest frame or moment.

    >>> latest_in_frame(np.array([0, 7, 0]), np.array([1, 2, 5]), np.array([0, 0, 7, 3]), np.array([4, 6, 9, 9]), 9)
    array([ 0,  2,  1, -1])
    """
    # Pairs of frame and moment as one number, so that one search finds the latest in each frame.
    width = most + 1
    order = np.argsort(frames * width + moments, kind="stable")
    entries = (frames * width + moments)[order]
    position = np.searchsorted(entries, frame * width + moment, "right") - 1
    latest = np.append(order, -1)[position]
    return np.where((position >= 0) & (np.append(frames, -1)[latest] == frame), latest, -1)
