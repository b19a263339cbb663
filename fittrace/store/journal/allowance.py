"""The allowance: how many bytes a journal may unpack to, which grows with what is stored."""

from __future__ import annotations

from ...schema.limits import UNPACKED_FREE, UNPACKED_RATIO


class Allowance:
    """What the blocks of one journal may still unpack to, in bytes (`left`).

    >>> allowance = Allowance()
    >>> before = allowance.left
    >>> allowance.stored(10)
    >>> allowance.left - before
    640
    """

    def __init__(self) -> None:
        self.left = UNPACKED_FREE

    def stored(self, count: int) -> None:
        """Take note of so many bytes in the journal."""
        self.left += count * UNPACKED_RATIO

    def spend(self, count: int) -> None:
        """Take note of so many bytes that were unpacked. Raises `ValueError` where they are more than are left."""
        if count > self.left:
            raise ValueError(f"it unpacks to more than {UNPACKED_RATIO} times its size")
        self.left -= count
