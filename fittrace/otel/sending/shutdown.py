"""Shutdown: at the end of a program the pipelines send what is left. It waits for them at most `PATIENCE_S`."""

from __future__ import annotations

import threading
from typing import Callable

from ...capture.isolation.clock import Clock

PATIENCE_S = 3
"""How long a program that ends waits for the last of what is sent."""


class Shutdown:
    """A thread that calls `shut_down` when the program ends.

    It is started at once, since no thread can be started at the very end of a program.
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
        """Let the thread shut down."""
        self._deadline = Clock.now_ns() + int(PATIENCE_S * 1e9)
        self._over.set()

    def wait(self) -> None:
        """Wait until it is done, at most until `PATIENCE_S` after `begin`."""
        self._closed.wait(max(0.0, (self._deadline - Clock.now_ns()) / 1e9))
