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

from ..schema.journal import ABSENT, EVENTS_HEAD, SAMPLE_HEAD
from .sites import Site
from .thinning import KEEP_ALL, KEEP_BATCHES, Thinning

PERIOD_S = 0.2
"""A killed process has lost at most the records of so long."""


class Thread:
    """One thread's buffer and what the collector knows of it."""

    def __init__(self, number: int, buffer: list[int]) -> None:
        self.number = number
        self.buffer = buffer
        self.chunks = 0
        self.thinning: Thinning | None = None

    def take(self) -> list[int]:
        """Everything recorded until now, which counts as a chunk even if it never gets into the journal.

        Each step is one operation of the interpreter, so no record is missed.
        """
        buffer = self.buffer
        taken = buffer[:]
        if taken:
            self.chunks += 1
            del buffer[: len(taken)]
        return taken

    def thin(
        self, records: Sequence[int], sites: Sequence[Site], closers: Sequence[Site], level: int
    ) -> tuple[Sequence[int], Sequence[int]]:
        """What is kept of the `records` just taken, and how many of each level are not."""
        if self.thinning is None and level == KEEP_ALL:
            return records, ()
        thinning = self.thinning = self.thinning or Thinning(closers)
        kept, dropped = thinning.thin(records, sites, level)
        if level == KEEP_ALL and thinning.is_over:
            self.thinning = None
        if records and not kept:
            self.chunks -= 1  # nothing is missing
        return kept, dropped


def pack(thread: Thread, records: Sequence[int]) -> bytes:
    """The payload of an `EVENTS` block."""
    try:
        numbers = array("q", records)
    except (TypeError, OverflowError):
        # A number of the engine's that is none of ours: say that it is absent rather than lose its neighbours.
        numbers = array("q", [item if type(item) is int and abs(item) < ABSENT else ABSENT for item in records])
    if sys.byteorder == "big":
        numbers.byteswap()
    return EVENTS_HEAD.pack(thread.number, thread.chunks - 1) + zlib.compress(numbers.tobytes(), 1)


def pack_sample(number: int, form: int, moments: tuple[int, int], data: bytes) -> bytes:
    """The payload of a `SAMPLE` block."""
    return SAMPLE_HEAD.pack(number, form, *moments) + zlib.compress(data, 1)


def counts(total: dict[str, int], dropped: Sequence[int]) -> bool:
    """Add `dropped` to the `total` that the trace tells; whether there was anything."""
    if not any(dropped):
        return False
    total["detail"] += dropped[KEEP_ALL]
    total["batches"] += dropped[KEEP_BATCHES]
    return True
