"""The recorder: what the probes in the engine's code call.

One object per thread, made when that thread first meets a probe (`threading.local` calls `__init__` then). Its methods
append to the thread's buffer, one record in one `list.extend`, which no other thread can split. Nothing here raises:
a fault is handed to the session, and the program goes on.
"""

from __future__ import annotations

import sys
import threading
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from ..schema.journal import ABSENT
from . import values

if TYPE_CHECKING:
    from .session import Session

_NOTHING: dict[str, float] = {}
_SHAPES = 64
"""Sets of keys whose numbers a thread remembers; an engine's logs have a few."""


class Recorder(threading.local):
    """A thread's recorder: `record` appends the parts of one record, `clock` reads the time in nanoseconds."""

    def __init__(self, session: "Session", state_head: int) -> None:
        buffer: list[int] = []
        self.record = record = buffer.extend
        self.clock = clock = perf_counter_ns
        self._session = session
        names = session.names
        session.new_thread(buffer)
        self.sampler = session.sampler(record)
        # The logs as last recorded in this thread; while every key is a text and every value a plain number they can
        # be compared without running anybody's code.
        seen: Any = _NOTHING
        plain = values.PLAIN
        classes = names.classes
        # The numbers of keys met in this thread: asking `names` takes longer than all the rest of a record.
        numbers: dict[tuple[str, ...], int] = {}

        def record_numbers(logs: dict[str, float]) -> bool:
            nonlocal seen
            state = logs.copy()
            try:
                halves = values.halves(state)
            except OverflowError:  # an int that no float can hold
                return False
            seen = state
            keys = tuple(state)
            try:
                number = numbers[keys]
            except KeyError:
                number = names.keys(keys, "n" * len(keys))
                if len(numbers) < _SHAPES:
                    numbers[keys] = number
            record((state_head, number, *halves))
            return True

        def look(logs: Any) -> None:
            nonlocal seen
            if type(logs) is dict:
                for key, value in logs.items():
                    if id(type(value)) not in plain or type(key) is not str:
                        break
                else:
                    if type(seen) is dict and logs == seen:
                        return
                    if record_numbers(logs):
                        return
            state = values.describe(logs, names)
            if state != seen:
                seen = state
                record((state_head, *state))

        def hooks(head: int, owner: object, number: Any) -> None:
            nonlocal seen
            seen = _NOTHING
            record((head, clock(), id(owner), number if type(number) is int and number >= 0 else ABSENT))

        def named(head: int, hook: Any) -> None:
            record((head, names.text(hook) if type(hook) is str else ABSENT))

        def hook(head: int, callback: object, logs: Any) -> None:
            end = begin = clock()
            try:
                if logs is not None and (type(logs) is not dict or logs or seen is not _NOTHING):
                    look(logs)
                    # What looking takes belongs to neither hook.
                    begin = clock()
            except Exception as error:
                session.fault("reading the logs of a hook", error)
            try:
                kind = classes[id(type(callback))]
            except KeyError:
                kind = names.new_class(type(callback))
            record((head, end, begin, kind))

        def hooked(head: int, logs: Any) -> None:
            end = clock()
            try:
                if logs is not None and (type(logs) is not dict or logs or seen is not _NOTHING):
                    look(logs)
            except Exception as error:
                session.fault("reading the logs after a hook", error)
            record((head, end))

        self.hooks = hooks
        self.named = named
        self.hook = hook
        self.hooked = hooked

    def enter(self, head: int) -> None:
        """Begin a root's frame, and see to it that the records are collected."""
        try:
            self._session.awake()
            self.sampler.new_fit(head)
        except Exception as error:
            self._session.fault("starting to collect", error)
        self.record((head, self.clock()))

    def leave(self, head: int, value: object) -> object:
        """End a frame that returns `value`."""
        self.record((head, self.clock()))
        return value

    def unwind(self, head: int) -> None:
        """End a frame that an exception leaves."""
        now = self.clock()
        text = ABSENT
        try:
            text = self._session.names.text(values.error_text(sys.exc_info()[1]))
        except Exception as error:
            self._session.fault("naming an exception", error)
        self.record((head, now, text))

    def sizes(self, head: int, iterated: object, paths: tuple[str, ...], steps: str | None) -> None:
        """Record the numbers at attribute `paths` of what a loop iterates over; no property is run for it.

        They are absent where a turn has several `steps`.
        """
        try:
            one_step = steps is None or values.number_at(iterated, steps) == 1
            self.record((head, *[values.number_at(iterated, path) if one_step else ABSENT for path in paths]))
        except Exception as error:
            self._session.fault("reading the sizes of batches", error)
