"""Sample orders: the order in which each epoch takes its samples, in a queue for the collector.

The training thread copies the engine's array of indices once, as bytes, and the collector packs it. Memory and space
are bounded: the orders of very large epochs are dropped, and so are those after too many bytes.
"""

from __future__ import annotations

import itertools
import zlib
from collections import deque
from typing import Any, Iterator, NamedTuple

from ...schema.journal_format import ABSENT, ORDER_HEAD, BlockKind, block

MOST_SAMPLES = 1 << 20
"""The most samples of an epoch whose order is kept: 1,048,576, which take 2 to 3 MiB."""
MOST_BYTES = 128 << 20
"""The most bytes of packed orders in a journal."""
MOST_WAITING = 64 << 20
"""Bytes of orders in the queue. If there are more, the next order is dropped."""
_PROBE = 1024
"""Bytes that are compressed first, to see whether compression pays."""


class _Order(NamedTuple):
    """The order of one epoch.

    - `number`: the number of the order in the journal.
    - `samples`: how many samples the epoch has.
    - `width`: the bytes of an index, 4 or 8.
    - `data`: the indices, little-endian. Empty if the epoch takes the samples in their own order.
    """

    number: int
    samples: int
    width: int
    data: bytes


class OrderQueue:
    """The queued sample orders of one process."""

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        """Empty the queue, and number orders from 0, for another journal."""
        self._free = itertools.count()
        self._waiting: deque[_Order] = deque()
        self._kept_bytes = 0

    def take(self, indices: Any, whole: bool) -> tuple[int, int] | None:
        """Queue the order of an epoch. Returns the operands of the `order` record that refers to it.

        - `indices`: an array of NumPy's own class. The result is None unless it is a flat array of integers.
        - `whole`: whether the engine takes the samples in their own order, and ignores the array.
        """
        if indices.ndim != 1 or indices.dtype.str not in ("<i8", "<i4"):
            return None
        samples, width = len(indices), indices.dtype.itemsize
        if samples > MOST_SAMPLES or sum(len(order.data) for order in list(self._waiting)) > MOST_WAITING:
            return ABSENT, samples
        order = _Order(next(self._free), samples, width, b"" if whole else indices.tobytes())
        self._waiting.append(order)
        return order.number, samples

    def blocks(self, keep: bool) -> Iterator[bytes]:
        """Empty the queue, and yield its orders as blocks. `keep`: False if there is no room; all are dropped."""
        for _ in range(len(self._waiting)):
            order = self._waiting.popleft()
            if keep and self._kept_bytes < MOST_BYTES:
                packed = pack(*order)
                self._kept_bytes += len(packed)
                yield block(BlockKind.ORDER, packed)


def pack(number: int, samples: int, width: int, data: bytes) -> bytes:
    r"""The payload of an `ORDER` block. The parameters are the fields of `_Order`.

    >>> zlib.decompress(pack(0, 3, 4, bytes([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]))[ORDER_HEAD.size :])
    b'\x02\x00\x01'
    """
    # Byte planes: the lowest bytes of all indices, then the next. High planes are all zero and are left out.
    planes = [data[byte::width] for byte in range(width)] if data else []
    while planes and planes[-1].count(0) == samples:
        planes.pop()
    # A shuffled order hardly shrinks, and compressing it would take most of the collector's time.
    probe = b"".join(planes[:1])[:_PROBE]
    level = 1 if len(zlib.compress(probe, 1)) < 0.9 * len(probe) else 0
    return ORDER_HEAD.pack(number, samples, len(planes)) + zlib.compress(b"".join(planes), level)
