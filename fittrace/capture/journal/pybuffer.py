"""The buffer in Python: what one thread has recorded and nobody has taken yet. `native/buffer.c` does the same in C."""

from __future__ import annotations

from array import array

from ...schema.journal_format import ABSENT


class Buffer(list):  # type: ignore[type-arg] # Python 3.7 cannot say of what
    """What one thread has recorded, and nobody has taken yet: integers of 64 bits, appended one by one or many at once.

    >>> buffer = Buffer([-1, 7, -2])
    >>> buffer.discard(2)
    >>> buffer.take(), len(buffer)
    (array('q', [-2]), 0)
    """

    def discard(self, count: int) -> None:
        """Leave out the first numbers."""
        del self[:count]

    def take(self) -> "array[int]":
        """Everything in it, which is then empty. Values that are not int64 become `ABSENT`."""
        taken = self[:]
        del self[: len(taken)]
        if not all(kind is int for kind in map(type, taken)):
            # It may be the program's, so none of its code is run.
            taken = [item if issubclass(type(item), int) else ABSENT for item in taken]
        try:
            return array("q", taken)
        except OverflowError:
            return array("q", [item if -(1 << 63) <= item < 1 << 63 else ABSENT for item in taken])


def packed(numbers: bytes) -> "bytes | None":
    """None: integers are not packed in Python, where that would take longer than to compress them."""
    return None
