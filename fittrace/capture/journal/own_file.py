"""A file of fittrace's own, in a process whose file descriptors belong to the program.

A program may close all descriptors, as daemonisers do, or open another file under the same number. So before each use,
the file behind the number is compared with ours, by device and inode. If it is another file, the number is now the
program's. Then the number is left alone, and our file is opened again by its path.

Another thread may close the number between the comparison and the write. That is harmless: the system gives a new file
the lowest free number, and ours is a high one. Also, writes name their position in the file, which pipes and sockets
refuse. A compiled pin keeps the file's lock while the number is closed.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Callable

from ..compiled import native
from ..isolation.original_os import HAS_LOCKS, System

if HAS_LOCKS:
    import fcntl

pinned: Any = getattr(native, "pinned", None)
"""Makes a pin. None if nothing is compiled, or if there are no pins on this system."""

HIGHEST = 4096
"""The private number is below it, because a process' table of descriptors is as long as its highest number."""
_BELOW = 64
"""The private number is the lowest free one of this many numbers below the highest."""
_LOW = 512
"""If the limit of descriptors is below it, no number is high enough, and the file keeps the number that it has."""
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EIO)
"""Errors of opening an existing file that may pass."""


class Removed(Exception):
    """The file has been removed from its path. What is written to it is lost."""


def is_there(path: str) -> bool:
    """Whether a path exists."""
    try:
        System.stat(path)
    except OSError:
        return False
    return True


def remove_unwritten(path: str) -> None:
    """Remove a file that is still empty because its creation was interrupted."""
    try:
        if System.stat(path, follow_symlinks=False).st_size == 0:
            System.unlink(path)
    except OSError:
        pass  # it was not created


class OwnFile:
    """A new file, open for appending, and locked while the process lives.

    - `path`: the path of the file. Its folder is created if it does not exist.
    - `reopened`: called when the file was opened again.

    Raises `OSError` if the file cannot be created.
    """

    def __init__(self, path: str, reopened: Callable[[], None]) -> None:
        self._path = os.path.abspath(path)
        self._reopened = reopened
        try:
            # Only the folder itself, not its parents: a folder that the program has removed stays removed.
            System.mkdir(os.path.dirname(self._path))
        except FileExistsError:
            pass
        # Open it for reading too; otherwise it cannot be pinned.
        self._number = _private(_open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        status = System.fstat(self._number)
        self._identity = _identity(status)
        self._has_links = status.st_nlink > 0  # some file systems do not count links
        _lock(self._number)
        self._pin = _pinned(self._number)

    def size(self) -> int:
        """The size of the file in bytes. If the program has closed the file, it is opened again.

        Raises `Removed`, or `OSError` if the file cannot be opened now.
        """
        status = self._status()
        if status is None:
            status = self._open_again()
        if self._has_links and status.st_nlink == 0:
            raise Removed(self._path)
        return status.st_size

    def append(self, data: bytes) -> None:
        """Append all of `data` or nothing. Raises as `size` does, and `OSError` if the disk refuses."""
        end = at = self.size()
        try:
            while at < end + len(data):
                at += self.write(data[at - end :], at)
        except OSError:
            if at > end and self._status() is not None:
                System.ftruncate(self._number, end)
            raise

    def write(self, data: bytes, at: int) -> int:
        """Write `data` at the position `at`. Returns the number of bytes written."""
        self.size()
        if System.write_at is not None:
            return int(System.write_at(self._number, data, at))
        System.seek(self._number, at, os.SEEK_SET)
        return System.write(self._number, data)

    def close(self) -> None:
        """Close the file; its lock goes with it."""
        if self._status() is not None:
            System.close(self._number)
        self._number = -1
        self._pin = None

    def _status(self) -> os.stat_result | None:
        """The status of the file. None if the number is no longer ours."""
        try:
            status = System.fstat(self._number)
        except OSError:
            return None
        return status if _identity(status) == self._identity else None

    def _open_again(self) -> os.stat_result:
        self._number = -1  # do not close the old number: it is the program's now
        try:
            self._number = _private(_open(self._path, os.O_RDWR))
        except OSError as error:
            if error.errno in _PASSING:
                raise
            raise Removed(self._path) from None
        status = self._status()
        if status is None:
            System.close(self._number)
            self._number = -1
            raise Removed(self._path)
        _lock(self._number)
        self._reopened()
        return status


def _open(path: str, flags: int) -> int:
    """Open a file, but never through a symbolic link, and without waiting for the other end of a pipe."""
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    return System.open(path, flags, 0o644)


def _private(number: int) -> int:
    """A high number for the same open file, which the program does not get by chance. Else `number` itself."""
    if not HAS_LOCKS:
        return number
    limit = System.sysconf("SC_OPEN_MAX")  # not `resource.getrlimit`: the program may not have imported it
    if 0 <= limit < _LOW:
        return number
    highest = HIGHEST if limit < 0 else min(limit, HIGHEST)
    try:
        private = System.control(number, fcntl.F_DUPFD_CLOEXEC, highest - _BELOW)
    except (OSError, ValueError, AttributeError):
        return number
    System.close(number)
    return private


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _lock(number: int) -> None:
    if HAS_LOCKS:
        try:
            System.lock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # the file system has no locks, or our pin still holds the lock


def _pinned(number: int) -> Any:
    if pinned is None:
        return None
    try:
        return pinned(number)
    except OSError:
        return None
