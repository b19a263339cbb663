"""Locks on files and folders, which show what other processes do with a run.

What each lock means is said in `converter_lock`. The kernel releases a lock when its process ends, however it ends.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl

    HAS_LOCKS = True
except ImportError:  # this system has none, so no run is ever seen to be running
    HAS_LOCKS = False

_PAUSE_S = 0.01


@contextmanager
def locked(path: Path, shared: bool = False, wait_s: float = 0.0) -> Iterator[bool]:
    """Lock a folder or file while the block runs. Yields whether the lock was free.

    - `path`: the folder or file.
    - `shared`: whether others may hold the lock too, if theirs is shared as well.
    - `wait_s`: for how many seconds to try. `is_locked` holds a shared lock for a moment, which a lock that is not
      shared should wait for.
    """
    handle = _open(path)
    ours = os.fstat(handle)
    try:
        deadline = time.monotonic() + wait_s
        while not (free := _try(handle, shared)) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
        yield free
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


def _open(path: Path) -> int:
    """Open a folder or a file. A link to a folder may be the user's way to a run; one to a file is not followed."""
    # Without blocking, in case the path has just become a FIFO: opening that would wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
    try:
        return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return os.open(path, flags | os.O_DIRECTORY)


def _try(handle: int, shared: bool) -> bool:
    try:
        if HAS_LOCKS:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks, where each lock counts as free
    return True
