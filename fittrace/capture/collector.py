"""The collector: takes the records away from the threads that make them, in the background.

Once in a while it empties every thread's buffer, packs what it took into blocks and queues them for the writer. The
queue has a bound. When the disk cannot keep up, inner phases are left out once half of it is used, and batches, hooks
and logs once it is full (`thinning`); fits and epochs are always kept.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from typing import Sequence

from ..schema.journal import EVENTS, EVENTS_HEAD, PACKED, block
from .probes import packed
from .thinning import KEEP_ALL, KEEP_BATCHES
from .threads import Thread

PERIOD_S = 0.2
"""A killed process has lost at most the records of so long."""


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


def counts(total: dict[str, int], dropped: Sequence[int]) -> bool:
    """Add `dropped` to the `total` that the trace tells; whether there was anything."""
    if not any(dropped):
        return False
    total["detail"] += dropped[KEEP_ALL]
    total["batches"] += dropped[KEEP_BATCHES]
    return True
