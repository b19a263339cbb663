"""Exceptions that come from outside at random moments of many fits, by signal handlers and from other threads.

Says how many were raised and how many came out of the fits, then how many fits went through to their end.
"""

from __future__ import annotations

import _thread
import ctypes
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import keras

SEED, ROUNDS = int(sys.argv[1]), int(sys.argv[2])
random.seed(SEED)
raised: list[int] = []


class Late(Exception):
    """What the program is interrupted with."""


class Logs(keras.Callback):
    """Logs that have to be looked at each time."""

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        logs[f"key {batch % 7}"] = f"text {random.random()}"
        logs["list"] = [batch] * 30


OWN = Logs.on_train_batch_end.__code__


def count() -> None:
    raised.append(1)


def by_hand(number: int, frame: FrameType | None) -> None:
    count()
    raise Late("by hand")


def built_in(number: int, frame: FrameType | None) -> None:
    count()
    raise TimeoutError


def looks_around(*given: Any) -> None:
    _, frame = given
    del given
    while frame is not None:
        frame = frame.f_back
    count()
    raise Late


no_keys: dict[str, int] = {}


def is_gone(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    count()
    try:
        no_keys["key"]
    except KeyError as error:
        raise Late from error


class Handler:
    def __call__(self, number: int, frame: FrameType | None) -> None:
        count()
        sys.exit("late")


Handles = Callable[[int, "FrameType | None"], object]
Arm = Callable[[float], Callable[[], object]]
"""Arms what strikes so many seconds after what it returns is called."""


def alarmed(handler: Handles) -> Arm:
    def arm(after_s: float) -> Callable[[], object]:
        signal.signal(signal.SIGALRM, handler)
        return lambda: signal.setitimer(signal.ITIMER_REAL, after_s)

    return arm


def from_a_thread(kind: type[BaseException]) -> Arm:
    def arm(after_s: float) -> Callable[[], object]:
        owner, is_ready = _thread.get_ident(), threading.Event()

        def strike() -> None:
            is_ready.wait()
            time.sleep(after_s)
            count()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(owner), ctypes.py_object(kind))

        threading.Thread(target=strike).start()
        return is_ready.set

    return arm


def fit_until(is_struck: Callable[[], bool], through: list[int]) -> None:
    """Fits until it has struck. A function, since a `try` of Python 3.13 misses what comes where a loop in it turns."""
    while not is_struck():
        keras.Model().fit(20, 1, [Logs()])
        through.append(1)
    for _ in range(2000):  # it may be under way yet
        time.sleep(0.001)


def interrupted(arm: Arm, is_told: bool = True) -> tuple[BaseException | None, int]:
    """Fits until what was armed strikes; what came out, and how many fits went through."""
    through: list[int] = []
    before = len(raised)
    begin = arm(random.uniform(0.0002, 0.004))
    try:
        begin()
        fit_until(lambda: is_told and len(raised) > before, through)
    except (Late, TimeoutError, SystemExit, KeyboardInterrupt) as error:
        return error, len(through)
    return None, len(through)


KINDS = [
    alarmed(by_hand), alarmed(built_in), alarmed(looks_around), alarmed(is_gone), alarmed(Handler()),
    from_a_thread(Late), from_a_thread(TimeoutError),
]  # fmt: skip
total = 0
for number, arm in enumerate(KINDS):
    found = [interrupted(arm) for _ in range(ROUNDS)]
    total += sum(through for _, through in found)
    print(number, sorted({type(error).__name__ for error, _ in found}), len(found))
# A handler in C, of which nothing tells when it has raised.
seen = 0
for _ in range(ROUNDS):
    error, through = interrupted(alarmed(signal.default_int_handler), is_told=False)
    seen += isinstance(error, KeyboardInterrupt)
    total += through
print("the program's own code is its own:", Logs.on_train_batch_end.__code__ is OWN)
print("raised", len(raised), "and in C", seen)
keras.Model().fit(50, 2, [Logs()])
print("fits that went through:", total + 1, file=sys.stderr)
