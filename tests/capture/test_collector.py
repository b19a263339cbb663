"""What the collector queues for the journal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fittrace.capture.journal import sample_orders
from fittrace.capture.journal.batch_metadata import MetadataQueue
from fittrace.capture.journal.collector import Collector
from fittrace.capture.journal.definitions import Definitions
from fittrace.capture.journal.load_shedder import stand_ins
from fittrace.capture.journal.sample_orders import OrderQueue
from fittrace.capture.journal.thread_buffers import Threads


class Queue:
    """Takes blocks as a writer does."""

    fullness = 0.0

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.put = self.blocks.append


def refuse(*given: object) -> Any:
    raise MemoryError


def test_what_is_defined_is_queued_where_an_order_cannot_be_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    definitions, queue = Definitions(), Queue()
    orders, metadata = OrderQueue(), MetadataQueue(lambda message: None)
    collector = Collector(Threads(), [], stand_ins(1), definitions, orders, metadata, include_source=True)
    definitions.note("fault", "once")
    orders.take(np.arange(3), whole=False)
    monkeypatch.setattr(sample_orders, "pack", refuse)
    with pytest.raises(MemoryError):
        collector.collect(queue)  # type: ignore[arg-type]
    assert [b'"once"' in block for block in queue.blocks] == [True]
