"""Shutdown: at the end of a program, the pipelines send their queues. The program waits at most `PATIENCE_S`."""

from __future__ import annotations

import threading
from typing import Callable

from ...capture.isolation.clock import Clock

PATIENCE_S = 3
"""Seconds that an ending program waits for the queues."""


class Shutdown:
    """A thread that calls `shut_down` when the program ends.

    The thread starts when this object is made, because an ending program can start no thread.
    """

    def __init__(self, shut_down: Callable[[], object]) -> None:
        self._shut_down = shut_down
        self._over = threading.Event()
        self._closed = threading.Event()
        threading.Thread(target=self._wait, name="fittrace-otlp", daemon=True).start()

    def _wait(self) -> None:
        self._over.wait()
        try:
            self._shut_down()
        finally:
            self._closed.set()

    def begin(self) -> None:
        """Make the thread shut down."""
        self._deadline = Clock.now_ns() + int(PATIENCE_S * 1e9)
        self._over.set()

    def wait(self) -> None:
        """Wait until the thread is done, at most `PATIENCE_S` after `begin`."""
        self._closed.wait(max(0.0, (self._deadline - Clock.now_ns()) / 1e9))
