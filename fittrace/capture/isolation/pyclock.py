"""The clock in Python, for where nothing is compiled. `native/clock.c` is the same in C."""

from __future__ import annotations

import time
from typing import Any, Callable

_BUILTIN = type(len)


def _own(name: str) -> Callable[[], int] | None:
    """Python's own function of `time`; None where the program has replaced it."""
    function = getattr(time, name, None)
    is_own = type(function) is _BUILTIN and function.__module__ == "time"
    return function if is_own else None


def _of_system(name: str) -> Callable[[], int] | None:
    """A function that reads a clock of the C library, which takes longer; None where that does not work.

    `name` is the clock's name in `time`, such as `CLOCK_MONOTONIC`.
    """
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


# The C library comes first for the wall clock: time-machine changes what Python's own `time.time_ns` returns.
now_ns: list[Callable[[], int]] = [_own("perf_counter_ns") or _of_system("CLOCK_MONOTONIC") or time.perf_counter_ns]
wall_ns: list[Callable[[], int]] = [_of_system("CLOCK_REALTIME") or _own("time_ns") or time.time_ns]
"""The two clocks, each in a list: freezegun replaces functions of `time` that are attributes of a module."""
