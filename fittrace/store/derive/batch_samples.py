"""The order of samples in each epoch, from the `order` records of one thread."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..journal.sample_orders import PackedOrders, SampleRuns
from .records import Parsed
from .site_arrays import KIND, PHASE
from .spans import SpanArrays


def orders_of(spans: SpanArrays, parsed: Parsed, orders: PackedOrders) -> Iterator[tuple[int, SampleRuns]]:
    """The orders that the records of a window name: for each the index of the epoch's first batch, and its samples."""
    named = np.flatnonzero(parsed.annotation_kind == KIND["order"])
    for annotation in named.tolist():
        start = int(parsed.annotation_start[annotation])
        number, samples = parsed.numbers[start + 1 : start + 3].tolist()
        following = int(parsed.annotation_before[annotation])
        # The order is of the batch that the very next record opens, in the same frame; else that batch is lost.
        batch = int(np.searchsorted(spans.record, following))
        is_first = batch < len(spans) and spans.record[batch] == following and spans.phase[batch] == PHASE["batch"]
        if is_first and parsed.frame[following] == parsed.annotation_frame[annotation] and spans.fit[batch] >= 0:
            yield batch, orders.take(number, samples)
