"""The two background threads of a capture: one collects records, the other writes them to the journal."""

from __future__ import annotations

from typing import Any, Callable

from ..isolation import original_threads
from .definitions import Definitions

PERIOD_S = 0.2
"""The time between two collections. A killed process has lost at most the records of so long."""
WRITE_PERIOD_S = 1
"""The time between two writes where nothing was collected in between."""
PATIENCE_S = 1
"""How long is waited for a thread to begin, and in `end` for each to end."""


class BackgroundThreads:
    """Calls `collect` and `write` again and again, each in a thread of its own, until `end`.

    collect: takes the records away from the threads that make them.
    write: writes what was collected; called once more whenever `wake_writer` is.
    definitions: take what fails.

    The program does not see these threads, and they never delay its exit: they are no `threading.Thread`s.
    """

    def __init__(self, collect: Callable[[], None], write: Callable[[], None], definitions: Definitions) -> None:
        self._collect = collect
        self._write = write
        self._definitions = definitions
        self._is_over = False
        # The writer waits for `_wake`, the collector for `_over`: each is locked as long as there is nothing to do.
        self._wake = _locked()
        self._over = _locked()
        # For each loop that runs, a lock that its thread holds until it has ended.
        self._running: dict[Callable[[], None], Any] = {}
        # A signal handler may start a thread while the lock is held by what it interrupts.
        self._starting = original_threads.RLock()

    def start_collecting(self) -> None:
        """Start the thread that collects, unless it runs already."""
        self._start(self._collect_until_over)

    def start_writing(self) -> None:
        """Start the thread that writes, unless it runs already."""
        self._start(self._write_until_over)

    def wake_writer(self) -> None:
        """Let the thread that writes do so now."""
        _release(self._wake)

    def end(self) -> None:
        """Let the threads end, and wait until they have.

        An interpreter that shuts down ends them by force, which ends the whole process where it has changed its root.
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
            except RuntimeError as error:  # the interpreter is shutting down; `Session.close` writes what there is
                begun.release()
                ended.release()
                self._definitions.fault("starting its threads", error)
            self._running[loop] = ended
        # The program may take all memory next, and Python complains on standard error of a thread that gets no frame.
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
                # There is no memory for a note either. The thread goes on: there may be some later.
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
        pass  # even the loop's own frame found no memory; `Session.close` writes what there is
    finally:
        ended.release()


def _locked() -> Any:
    lock = original_threads.allocate_lock()
    lock.acquire()
    return lock


def _release(lock: Any) -> None:
    if lock.locked():
        lock.release()
