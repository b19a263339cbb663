"""The writer: appends blocks to the process' journal, and waits for a disk that is slow or full.

A block is written whole or not at all, so the file can be read at any moment. The file stays locked while the process
lives: a reader knows from the lock whether the run goes on. Near its beginning some room is kept for a note that the
disk took no more. Where the file is removed, nothing more is kept.
"""

from __future__ import annotations

from collections import deque
from typing import Callable

from ...schema.journal_format import DEFINE, MAGIC, block
from ..isolation import original_threads
from ..isolation.clock import Clock
from .own_file import OwnFile, Removed

BOUND = 64 << 20
"""Bytes that may wait to be written."""
RETRY_S = 1.0
_ROOM = 400
"""Bytes kept for the definition that says that the disk refuses."""


class Writer:
    """A journal open for appending. Raises `OSError` where the file cannot be made.

    path: the file's.
    failed: called when the disk refuses; gives the text of a definition that says so.
    reopened: called when the program had closed the file.
    removed: called when the file is gone.
    """

    def __init__(
        self,
        path: str,
        failed: Callable[[OSError], str],
        reopened: Callable[[], None],
        removed: Callable[[], None],
    ) -> None:
        self.waiting = 0
        self._failed = failed
        self._removed = removed
        self._is_lost = False
        self._queue: deque[bytes] = deque()
        self._busy = original_threads.allocate_lock()
        self._file = OwnFile(path, reopened)
        self._has_room = True
        self.put(MAGIC + _definition('{"define": "room"}'))

    def put(self, data: bytes) -> None:
        """Queue a block."""
        if not self._is_lost:
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
        deadline = None if give_up_after_s is None else Clock.now_ns() + int(give_up_after_s * 1e9)
        if not self._busy.acquire(True, -1 if give_up_after_s is None else max(give_up_after_s, 0.01)):
            return False
        try:
            while True:
                try:
                    self._write_queued()
                    return True
                except Removed:
                    self._lose()
                    return True
                except OSError as error:
                    self._tell(self._failed(error))
                    if deadline is None or Clock.now_ns() > deadline:
                        return False
                    Clock.sleep(RETRY_S / 10)
        finally:
            self._busy.release()

    def _write_queued(self) -> None:
        if self._is_lost:
            return
        self._file.size()  # also where nothing is queued: a reader looks at the lock, which may be gone with the file
        while self._queue:
            self._file.append(self._queue[0])
            self.waiting -= len(self._queue.popleft())

    def _lose(self) -> None:
        """Keep nothing any more: the file is gone, and the room that it takes is given back."""
        self._is_lost = True
        self._queue.clear()
        self.waiting = 0
        self._file.close()
        self._removed()

    def _tell(self, definition: str) -> None:
        """Write a definition into the room that is kept for it, once."""
        try:
            if self._has_room and self._file.size():
                self._has_room = False
                self._file.write(_definition(definition), len(MAGIC))
        except (OSError, Removed):
            pass

    def close(self) -> None:
        """Close the file; its lock goes with it."""
        self._file.close()


def _definition(text: str) -> bytes:
    return block(DEFINE, text.encode()[:_ROOM].ljust(_ROOM))
