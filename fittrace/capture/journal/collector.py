"""The collector: it takes the records away from the threads that make them, and queues them as blocks for the writer.

The writer's queue is bounded. If the disk cannot keep up, the collector drops records (`load_shedder`): inner phases
when the queue is half full, and batches, hooks and logs when it is full. Fits and epochs are always kept.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from itertools import chain
from typing import Iterator, Sequence

from ...schema.journal_format import EVENTS_HEAD, BlockKind, block
from ..sites import Site
from .batch_metadata import MetadataQueue
from .definitions import Definitions
from .load_shedder import Keep, StandIns
from .record_buffer import packed
from .sample_orders import OrderQueue
from .thread_buffers import Thread, Threads
from .writer import Writer

_OF_SOURCE = ("source", "function")
"""The kinds of definitions that hold the engine's source and the graphs of its functions."""


class Collector:
    """Collects the records and definitions of a process for one journal.

    - `threads`: the threads that record.
    - `sites`: all sites, by number. The list grows.
    - `stand_ins`: the sites of the records that replace dropped ones.
    - `definitions`: the definitions of the journal.
    - `orders`: the sample orders, which are too large for a record.
    - `metadata`: TensorFlow's metadata of batches, which is too large for a record.
    - `include_source`: whether the journal gets the engine's source, and the graphs of its functions.
    """

    def __init__(
        self,
        threads: Threads,
        sites: Sequence[Site],
        stand_ins: StandIns,
        definitions: Definitions,
        orders: OrderQueue,
        metadata: MetadataQueue,
        include_source: bool,
    ) -> None:
        self.threads = threads
        self._sites = sites
        self._stand_ins = stand_ins
        self._definitions = definitions
        self._orders = orders
        self._metadata = metadata
        self._include_source = include_source
        self._defined_sites = 0
        self._dropped = {"detail": 0, "batches": 0}

    def collect(self, writer: Writer) -> None:
        """Queue all new records and definitions for the writer."""
        level = Keep.ALL if writer.fullness < 0.5 else Keep.BATCHES if writer.fullness < 1 else Keep.EPOCHS
        taken = self.threads.take()
        events = list(filter(None, [self._events(thread, records, level) for thread, records in taken]))
        # The metadata is taken after the records. So the metadata to which a record refers is in the queue already.
        metadata = list(self._metadata.blocks(keep=level == Keep.ALL))
        orders = self._orders.blocks(keep=level == Keep.ALL)
        # Definitions are queued before orders are packed, since each is made only once. If packing fails, none is lost.
        for packed_block in chain(self._defined(), orders, metadata, events):
            writer.put(packed_block)

    def _events(self, thread: Thread, records: Sequence[int], level: Keep) -> bytes | None:
        """The block with the records of a thread. None if no record is kept."""
        kept, dropped = thread.shed(records, self._sites, self._stand_ins, level)
        if any(dropped):
            self._dropped["detail"] += dropped[Keep.ALL]
            self._dropped["batches"] += dropped[Keep.BATCHES]
            self._definitions.add(dict(self._dropped, define="dropped"))
        return pack(thread, kept) if kept else None

    def _defined(self) -> Iterator[bytes]:
        """The block with the new definitions, if there are any."""
        sites = self._sites[self._defined_sites :]
        fresh = [site.definition() for site in sites] + self._definitions.fresh()
        left_out = () if self._include_source else _OF_SOURCE
        lines = [json.dumps(definition) for definition in fresh if definition["define"] not in left_out]
        if lines:
            yield block(BlockKind.DEFINE, "\n".join(lines).encode())
        self._defined_sites += len(sites)


def pack(thread: Thread, records: Sequence[int]) -> bytes:
    """The block with a thread's records: packed if the compiled packing is available, else compressed."""
    head = EVENTS_HEAD.pack(thread.number, thread.chunks - 1)
    numbers = records if isinstance(records, array) else array("q", records)
    data = packed(numbers.tobytes())
    if data is not None:
        return block(BlockKind.PACKED, head + data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return block(BlockKind.EVENTS, head + zlib.compress(numbers.tobytes(), 1))
