"""Who is at work on a run: the process that records it holds a lock on its folder, and each traced one on its journal.

Locks are the kernel's: they end with their process, however it ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl

    HAS_LOCKS = True
except ImportError:  # not on this system: nothing is ever seen to run
    HAS_LOCKS = False


@contextmanager
def locked(path: Path, shared: bool = False) -> Iterator[bool]:
    """Lock a folder or file while the block runs. Gives whether nobody else had it locked.

    Many may have a lock at once that is `shared`. The block may run a user's program, which may close any file number:
    if the number then belongs to another file, that file is left open.
    """
    # Without blocking, in case the path has just become a FIFO, whose opening waits for a writer.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    ours = os.fstat(handle)
    try:
        yield _try(handle, shared)
    finally:
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), ours):
                os.close(handle)


def is_locked(path: Path) -> bool:
    """Whether somebody else has locked `path`, and not shared. Two that ask at the same moment do not see each other.

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
        pass  # a file system without locks
    return True
