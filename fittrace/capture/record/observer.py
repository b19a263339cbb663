"""Who sees the records of a session as they are made, beside the journal."""

from __future__ import annotations

import struct
from typing import Callable, Sequence

Append = Callable[[Sequence[int]], None]
TOLD, PASSED_OVER, ENTERS, LEAVES, SIFTED = range(5)
"""What is done with the records of a site: they are told; they are not; they are the beginning of a frame, or the end
of one, of which nothing is told as long as nothing in the frame is; those are told that pass the sieve."""
SIEVE = struct.Struct("=QQq")
"""What a sieve holds: `shift`, `limit` and `due`. A record passes whose moment is not before `due`; or whose moment and
the shift together, scattered, are below the limit."""
NEVER = (1 << 63) - 1
"""The `due` that no moment reaches."""


class Observing:
    """Sees the records of one thread. Nothing that it does may raise.

    `interest` has a byte for each site, which says what is done with its records; those of later sites are told.
    `sieve` is a `SIEVE`. Both may change while it is told something.
    """

    interest: bytearray
    sieve: bytearray

    def observe(self, record: Sequence[int], entered: int) -> None:
        """Take a record that was appended just now, after so many beginnings of frames that nothing was told of."""
        raise NotImplementedError


class Observer:
    """Sees the records of every thread."""

    def observing(self, append: Append) -> Observing:
        """What sees the records of the calling thread from now on; `append` adds one that nobody is told of."""
        raise NotImplementedError

    def forked(self) -> None:
        """Called in a process that was forked off: what began before ends in the parent alone."""
