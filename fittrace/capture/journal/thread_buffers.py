"""The recording threads, each with its buffer and the number of its collected chunks."""

from __future__ import annotations

from typing import Sequence

from ..isolation import original_threads
from ..sites import Site
from .load_shedder import Keep, LoadShedder, StandIns
from .record_buffer import Buffer


class Thread:
    """One recording thread.

    - `number`: its number in the journal.
    - `buffer`: the records that are not collected yet.
    - `chunks`: how many chunks of records were collected.
    - `shedder`: what drops its records while the disk cannot keep up. None if nothing is dropped.
    """

    def __init__(self, number: int, buffer: Buffer) -> None:
        self.number = number
        self.buffer = buffer
        self.chunks = 0
        self.shedder: LoadShedder | None = None

    def take(self) -> Sequence[int]:
        """Empty the buffer, and return its records. They count as a chunk even if they are dropped later."""
        taken = self.buffer.take()
        self.chunks += bool(taken)
        return taken

    def shed(
        self, records: Sequence[int], sites: Sequence[Site], stand_ins: StandIns, level: Keep
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Drop records as the load demands. Returns the kept records, and the number of dropped ones by level.

        - `records`: the records just taken.
        - `sites`: all sites, by number.
        - `stand_ins`: the sites of the records that replace dropped ones.
        - `level`: what to keep.
        """
        if self.shedder is None and level == Keep.ALL:
            return records, ()
        shedder = self.shedder = self.shedder or LoadShedder(stand_ins)
        kept, dropped = shedder.shed(records, sites, level)
        if level == Keep.ALL and shedder.is_over:
            self.shedder = None
        if records and not kept:
            self.chunks -= 1  # the reader must not miss a chunk that was never written
        return kept, dropped


class Threads:
    """The recording threads of one process. `all` has them by number."""

    def __init__(self) -> None:
        self.all: list[Thread] = []
        # Reentrant: a signal handler may train in a new greenlet while the code that it interrupts holds the lock.
        self._adding = original_threads.RLock()
        # By a thread's identity: the buffer of its recorder, and the buffer that its next recorder takes over.
        self._buffers: dict[int, Buffer] = {}
        self._handed_on: dict[int, Buffer] = {}

    def add(self, identity: int) -> Thread:
        """Add a new thread. `identity` is that of `threading.get_ident`."""
        with self._adding:
            buffer = self._buffers[identity] = Buffer()
            thread = Thread(len(self.all), buffer)
            self.all.append(thread)
            return thread

    def hand_on(self, identity: int) -> None:
        """Let a thread's next recorder take over the buffer of its present recorder, if there is one."""
        if identity in self._buffers:
            self._handed_on[identity] = self._buffers[identity]

    def handed_on(self, identity: int) -> "Buffer | None":
        """The buffer that a thread's new recorder takes over. None: it needs a new buffer."""
        return self._handed_on.pop(identity, None)

    def counts(self) -> "list[tuple[Thread, int]]":
        """Each thread with the length of its buffer."""
        return [(thread, len(thread.buffer)) for thread in list(self.all)]

    def take(self) -> "list[tuple[Thread, Sequence[int]]]":
        """Each thread with the records taken from its buffer."""
        return [(thread, thread.take()) for thread in list(self.all)]

    def begin_again(self) -> None:
        """Empty all buffers, and count chunks from 0, for another journal."""
        for thread in self.all:
            thread.buffer.clear()
        self.all = [Thread(thread.number, thread.buffer) for thread in self.all]

    def fork(self, survivor: "int | None") -> None:
        """Keep only the thread `survivor`, as number 0, in a forked process. All records are dropped."""
        for thread in self.all:
            thread.buffer.clear()
        self.all = [Thread(0, thread.buffer) for thread in self.all if thread.number == survivor]
        # The survivor keeps its buffer. Else its next recorder would make it a second thread of the same name.
        kept = {id(thread.buffer) for thread in self.all}
        self._buffers = {identity: buffer for identity, buffer in self._buffers.items() if id(buffer) in kept}
        # A thread that no longer exists after the fork may have held the old lock.
        self._adding = original_threads.RLock()
