"""The collector: takes the records away from the threads that make them, in the background.

Once in a while it empties every thread's buffer, packs what it took into blocks and queues them for the writer. The
queue has a bound. When the disk cannot keep up, inner phases are left out once half of it is used, and batches, hooks
and logs once it is full (`thinning`); fits and epochs are always kept.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Iterator, Sequence

from ...schema.journal_format import DEFINE, EVENTS, EVENTS_HEAD, PACKED, block
from .batch_metadata import MetadataQueue
from .definitions import Definitions
from .load_shedder import KEEP_ALL, KEEP_BATCHES, KEEP_EPOCHS, StandIns
from .record_buffer import packed
from .sample_orders import OrderQueue
from .thread_buffers import Thread, Threads

if TYPE_CHECKING:
    from ..sites import Site
    from .writer import Writer

PERIOD_S = 0.2
"""A killed process has lost at most the records of so long."""

_OF_PROGRAM = ("source", "function")
"""Definitions that tell the engine's source and the graphs of its functions."""


class Collector:
    """Collects what `threads` record of `sites`, and what is defined meanwhile, for one journal.

    `orders` and `metadata` take what is too large for a record.
    """

    def __init__(self, threads: Threads, sites: Sequence[Site], stand_ins: StandIns, definitions: Definitions) -> None:
        self.orders = OrderQueue()
        self.metadata = MetadataQueue(partial(definitions.note, "run_metadata"))
        self._threads = threads
        self._sites = sites
        self._stand_ins = stand_ins
        self._definitions = definitions
        self._defined_sites = 0
        self._dropped = {"detail": 0, "batches": 0}

    def collect(self, writer: Writer, tells_program: bool) -> None:
        """Queue everything recorded until now for the writer; what `tells_program` is queued where that is wanted."""
        level = KEEP_ALL if writer.fullness < 0.5 else KEEP_BATCHES if writer.fullness < 1 else KEEP_EPOCHS
        taken = self._threads.take()
        events = list(filter(None, [self._events(thread, records, level) for thread, records in taken]))
        # After the records were taken: whatever metadata one of them names is there by now.
        metadata = list(self.metadata.blocks(keep=level == KEEP_ALL))
        orders = self.orders.blocks(keep=level == KEEP_ALL)
        # Definitions are queued before orders are packed: where that fails, what is defined once is not lost.
        for one in chain(self._defined(tells_program), orders, metadata, events):
            writer.put(one)

    def _events(self, thread: Thread, records: Sequence[int], level: int) -> bytes | None:
        """The block that tells of what a thread recorded; None where nothing of it is kept."""
        kept, dropped = thread.thin(records, self._sites, self._stand_ins, level)
        if any(dropped):
            self._dropped["detail"] += dropped[KEEP_ALL]
            self._dropped["batches"] += dropped[KEEP_BATCHES]
            self._definitions.add(dict(self._dropped, define="dropped"))
        return pack(thread, kept) if kept else None

    def _defined(self, tells_program: bool) -> Iterator[bytes]:
        """The block of what the journal does not define yet, if there is anything."""
        sites = self._sites[self._defined_sites :]
        fresh = [site.definition() for site in sites] + self._definitions.fresh()
        told = [json.dumps(one) for one in fresh if tells_program or one["define"] not in _OF_PROGRAM]
        if told:
            yield block(DEFINE, "\n".join(told).encode())
        self._defined_sites += len(sites)


def pack(thread: Thread, records: Sequence[int]) -> bytes:
    """The block that tells of records: packed where that is compiled, else compressed."""
    head = EVENTS_HEAD.pack(thread.number, thread.chunks - 1)
    numbers = records if isinstance(records, array) else array("q", records)
    data = packed(numbers.tobytes())
    if data is not None:
        return block(PACKED, head + data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return block(EVENTS, head + zlib.compress(numbers.tobytes(), 1))
