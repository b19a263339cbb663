"""The clock in Python, where nothing is compiled. `native/clock.c` does the same in C."""

from __future__ import annotations

import time
from typing import Any, Callable

_BUILTIN = type(len)


def _own(name: str) -> Callable[[], int] | None:
    """The function of `time` as Python has it; None where the program has put another in its place."""
    found = getattr(time, name, None)
    is_own = type(found) is _BUILTIN and found.__module__ == "time"
    return found if is_own else None


def _of_system(name: str) -> Callable[[], int] | None:
    """What asks the C library for a clock, which takes longer; None where that does not work."""
    try:
        import ctypes

        class Moment(ctypes.Structure):
            _fields_ = [("s", ctypes.c_long), ("ns", ctypes.c_long)]

        read: Any = ctypes.PyDLL(None).clock_gettime
        clock, moment = getattr(time, name), Moment()
        if type(clock) is not int or read(clock, ctypes.byref(moment)) != 0:
            return None

        def nanoseconds() -> int:
            moment = Moment()
            read(clock, ctypes.byref(moment))
            return int(moment.s * 1000000000 + moment.ns)

        return nanoseconds
    except Exception:  # no ctypes, no such function, no such clock
        return None


# time-machine changes what `time.time_ns` itself does, so the C library comes first there.
now_ns: list[Callable[[], int]] = [_own("perf_counter_ns") or _of_system("CLOCK_MONOTONIC") or time.perf_counter_ns]
wall_ns: list[Callable[[], int]] = [_of_system("CLOCK_REALTIME") or _own("time_ns") or time.time_ns]
"""The two clocks, each in a list: freezegun replaces what is an attribute of a module itself."""
