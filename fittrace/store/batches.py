"""Batches whose logs may still come, and how many samples each has."""

from __future__ import annotations

import numpy as np

from ..schema.journal import ABSENT
from .columns import LOGS_PREFIX, Values
from .records import Indices, Parsed
from .sites import KIND
from .spans import Spans

BatchKey = tuple[int, int, int, int]
"""Fit, stage, epoch and batch."""


class Batches:
    """Rows of `batches` whose logs may still come from another thread."""

    def __init__(
        self,
        columns: dict[str, Values],
        logs: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]],
        spans: Spans,
    ) -> None:
        self._columns = columns
        self._logs = logs
        self._spans = spans

    def take_late(self, late: dict[BatchKey, dict[str, float]]) -> None:
        """Fill in logs from `late` and take them out of it."""
        for row in range(len(self._spans)):
            for key, value in late.pop(key_of(self._spans, row, self._spans.last), {}).items():
                self._logs.setdefault(key, np.full(len(self._spans), np.nan))[row] = value

    def whole(self) -> dict[str, Values]:
        """The columns with those of the logs."""
        return self._columns | {LOGS_PREFIX + key: value for key, value in self._logs.items()}


def key_of(spans: Spans, index: int, batch: Indices) -> BatchKey:
    """The key of the span at `index`, whose number is that in `batch`: its first, or its last."""
    return int(spans.fit[index]), int(spans.stage[index]), int(spans.epoch[index]), int(batch[index])


def sizes_of(spans: Spans, parsed: Parsed) -> Indices:
    """The samples in each batch, as its turn told, or after what its loop said of its data; -1: not known."""
    size = np.full(len(spans), -1)
    told = np.flatnonzero(parsed.loose_kind == KIND["sizes"])
    frame = parsed.frame[spans.record]
    for one in told.tolist():
        whole, partial, count, steps = parsed.numbers[parsed.loose_start[one] + 1 : parsed.loose_start[one] + 5]
        mine = (frame == parsed.loose_frame[one]) & (spans.record >= parsed.loose_before[one])
        size[mine] = -1
        if ABSENT in (whole, partial, count) or count == 0 or (steps != ABSENT and partial):
            continue
        last = np.minimum(spans.last[mine], count - 1) if steps == ABSENT else spans.last[mine]
        batches = last - spans.batch[mine] + 1
        short = (whole - partial) if partial else 0
        size[mine] = batches * whole - np.where((last == count - 1) & (steps == ABSENT), short, 0)
    return np.where(spans.size >= 0, spans.size, size)
