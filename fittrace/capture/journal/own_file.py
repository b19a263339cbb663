"""A file of fittrace's own, in a process whose descriptors belong to the program.

A program may close every descriptor there is, as daemonisers do, or put another file under its number. So the file
behind the number is compared with ours, by device and inode, before anything is done with it. Where it is another, the
number is the program's and is left alone, and ours is opened again by its path.

Another thread may close the number between the look and the write. That does no harm by then: the system gives a new
file the lowest number that is free, and ours is a high one. Writes say where in the file they go, so a pipe or a socket
takes none. A compiled pin keeps the file's lock while the number is closed.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Callable

from ..isolation.original_os import HAS_LOCKS, System

if HAS_LOCKS:
    import fcntl

try:
    from .._native import pinned  # type: ignore[import-not-found, unused-ignore]
except ImportError:  # nothing is compiled, or there are no pins on this system
    pinned = None

HIGHEST = 4096
"""The private number is below it, since a process' table of descriptors is as long as its highest number."""
_BELOW = 64
_LOW = 512
"""Where the limit of descriptors is below it, there is no high number, and the file keeps its own."""
_PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINTR, errno.EIO)
"""Why a file that is there cannot be opened now, but may be later."""


class Removed(Exception):
    """The file is not at its path any more, and what is written is lost."""


def is_there(path: str) -> bool:
    """Whether there is something at a path."""
    try:
        System.stat(path)
    except OSError:
        return False
    return True


def remove_unwritten(path: str) -> None:
    """Remove a file that was made, and whose maker was interrupted before anything was written to it."""
    try:
        if System.stat(path, follow_symlinks=False).st_size == 0:
            System.unlink(path)
    except OSError:
        pass  # it was not made


class OwnFile:
    """A new file at `path`, open to be appended to, and locked while the process lives.

    `reopened` is called when it had to be opened again. Raises `OSError` where it cannot be made.
    """

    def __init__(self, path: str, reopened: Callable[[], None]) -> None:
        self._path = os.path.abspath(path)
        self._reopened = reopened
        try:
            # No folder above it: one that the program has removed stays removed.
            System.mkdir(os.path.dirname(self._path))
        except FileExistsError:
            pass
        # Open for reading too, or it could not be pinned.
        self._number = _private(_open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        status = System.fstat(self._number)
        self._identity = _identity(status)
        self._has_links = status.st_nlink > 0  # some file systems do not count them
        _lock(self._number)
        self._pin = _pinned(self._number)

    def size(self) -> int:
        """How long the file is; it is opened again where the program has closed it.

        Raises `Removed`, and `OSError` where it cannot be opened now.
        """
        status = self._status()
        if status is None:
            status = self._open_again()
        if self._has_links and status.st_nlink == 0:
            raise Removed(self._path)
        return status.st_size

    def append(self, data: bytes) -> None:
        """Write at the end, all of it or nothing. Raises as `size` does, and `OSError` where the disk refuses."""
        end = at = self.size()
        try:
            while at < end + len(data):
                at += self.write(data[at - end :], at)
        except OSError:
            if at > end and self._status() is not None:
                System.ftruncate(self._number, end)
            raise

    def write(self, data: bytes, at: int) -> int:
        """Write at a place; how much was written."""
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
        """What the system says of the file; None where the number is not ours any more."""
        try:
            status = System.fstat(self._number)
        except OSError:
            return None
        return status if _identity(status) == self._identity else None

    def _open_again(self) -> os.stat_result:
        self._number = -1  # never to be closed: whatever has the number now is the program's
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
    """Open a file, never through a link, and without waiting for who might read a pipe."""
    for name in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    return System.open(path, flags, 0o644)


def _private(number: int) -> int:
    """A number for the same open file that the program is not given by and by; `number` where there is none."""
    if not HAS_LOCKS:
        return number
    limit = System.sysconf("SC_OPEN_MAX")  # as `resource.getrlimit`, a module that the program may not have imported
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
            pass  # a file system without locks; or our pin still holds it


def _pinned(number: int) -> Any:
    if pinned is None:
        return None
    try:
        return pinned(number)
    except OSError:
        return None
