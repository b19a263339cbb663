"""How much memory this process has, read from Linux' `/proc`. Elsewhere nothing is read.

Each reading opens its file and closes it again: an open descriptor would be the parent's in a forked child.
"""

from __future__ import annotations

import os
import sys

from ...schema.memory_keys import BLOCKS, LIMIT, RESIDENT
from ..isolation.interruptions import is_programs
from ..isolation.original_os import System

IS_KNOWN = sys.platform == "linux"
"""Whether the system tells a process its memory."""

_STATM = "/proc/self/statm"
_MEMORY = "/proc/meminfo"
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""The limits of a process' cgroup, in version 2 and version 1."""
_LONGEST = 4096


class MemoryReader:
    """Reads the memory of the calling process. Its methods raise OSError if the system does not tell it."""

    def __init__(self) -> None:
        self._limit = 0
        """The limit, once it was read: reading it takes three files."""

    def around_hooks(self) -> "dict[str, int]":
        """What is read before the first callback of a hook, and after each."""
        # The second number counts pages: proc(5).
        return {RESIDENT: int(_read(_STATM).split()[1]) * System.page_size}

    def around_fits(self) -> "dict[str, int]":
        """What is read as a fit begins and ends: also Python's blocks, and the limit.

        Python counts its blocks: that takes half a millisecond where there are two million of them.
        """
        self._limit = self._limit or limit()
        return {**self.around_hooks(), BLOCKS: sys.getallocatedblocks(), LIMIT: self._limit}


def limit() -> int:
    """The bytes that the process may have: the limit of its cgroup, or the memory of the machine if that is less."""
    # The first line is such as b"MemTotal:  24576000 kB".
    limits = [int(_read(_MEMORY).split()[1]) * 1024]
    for file in _LIMITS:
        try:
            text = _read(file).strip()
        except OSError as error:
            # This version of cgroups is not there. A time-out that a signal handler raises is an OSError too.
            if is_programs(error):
                raise
            continue
        if text.isdigit():
            limits.append(int(text))
    return min(limits)


def _read(file: str) -> bytes:
    descriptor = System.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return System.read(descriptor, _LONGEST)
    finally:
        System.close(descriptor)


READER = MemoryReader()
"""The reader of this process, and of those that are forked off."""
