"""Debuggers, profilers, coverage.py and copies that begin in the middle of a fit, and look at the program's hooks."""

from __future__ import annotations

import bdb
import copy
import dis
import doctest
import functools
import inspect
import linecache
import os
import sys
import types
from collections.abc import Callable
from types import FrameType
from typing import Any

import keras

coverage: Any
try:
    import coverage
except ImportError:
    coverage = None

HERE = os.path.abspath(__file__)
ENGINE = os.path.dirname(os.path.dirname(keras.__file__))


class Mine(keras.Callback):
    """Its hooks are the program's own.

    >>> Mine().on_epoch_end(3)
    [0, 2, 4]
    """

    def __init__(self, work: Any = None, at: str = "on_epoch_begin") -> None:
        self.work, self.at = work, at
        self.said: list[Any] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.at == "on_epoch_begin" and epoch == 0:
            self.work()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.at == "on_train_batch_end" and batch == 1:
            self.work()
        if batch % 2:
            self.said.append(batch)
        else:
            try:
                self.said += ["even"]
            finally:
                batch += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> Any:
        found = []
        for one in range(epoch):
            found.append(one * 2)
        return found


def told(*what: Any) -> None:
    print(*what)


def place(frame: FrameType) -> tuple[str, int]:
    return os.path.relpath(
        frame.f_code.co_filename, ENGINE if "keras" in frame.f_code.co_filename else HERE
    ), frame.f_lineno


def is_watched(frame: FrameType) -> bool:
    return frame.f_code.co_filename == HERE or frame.f_code.co_filename.startswith(ENGINE)


def fit(work: Callable[[], object], at: str = "on_epoch_begin") -> None:
    one = Mine(work, at)
    result = keras.Model().fit(4, 2, callbacks=[one], validation_data=2)
    told(result, one.said)


def traced(at: str, frames: bool) -> None:
    """`sys.settrace` from a hook on, and as a debugger sets it, for the frames that run already."""
    events = []

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        if is_watched(frame):
            events.append((event, frame.f_code.co_name, place(frame)))
        return local

    def begin() -> None:
        frame: FrameType | None = sys._getframe()
        while frames and frame is not None:
            frame.f_trace = local
            frame = frame.f_back
        sys.settrace(local)

    try:
        fit(begin, at)
    finally:
        sys.settrace(None)
    told("traced", at, frames, len(events), events)


def profiled(at: str) -> None:
    """`sys.setprofile` from a hook on: what it is told of functions in Python."""
    events = []

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "return") and is_watched(frame):
            events.append((event, frame.f_code.co_name, frame.f_code.co_firstlineno))

    try:
        fit(lambda: sys.setprofile(profile), at)
    finally:
        sys.setprofile(None)
    told("profiled", at, events)


class Stops(bdb.Bdb):
    """A debugger with breakpoints, which steps a while from each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.stops: list[tuple[str, int]] = []
        self.steps = 0

    def user_line(self, frame: FrameType) -> None:
        if not is_watched(frame):
            return
        self.stops.append((frame.f_code.co_name, place(frame)[1]))
        self.steps += 1
        if self.steps % 7 == 0:
            self.set_continue()
        elif self.steps % 5 == 0:
            self.set_return(frame)
        elif self.steps % 3 == 0:
            self.set_next(frame)
        else:
            self.set_step()


def debugged(at: str) -> None:
    """A debugger that somebody starts in a hook."""
    debugger = Stops()
    first = Mine.on_epoch_end.__code__.co_firstlineno
    engine = str(inspect.getsourcefile(keras.Model))
    fits = keras.Model.fit.__code__.co_firstlineno

    def begin() -> None:
        for line in (first + 1, first + 3):
            debugger.set_break(HERE, line)
        debugger.set_break(engine, fits + 9)
        debugger.set_trace(sys._getframe())

    try:
        fit(begin, at)
    finally:
        sys.settrace(None)
    told("debugged", at, debugger.stops)


def monitored(at: str) -> None:
    """`sys.monitoring`, which is told of lines once each."""
    if not hasattr(sys, "monitoring"):
        return
    seen = []
    monitoring = sys.monitoring
    monitoring.use_tool_id(4, "watched")

    def line(code: types.CodeType, number: int) -> None:
        if code.co_filename == HERE or code.co_filename.startswith(ENGINE):
            seen.append((code.co_name, number))

    def begin() -> None:
        monitoring.register_callback(4, monitoring.events.LINE, line)
        monitoring.set_events(4, monitoring.events.LINE)

    fit(begin, at)
    monitoring.set_events(4, 0)
    monitoring.free_tool_id(4)
    told("monitored", at, seen)


def covered(at: str, core: str) -> None:
    """coverage.py with branches."""
    if coverage is None:
        return
    measured = coverage.Coverage(data_file=None, branch=True, include=[HERE, ENGINE + "/*"], config_file=False)
    measured.set_option("run:core", core)
    fit(measured.start, at)
    measured.stop()
    data = measured.get_data()
    for file in sorted(data.measured_files()):
        told("covered", core, at, file, sorted(data.lines(file)), sorted(data.arcs(file) or ()))


def looked_at() -> None:
    """What is asked of hooks and of the engine's functions in the middle of a fit."""

    def look() -> None:
        linecache.checkcache()
        for function in (Mine.on_epoch_end, Mine.on_train_batch_end, keras.Model.fit, keras.CallbackList.on_epoch_end):
            told(function.__qualname__, inspect.signature(function), inspect.getsource(function), function.__defaults__)
            code = function.__code__
            told(code.co_name, code.co_varnames, code.co_argcount, code.co_freevars, code.co_firstlineno, code.co_flags)
            told(
                sorted({line for _, line in dis.findlinestarts(code) if line}), inspect.getclosurevars(function).globals
            )
            told(len(list(dis.get_instructions(code))) > 5, hash(code) == hash(code), code == function.__code__)

    fit(look)


def copied() -> None:
    """Copies of objects and functions that are made in the middle of a fit."""

    def copies() -> None:
        for one in (copy.copy(Mine(1)), copy.deepcopy(Mine(2))):
            told(vars(one), one.on_epoch_end(2))
        told(vars(copy.deepcopy(keras.Model())))
        hook = Mine.on_epoch_end

        @functools.wraps(hook)
        def wrapped(*given: Any) -> Any:
            return hook(*given)

        made = types.FunctionType(hook.__code__, globals(), "made", hook.__defaults__, hook.__closure__)
        told(wrapped.__wrapped__ is hook, wrapped(None, 3), made(None, 3), copy.deepcopy(hook) is hook)
        tests = doctest.DocTestFinder().find(Mine, "Mine", globs=globals())
        told([tuple(doctest.DocTestRunner().run(test)) for test in tests])

    fit(copies)
    fit(copies, "on_train_batch_end")


for at in ("on_epoch_begin", "on_train_batch_end"):
    traced(at, frames=False)
    traced(at, frames=True)
    profiled(at)
    debugged(at)
    monitored(at)
    for core in ("ctrace", "pytrace", "sysmon")[: 3 if sys.version_info >= (3, 12) else 2]:
        covered(at, core)
looked_at()
copied()
