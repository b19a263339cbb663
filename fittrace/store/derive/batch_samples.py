"""Samples: which order of samples the batches of an epoch have, out of the `order` records of one thread."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..journal.sample_orders import PackedOrders, SampleRuns
from .records import Parsed
from .site_arrays import KIND, PHASE
from .spans import SpanArrays


def orders_of(spans: SpanArrays, parsed: Parsed, orders: PackedOrders) -> Iterator[tuple[int, SampleRuns]]:
    """For each order that the records of a window tell, the first batch that it is of, as an index into `spans`."""
    told = np.flatnonzero(parsed.loose_kind == KIND["order"])
    for one in told.tolist():
        number, samples = parsed.numbers[parsed.loose_start[one] + 1 : parsed.loose_start[one] + 3].tolist()
        following = int(parsed.loose_before[one])
        batch = int(np.searchsorted(spans.record, following))
        is_first = batch < len(spans) and spans.record[batch] == following and spans.phase[batch] == PHASE["batch"]
        if is_first and parsed.frame[following] == parsed.loose_frame[one] and spans.fit[batch] >= 0:
            yield batch, orders.take(number, samples)
