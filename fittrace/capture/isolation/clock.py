"""The clock: the real time, also where a program has replaced Python's `time` (freezegun, time-machine, a mock).

Compiled, it asks the system. A class holds both functions: freezegun looks for the functions of `time` among the
attributes of every module, ours too, and replaces them there.
"""

from __future__ import annotations

from typing import Callable, List

from .original_threads import allocate_lock

_never = allocate_lock()
_never.acquire()


def _clocks() -> List[Callable[[], int]]:
    try:
        from .._native import now_ns, wall_ns  # type: ignore[import-not-found, unused-ignore]

        return [now_ns, wall_ns]
    except ImportError:
        from . import pyclock

        return [*pyclock.now_ns, *pyclock.wall_ns]


class Clock:
    """The real time, in nanoseconds: `now_ns` of a clock that only goes on, `wall_ns` since 1970. And `sleep`."""

    now_ns, wall_ns = map(staticmethod, _clocks())

    @staticmethod
    def sleep(seconds: float) -> None:
        """Wait, also where `time.sleep` is a mock: for a lock that nobody ever releases."""
        _never.acquire(True, seconds)
