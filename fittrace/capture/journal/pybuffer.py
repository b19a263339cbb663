"""The record buffer in Python. `native/buffer.c` is the same in C."""

from __future__ import annotations

from array import array

from ...schema.journal_format import ABSENT


class Buffer(list):  # type: ignore[type-arg] # `list` takes no parameter in Python 3.7
    """The records of one thread that are not collected yet, as 64-bit integers.

    >>> buffer = Buffer([-1, 7, -2])
    >>> buffer.discard(2)
    >>> buffer.take(), len(buffer)
    (array('q', [-2]), 0)
    """

    def discard(self, count: int) -> None:
        """Remove the first `count` numbers."""
        del self[:count]

    def take(self) -> "array[int]":
        """Empty the buffer, and return its numbers. Values that are not int64 become `ABSENT`."""
        taken = self[:]
        del self[: len(taken)]
        if not all(kind is int for kind in map(type, taken)):
            # A value may be of the program's own class. `issubclass` of its type runs none of its code.
            taken = [item if issubclass(type(item), int) else ABSENT for item in taken]
        try:
            return array("q", taken)
        except OverflowError:
            return array("q", [item if -(1 << 63) <= item < 1 << 63 else ABSENT for item in taken])


def packed(numbers: bytes) -> "bytes | None":
    """None: in Python, packing would take longer than compression, so there is none."""
    return None
