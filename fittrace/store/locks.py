"""Locks, which show whether a run is still running.

The process that records a run locks its folder, and each traced process locks its journal. The kernel releases a lock
when its process ends, however it ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl

    HAS_LOCKS = True
except ImportError:  # this system has none, so no run is ever seen to be running
    HAS_LOCKS = False


@contextmanager
def locked(path: Path, shared: bool = False) -> Iterator[bool]:
    """Lock a folder or file while the block runs. Yields whether the lock was free.

    A `shared` lock can be held by many at once, but not together with one that is not shared.
    """
    # Without blocking, in case the path has just become a FIFO: opening that would wait for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    ours = os.fstat(handle)
    try:
        yield _try(handle, shared)
    finally:
        # The block may run a user's program, which may close any file descriptor. If the number belongs to another file
        # now, that file stays open.
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), ours):
                os.close(handle)


def is_locked(path: Path) -> bool:
    """Whether somebody else holds a lock on `path` that is not shared.

    It tries a shared lock, so that two processes that ask at the same moment do not take each other for a run.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with locked(folder):
    ...     is_locked(folder)
    True
    """
    try:
        with locked(path, shared=True) as free:
            return not free
    except OSError:
        return False


def _try(handle: int, shared: bool) -> bool:
    try:
        if HAS_LOCKS:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks, where each lock counts as free
    return True
