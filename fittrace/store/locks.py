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
def held(path: Path, shared: bool = False) -> Iterator[bool]:
    """Hold the lock on a folder or file while the block runs; gives whether it was free. Many may hold it `shared`.

    The block may be a program's, which closes whatever it likes: what has the number by then is left alone.
    """
    # What became a FIFO just now is not waited for.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    ours = os.fstat(handle)
    try:
        yield _try(handle, shared)
    finally:
        with suppress(OSError):
            if os.path.samestat(os.fstat(handle), ours):
                os.close(handle)


def is_held(path: Path) -> bool:
    """Whether another holder has the lock for itself. Two that ask at the same moment do not see each other.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with held(folder):
    ...     is_held(folder)
    True
    """
    try:
        with held(path, shared=True) as free:
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
