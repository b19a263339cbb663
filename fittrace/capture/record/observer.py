"""Observers: what sees the records of a capture as they are made, beside the journal."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Callable, Sequence

Append = Callable[[Sequence[int]], None]


class Dispatch(IntEnum):
    """What is done with the records of a site. `native/native.h` has the same numbers."""

    OBSERVED = 0
    """The observer is given each of them."""
    IGNORED = 1
    """The observer is given none of them."""
    ENTERS = 2
    """They begin a frame, and are only counted. The count is given with the next record that is observed."""
    LEAVES = 3
    """They end a frame. Where its beginning was only counted, it is taken off the count; else they are observed."""
    FILTERED = 4
    """The observer is given those that pass the batch filter."""


BATCH_FILTER = struct.Struct("=QQq")
"""The layout of a batch filter: `shift`, `limit` and `due`.

A record passes where its time is not before `due`, or where the hash of its time plus `shift` is below `limit`.
"""
NEVER = (1 << 63) - 1
"""A `due` that no time reaches."""


class Observing:
    """Sees the records of one thread. Nothing that it does may raise.

    `interest` has a byte for each site, a `Dispatch`; records of later sites are observed. `batch_filter` is laid out
    as `BATCH_FILTER` says. Both may change in the midst of `observe`.
    """

    interest: bytearray
    batch_filter: bytearray

    def observe(self, record: Sequence[int], entered: int) -> None:
        """Take a record that was appended just now.

        `entered` counts the frames that have begun since the record before, and have not ended again.
        """
        raise NotImplementedError


class Observer:
    """Sees the records of every thread."""

    def observing(self, append: Append) -> Observing:
        """What sees the records of the calling thread from now on; `append` adds a record that nobody observes."""
        raise NotImplementedError

    def forked(self) -> None:
        """Called in a process that was forked off: what began before ends in the parent alone."""
