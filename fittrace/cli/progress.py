"""A line on the terminal that shows the progress of long work. A pipe gets nothing."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..schema.safe_text import printable

DELAY = 0.7
"""Seconds before the line is shown. Most work is done by then."""


@contextmanager
def progress(doing: str, at_once: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show the progress of the block. Gives a function that reports it: it takes the work done and the whole work.

    - `doing`: what the block does, in words.
    - `at_once`: whether `DELAY` begins now. Otherwise it begins with the first report, since a traced program may use
      the terminal until then.
    """
    if not sys.stderr.isatty():
        yield lambda done, whole: None
        return
    line = _ProgressLine(doing)
    if at_once:
        line.begin()
    try:
        yield line.report
    finally:
        line.end()


class _ProgressLine:
    """The line, which a thread draws again and again."""

    def __init__(self, doing: str) -> None:
        self._doing = printable(doing)
        self._part = ""
        self._shown = False
        self._over = threading.Event()
        self._drawing = threading.Thread(target=self._draw, name="fittrace-progress", daemon=True)

    def begin(self) -> None:
        self._drawing.start()

    def report(self, done: int, whole: int) -> None:
        if self._drawing.ident is None:
            self.begin()
        self._part = f" {100 * done // whole} %" if whole else ""

    def end(self) -> None:
        self._over.set()
        if self._drawing.ident is not None:
            self._drawing.join()
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _draw(self) -> None:
        if self._over.wait(DELAY):
            return
        begin = time.monotonic() - DELAY
        while not self._over.wait(0.1):
            self._shown = True
            seconds = int(time.monotonic() - begin)
            print(f"\r\x1b[K{self._doing} …{self._part} {seconds} s", end="", file=sys.stderr, flush=True)
