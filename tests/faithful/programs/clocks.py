"""Trains while its clocks are frozen, moved, faked or replaced, and says what it saw: clocks.py PROBES WHEN

PROBES: `compiled`, or `python` where nothing of capture is to be compiled. WHEN: `later`, after the import of the
engine, or what is done before it: `frozen` or `faked`. Fit number n has n batches.
"""

from __future__ import annotations

import datetime
import itertools
import sys
import threading
import time
import types
from typing import Any
from unittest import mock

import freezegun
import time_machine

if sys.argv[1] == "python":
    sys.modules["fittrace.capture._native"] = None  # type: ignore[assignment]  # an import of it fails
THEN = datetime.datetime(2012, 1, 14, 3, 21, 34, tzinfo=datetime.timezone.utc)
fits = itertools.count(1)


def fit() -> None:
    import keras

    keras.Model().fit(next(fits), callbacks=[Waiting()])
    print(time.time(), time.time_ns(), "pandas" in sys.modules, "fittrace.store" in sys.modules)


class Waiting:
    """Gives what works in the background time to look at its clocks."""

    def __getattr__(self, name: str) -> Any:
        if name == "on_epoch_end":
            threading.Event().wait(0.5)
        return lambda *given, **named: None


def fake() -> dict[str, mock.Mock]:
    """Mocks in the place of every clock, none of which tells the time."""
    names = ["perf_counter_ns", "time_ns", "monotonic_ns", "perf_counter", "time", "monotonic", "sleep"]
    return {name: mock.Mock(return_value=told) for name, told in zip(names, itertools.cycle(["soon", -5, None]))}


def fit_faked() -> None:
    fakes = fake()
    with mock.patch.multiple(time, **fakes):
        fit()
    print({name: one.call_count for name, one in fakes.items()})


if sys.argv[2] == "frozen":
    with freezegun.freeze_time(THEN):
        fit()
elif sys.argv[2] == "faked":
    fit_faked()
else:
    fit()
    with freezegun.freeze_time(THEN):
        fit()
    with freezegun.freeze_time(THEN, auto_tick_seconds=15):
        fit()
    with time_machine.travel(THEN, tick=False):
        fit()
    fit_faked()
    with mock.patch.dict(sys.modules, time=types.ModuleType("time")):
        import keras

        keras.Model().fit(next(fits), callbacks=[Waiting()])
