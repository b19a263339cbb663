"""Who sees the records of a session as they are made, beside the journal."""

from __future__ import annotations

from typing import Callable, Sequence

Append = Callable[[Sequence[int]], None]


class Observer:
    """Sees the records of every thread. Nothing that it does may raise."""

    def observed(self, append: Append) -> Append:
        """What takes the records of the calling thread from now on; it hands each on to `append` first."""
        raise NotImplementedError

    def forked(self) -> None:
        """Called in a process that was forked off: what began before ends in the parent alone."""
