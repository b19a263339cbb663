"""The limit on the bytes that a journal unpacks to, which grows with the bytes that are read."""

from __future__ import annotations

from ...schema.limits import UNPACKED_FREE, UNPACKED_RATIO


class Allowance:
    """How many bytes the blocks of one journal may still unpack to.

    - `left`: bytes that may still be unpacked.

    >>> allowance = Allowance()
    >>> before = allowance.left
    >>> allowance.stored(10)
    >>> allowance.left - before
    640
    """

    def __init__(self) -> None:
        self.left = UNPACKED_FREE

    def stored(self, count: int) -> None:
        """Raise the limit for `count` bytes that are read from the journal."""
        self.left += count * UNPACKED_RATIO

    def spend(self, count: int) -> None:
        """Count `count` unpacked bytes. Raises `ValueError` where they are more than are left."""
        if count > self.left:
            raise ValueError(f"it unpacks to more than {UNPACKED_RATIO} times its size")
        self.left -= count
