"""The two background threads of a capture: one collects records, the other writes them to the journal."""

from __future__ import annotations

from typing import Any, Callable

from ..isolation import original_threads
from .definitions import Definitions

PERIOD_S = 0.2
"""Seconds between two collections. A killed process loses at most the records of this time."""
WRITE_PERIOD_S = 1
"""Seconds between two writes if nothing wakes the writer."""
PATIENCE_S = 1
"""Seconds to wait for a thread to begin, and in `end` for each thread to end."""


class BackgroundThreads:
    """Calls `collect` and `write` again and again, each in a thread of its own, until `end`.

    - `collect`: takes the records away from the threads that make them.
    - `write`: writes what was collected. `wake_writer` makes the thread call it at once.
    - `definitions`: receives notes of faults.

    These threads are no `threading.Thread`s. So the program does not see them, and they never delay its exit.
    """

    def __init__(self, collect: Callable[[], None], write: Callable[[], None], definitions: Definitions) -> None:
        self._collect = collect
        self._write = write
        self._definitions = definitions
        self._is_over = False
        # The writer waits for `_wake`, the collector for `_over`. Both are locked as long as there is nothing to do.
        self._wake = _locked()
        self._over = _locked()
        # For each running loop, a lock that its thread holds until it ends.
        self._running: dict[Callable[[], None], Any] = {}
        # Reentrant: a signal handler may start a thread while the code that it interrupts holds the lock.
        self._starting = original_threads.RLock()

    def start_collecting(self) -> None:
        """Start the collector's thread, unless it is already running."""
        self._start(self._collect_until_over)

    def start_writing(self) -> None:
        """Start the writer's thread, unless it is already running."""
        self._start(self._write_until_over)

    def wake_writer(self) -> None:
        """Make the writer's thread write now."""
        _release(self._wake)

    def end(self) -> None:
        """End the threads, and wait for their end.

        Otherwise the interpreter ends them by force when it shuts down. In a process that has changed its root
        directory, that kills the whole process.
        """
        self._is_over = True
        _release(self._over)
        _release(self._wake)
        for ended in self._running.values():
            if ended.acquire(True, PATIENCE_S):
                ended.release()

    def _start(self, loop: Callable[[], None]) -> None:
        with self._starting:
            if loop in self._running:
                return
            begun, ended = _locked(), _locked()
            try:
                # Not `threading.Thread`: the program sees its own threads only.
                original_threads.start_new_thread(_run, (loop, begun, ended))
            except RuntimeError as error:  # the interpreter is shutting down; `Session.close` writes the rest
                begun.release()
                ended.release()
                self._definitions.fault("starting its threads", error)
            self._running[loop] = ended
        # Wait for the thread's first frame. If the program took all memory before, Python would print an error for it.
        begun.acquire(True, PATIENCE_S)

    def _collect_until_over(self) -> None:
        self._repeat(self._wait_and_collect, "collecting records")

    def _write_until_over(self) -> None:
        self._repeat(self._wait_and_write, "writing the journal")

    def _repeat(self, work: Callable[[], None], where: str) -> None:
        while not self._is_over:
            try:
                try:
                    work()
                except Exception as error:
                    self._definitions.fault_in_background(where, error)
            except MemoryError:
                # There is no memory for a note either. The thread goes on, since memory may become free.
                pass

    def _wait_and_collect(self) -> None:
        if self._over.acquire(True, PERIOD_S):
            self._over.release()
        self._collect()

    def _wait_and_write(self) -> None:
        self._wake.acquire(True, WRITE_PERIOD_S)
        self._write()


def _run(loop: Callable[[], None], begun: Any, ended: Any) -> None:
    try:
        begun.release()
        loop()
    except MemoryError:
        pass  # no memory even for the loop's frame; `Session.close` writes the rest
    finally:
        ended.release()


def _locked() -> Any:
    lock = original_threads.allocate_lock()
    lock.acquire()
    return lock


def _release(lock: Any) -> None:
    if lock.locked():
        lock.release()
