"""The collector: takes the records away from the threads that make them, in the background.

Twice in a while it empties every thread's buffer, packs what it took into blocks and queues them for the writer. The
queue has a bound. When the disk cannot keep up, `thin` leaves out inner phases once half of it is used, and batches,
hooks and logs once it is full; fits and epochs are always kept.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from typing import Sequence

from ..schema.journal import ABSENT, EVENTS_HEAD
from .sites import Site

PERIOD_S = 0.2
"""A killed process has lost at most the records of so long."""

KEEP_ALL, KEEP_BATCHES, KEEP_EPOCHS = 2, 1, 0
"""The highest level of site that is kept."""


class Thread:
    """One thread's buffer and what the collector knows of it."""

    def __init__(self, number: int, buffer: list[int]) -> None:
        self.number = number
        self.buffer = buffer
        self.chunks = 0
        # Frames whose call was left out of an earlier chunk: what ends them must be left out too.
        self.left_out: list[bool] = []

    def take(self) -> list[int]:
        """Everything recorded until now. Each step is one operation of the interpreter, so nothing is lost."""
        buffer = self.buffer
        taken = buffer[:]
        del buffer[: len(taken)]
        return taken


def thin(
    records: Sequence[int], sites: Sequence[Site], level: int, left_out: list[bool]
) -> tuple[list[int], list[int]]:
    """Leave out the records of sites above `level`. Returns what is kept, and how many of each level were dropped.

    A frame is kept or dropped whole: `left_out` holds, for each frame that is open and began here, whether its call
    was dropped.
    """
    kept: list[int] = []
    dropped = [0, 0, 0]
    heads = [index for index, value in enumerate(records) if value < 0]
    for index, start in enumerate(heads):
        end = heads[index + 1] if index + 1 < len(heads) else len(records)
        site = sites[-records[start] - 1]
        keep = site.level <= level
        if site.kind in ("call", "hooks"):
            left_out.append(not keep)
        elif site.kind in ("leave", "raise"):
            keep = not left_out.pop() if left_out else True
        elif left_out and left_out[-1]:
            keep = False
        if keep:
            kept.extend(records[start:end])
        else:
            dropped[site.level] += 1
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
    thread.chunks += 1
    return EVENTS_HEAD.pack(thread.number, thread.chunks - 1) + zlib.compress(numbers.tobytes(), 1)


def counts(total: dict[str, int], dropped: Sequence[int]) -> bool:
    """Add `dropped` to the `total` that the trace tells; whether there was anything."""
    total["detail"] += dropped[KEEP_ALL]
    total["batches"] += dropped[KEEP_BATCHES]
    return any(dropped)
