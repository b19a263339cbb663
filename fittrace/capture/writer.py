"""The writer: appends blocks to the process' journal, and waits for a disk that is slow or full.

A block is written whole or taken back, so that what is in the file can be read at any moment. The file stays locked
while the process lives: a reader knows from the lock whether the run goes on. Near its beginning some room is kept, so
that it can be told that the disk refused to take more.
"""

from __future__ import annotations

import _thread
import os
import time
from collections import deque
from typing import Callable

from ..schema.journal import DEFINE, MAGIC, block

try:
    import fcntl
except ImportError:  # not on this system; a reader then takes every journal for finished
    fcntl = None  # type: ignore[assignment]

BOUND = 64 << 20
"""Bytes that may wait to be written."""
RETRY_S = 1.0
_ROOM = 400


class Writer:
    """A journal open for appending. `failed` is told when the disk refuses, and gives a definition that says so."""

    def __init__(self, path: str, failed: Callable[[OSError], str]) -> None:
        self.waiting = 0
        self._failed = failed
        self._queue: deque[bytes] = deque()
        self._busy = _thread.allocate_lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o644)
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                pass  # a file system without locks
        self._end = 0
        self._has_room = True
        self.put(MAGIC + _definition('{"define": "room"}'))

    def put(self, data: bytes) -> None:
        """Queue a block."""
        self.waiting += len(data)
        self._queue.append(data)

    @property
    def fullness(self) -> float:
        """How much of the bound is used."""
        return self.waiting / BOUND

    def write(self, give_up_after_s: float | None = None) -> bool:
        """Write what is queued. Where the disk refuses, try again until `give_up_after_s`; None: once.

        Returns whether the queue is empty.
        """
        deadline = None if give_up_after_s is None else time.monotonic() + give_up_after_s
        if not self._busy.acquire(True, -1 if give_up_after_s is None else max(give_up_after_s, 0.01)):
            return False
        try:
            while self._queue:
                try:
                    self._append(self._queue[0])
                except OSError as error:
                    self._tell(self._failed(error))
                    if deadline is None or time.monotonic() > deadline:
                        return False
                    time.sleep(RETRY_S / 10)
                    continue
                self.waiting -= len(self._queue.popleft())
            return True
        finally:
            self._busy.release()

    def _tell(self, definition: str) -> None:
        """Write, once, a definition into the room that is kept for it."""
        if self._has_room and self._end and hasattr(os, "pwrite"):
            self._has_room = False
            try:
                os.pwrite(self._file, _definition(definition), len(MAGIC))
            except OSError:
                pass

    def _append(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError:
            if written:
                os.ftruncate(self._file, self._end)
                os.lseek(self._file, self._end, os.SEEK_SET)
            raise
        self._end += written

    def close(self) -> None:
        """Close the file; its lock goes with it."""
        os.close(self._file)


def _definition(text: str) -> bytes:
    return block(DEFINE, text.encode()[:_ROOM].ljust(_ROOM))
