"""The clock: the real time, also where the program has replaced functions of `time` (freezegun, time-machine, a mock).

The compiled clock asks the system. The functions are attributes of a class, since freezegun looks for functions of
`time` among the attributes of every module, and replaces those that it finds.
"""

from __future__ import annotations

from typing import Callable, List

from ..compiled import native
from .original_threads import allocate_lock

_never = allocate_lock()
_never.acquire()


def _clocks() -> List[Callable[[], int]]:
    """The functions `now_ns` and `wall_ns`, compiled or in Python."""
    if hasattr(native, "now_ns"):  # not on a system that lacks these clocks
        return [native.now_ns, native.wall_ns]
    from . import pyclock

    return [*pyclock.now_ns, *pyclock.wall_ns]


class Clock:
    """The real time in nanoseconds: `now_ns` of a monotonic clock, `wall_ns` since 1970; and `sleep`."""

    now_ns, wall_ns = map(staticmethod, _clocks())

    @staticmethod
    def sleep(seconds: float) -> None:
        """Wait that long, also where `time.sleep` is a mock."""
        _never.acquire(True, seconds)  # nobody ever releases this lock
