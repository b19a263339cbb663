"""Orders: in which order an epoch takes its samples, as they wait for the collector.

The thread that trains copies the engine's array of indices once, as bytes; the collector packs it. There are bounds: an
epoch with too many samples, or after too many bytes, has no order in the trace.
"""

from __future__ import annotations

import itertools
import zlib
from collections import deque
from typing import Any, Iterator, NamedTuple

from ...schema.journal_format import ABSENT, ORDER, ORDER_HEAD, block

MOST_SAMPLES = 1 << 20
"""Samples in an epoch, the order of which is kept: 1,048,576, which take 2 to 3 MiB."""
MOST_BYTES = 128 << 20
"""Bytes of orders that a process keeps, packed."""
MOST_WAITING = 64 << 20
"""Bytes of orders that may wait to be packed; beyond it, one more is not kept."""
_SOME = 1024
"""Bytes that show whether more are worth compressing."""


class _Order(NamedTuple):
    """One epoch's order: its `number`, how many `samples`, the `width` of each index in bytes, and the indices."""

    number: int
    samples: int
    width: int
    data: bytes


class OrderQueue:
    """The orders of one process on their way into its journal."""

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        """Drop what waits, and number orders from 0, for another journal."""
        self._free = itertools.count()
        self._waiting: deque[_Order] = deque()
        self._kept_bytes = 0

    def take(self, indices: Any, whole: bool) -> tuple[int, int] | None:
        """Queue an epoch's order; the operands of the `order` record that refers to it.

        `indices` is an array of NumPy's own class. None where it is not a flat array of integers.
        `whole`: the engine takes the samples as they stand, whatever the array says.
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
        """Take what waits, in blocks. Without `keep` there is no room for it."""
        for _ in range(len(self._waiting)):
            order = self._waiting.popleft()
            if keep and self._kept_bytes < MOST_BYTES:
                packed = pack(*order)
                self._kept_bytes += len(packed)
                yield block(ORDER, packed)


def pack(number: int, samples: int, width: int, data: bytes) -> bytes:
    r"""The payload of an `ORDER` block: `data` are the indices, little-endian, each of `width` bytes.

    >>> zlib.decompress(pack(0, 3, 4, bytes([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]))[ORDER_HEAD.size :])
    b'\x02\x00\x01'
    """
    planes = [data[byte::width] for byte in range(width)] if data else []
    while planes and planes[-1].count(0) == samples:
        planes.pop()
    # A shuffled order hardly gets smaller, and to compress it would take most of the collector's time.
    some = b"".join(planes[:1])[:_SOME]
    level = 1 if len(zlib.compress(some, 1)) < 0.9 * len(some) else 0
    return ORDER_HEAD.pack(number, samples, len(planes)) + zlib.compress(b"".join(planes), level)
