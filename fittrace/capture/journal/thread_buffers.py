"""The threads that record: the buffer of each, and how much of it was collected."""

from __future__ import annotations

from typing import Sequence

from ..isolation import original_threads
from ..sites import Site
from .load_shedder import KEEP_ALL, LoadShedder, StandIns
from .record_buffer import Buffer


class Thread:
    """One thread: its number in the journal, its buffer, and how many chunks of it were taken."""

    def __init__(self, number: int, buffer: Buffer) -> None:
        self.number = number
        self.buffer = buffer
        self.chunks = 0
        self.thinning: LoadShedder | None = None

    def take(self) -> Sequence[int]:
        """Everything recorded until now, which counts as a chunk even if it never gets into the journal."""
        taken = self.buffer.take()
        self.chunks += bool(taken)
        return taken

    def thin(
        self, records: Sequence[int], sites: Sequence[Site], stand_ins: StandIns, level: int
    ) -> tuple[Sequence[int], Sequence[int]]:
        """What is kept of the `records` just taken, and how many of each level are not."""
        if self.thinning is None and level == KEEP_ALL:
            return records, ()
        thinning = self.thinning = self.thinning or LoadShedder(stand_ins)
        kept, dropped = thinning.thin(records, sites, level)
        if level == KEEP_ALL and thinning.is_over:
            self.thinning = None
        if records and not kept:
            self.chunks -= 1  # nothing is missing
        return kept, dropped


class Threads:
    """The threads of one process, `all` in the order of their numbers."""

    def __init__(self) -> None:
        self.all: list[Thread] = []
        # A signal handler may train, in a new greenlet, while the lock is held by what it interrupts.
        self._adding = original_threads.RLock()
        # By a thread's identity: the buffer of its recorder, and the buffer that its next recorder goes on with.
        self._buffers: dict[int, Buffer] = {}
        self._handed_on: dict[int, Buffer] = {}

    def add(self, identity: int) -> Thread:
        """A thread that is new."""
        with self._adding:
            buffer = self._buffers[identity] = Buffer()
            thread = Thread(len(self.all), buffer)
            self.all.append(thread)
            return thread

    def hand_on(self, identity: int) -> None:
        """Let a thread's next recorder go on with the buffer of its present one, if there is one."""
        if identity in self._buffers:
            self._handed_on[identity] = self._buffers[identity]

    def handed_on(self, identity: int) -> "Buffer | None":
        """The buffer that a thread's new recorder goes on with. None: it gets a new one."""
        return self._handed_on.pop(identity, None)

    def counts(self) -> "list[tuple[Thread, int]]":
        """How long the buffer of each is."""
        return [(thread, len(thread.buffer)) for thread in list(self.all)]

    def take(self) -> "list[tuple[Thread, Sequence[int]]]":
        """Everything that each has recorded until now."""
        return [(thread, thread.take()) for thread in list(self.all)]

    def begin_again(self) -> None:
        """Drop what was recorded, and number each one's chunks from the first, for another journal."""
        for thread in self.all:
            thread.buffer.clear()
        self.all = [Thread(thread.number, thread.buffer) for thread in self.all]

    def fork(self, survivor: "int | None") -> None:
        """Drop all records, and all threads but `survivor`, in a process that was forked off. It becomes the first."""
        for thread in self.all:
            thread.buffer.clear()
        self.all = [Thread(0, thread.buffer) for thread in self.all if thread.number == survivor]
        self._buffers.clear()
        # Another thread, which is not there any more, may have held the old one.
        self._adding = original_threads.RLock()
