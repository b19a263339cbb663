"""The writer: it appends blocks to the process' journal, and tries again while the disk refuses.

A block is written completely or not at all, so the file can be read at any time. The file is locked while the process
lives; the lock tells a reader that the run still goes on. Near its beginning, the file has room for a note that the
disk refused. If the file is removed, all further blocks are dropped.
"""

from __future__ import annotations

from collections import deque
from typing import Callable

from ...schema.journal_format import MAGIC, BlockKind, block
from ..isolation import original_threads
from ..isolation.clock import Clock
from .own_file import OwnFile, Removed

BOUND = 64 << 20
"""Bytes of the queue at which it counts as full."""
RETRY_S = 1.0
_ROOM = 400
"""Bytes reserved for the definition that the disk refused."""


class Writer:
    """A journal, open for appending. Raises `OSError` if the file cannot be created.

    - `path`: the path of the file.
    - `failed`: called when the disk refuses. Returns the text of a definition that says so.
    - `reopened`: called when the file was opened again, because the program had closed it.
    - `removed`: called when the file has been removed.
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
        """The part of `BOUND` that is in use; 1.0 is full."""
        return self.waiting / BOUND

    def write(self, give_up_after_s: float | None = None) -> bool:
        """Write the queued blocks. Returns whether the queue is empty.

        - `give_up_after_s`: for how many seconds to try again while the disk refuses. None: do not try again.
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
                    self._write_note(self._failed(error))
                    if deadline is None or Clock.now_ns() > deadline:
                        return False
                    Clock.sleep(RETRY_S / 10)
        finally:
            self._busy.release()

    def _write_queued(self) -> None:
        if self._is_lost:
            return
        self._file.size()  # opens the file again if needed, even if nothing is queued: readers rely on its lock
        while self._queue:
            self._file.append(self._queue[0])
            self.waiting -= len(self._queue.popleft())

    def _lose(self) -> None:
        """Drop all blocks from now on. The file has been removed; closing it frees its disk space."""
        self._is_lost = True
        self._queue.clear()
        self.waiting = 0
        self._file.close()
        self._removed()

    def _write_note(self, definition: str) -> None:
        """Write a definition into the room that is reserved for it, once."""
        try:
            if self._has_room and self._file.size():
                self._has_room = False
                self._file.write(_definition(definition), len(MAGIC))
        except (OSError, Removed):
            pass

    def close(self) -> None:
        """Close the file, which releases its lock."""
        self._file.close()


def _definition(text: str) -> bytes:
    return block(BlockKind.DEFINE, text.encode()[:_ROOM].ljust(_ROOM))
