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
from .logs import looking

if TYPE_CHECKING:
    from .session import Session

_FALSE = id(False)
_NOTHING: dict[str, Any] = {}


class Recorder(threading.local):
    """A thread's recorder.

    `record` appends the parts of one record, `step` one that is nothing but its head; `clock` reads the time in
    nanoseconds; `sampler` samples the thread's batches. `is_owner`: this is the thread whose functions are constants
    of the rewritten code.
    """

    is_owner = False

    def __init__(self, session: "Session", state_head: int, stop_head: int) -> None:
        self.record, self.step = record, _ = session.new_thread()
        self.clock = clock = perf_counter_ns
        self._session = session
        names = session.names
        self.sampler = session.sampler(record)
        classes = names.classes
        look = looking(record, state_head, names)
        # The dict that was looked at last, while its callback list is at work, and what tells whether it has changed.
        seen: Any = None
        same: Any = None
        is_first = True
        # The callback list that passes hooks on, a look into its model's attributes, the identity of these, and what
        # `stop_training` was at the last look. They are held on to from hook to hook of a batch loop, and no longer.
        watched: Any = _NOTHING
        attribute = _NOTHING.get
        model = 0
        stopping: Any = None
        stopped = session.stopped

        def watch(owner: object) -> None:
            nonlocal watched, attribute, model, stopping
            if owner is not watched:
                attributes = values.attributes_of_model(owner)
                watched, attribute, model = owner, attributes.get, id(attributes)
            stopping = attribute("stop_training")
            now = _FALSE if stopping is None else id(stopping)
            if now != stopped.get(model, _FALSE):
                if now == _FALSE:
                    stopped.pop(model, None)
                else:
                    stopped[model] = now
                record((stop_head, names.text(values.text(stopping if stopping is not None else False))))

        def forget() -> None:
            nonlocal seen, is_first, watched, attribute, stopping
            seen = None
            is_first = True
            watched, attribute, stopping = _NOTHING, _NOTHING.get, None

        def hooks(head: int, owner: object, number: Any) -> None:
            nonlocal seen, is_first
            # Where a callback passes its hook on to a list of its own, what is known is of the list around it.
            seen = None
            is_first = True
            record((head, clock(), id(owner), number if type(number) is int and number >= 0 else ABSENT))
            try:
                if owner is not watched or attribute("stop_training") is not stopping:
                    watch(owner)
            except Exception as error:
                session.fault("looking at stop_training", error)

        def named(head: int, hook: Any) -> None:
            record((head, names.text(hook) if type(hook) is str else ABSENT))

        def hook(head: int, owner: object, callback: object, logs: Any) -> None:
            nonlocal seen, same, is_first
            end = begin = clock()
            try:
                if logs is not None and not (logs is seen and same(logs)):
                    seen = None
                    same = look(logs, is_first)
                    is_first = False
                    if same is not None:
                        seen = logs
                    # What looking takes belongs to neither hook.
                    begin = clock()
                if owner is not watched or attribute("stop_training") is not stopping:
                    watch(owner)
            except Exception as error:
                session.fault("reading the logs of a hook", error)
            try:
                kind = classes[id(type(callback))]
            except KeyError:
                kind = session.meet_callback(type(callback))
                begin = clock()
            record((head, end, begin, kind))

        def hooked(head: int, owner: object, logs: Any) -> None:
            nonlocal seen, is_first
            end = clock()
            try:
                if logs is not None and not (logs is seen and same(logs)):
                    look(logs, is_first)
                if owner is not watched or attribute("stop_training") is not stopping:
                    watch(owner)
            except Exception as error:
                session.fault("reading the logs after a hook", error)
            # What comes next is another list, perhaps one around this.
            seen = None
            is_first = True
            record((head, end))

        def hooked_last(head: int, owner: object, logs: Any) -> None:
            hooked(head, owner, logs)
            forget()

        self.hooks = hooks
        self.named = named
        self.hook = hook
        # A thread of a pool may live on with its list, which would then be held on to for ever.
        self.hooked = hooked_last
        self.hooked_of_owner = hooked
        self.hooked_last = hooked_last
        self.forget = forget

    def enter(self, head: int, model: object) -> None:
        """Begin a root's frame, a call of a model's method, and see to it that the records are collected."""
        try:
            self._session.awake()
            self.sampler.new_fit(head)
            self._session.meet_model(type(model))
        except Exception as error:
            self._session.fault("starting to collect", error)
        self.record((head, self.clock()))

    def unwind(self, head: int) -> None:
        """End a frame that an exception leaves."""
        now = self.clock()
        text = ABSENT
        _, raised, traceback = sys.exc_info()
        self.forget()
        try:
            text = self._session.names.text(values.error_text(raised))
        except Exception as error:
            self._session.fault("naming an exception", error)
        self.record((head, now, text, values.raised_at(traceback)))

    def raised(self, head: int) -> None:
        """An exception was caught, goes on, or leaves a function: record the line where it was raised.

        A generator that is closed was in nobody's call.
        """
        kind, _, traceback = sys.exc_info()
        if kind is not GeneratorExit:
            self.record((head, values.raised_at(traceback)))

    def values(self, head: int, names: tuple[str, ...], given: tuple[object, ...]) -> None:
        """Record what variables hold: numbers as they are, of anything else what it is."""
        try:
            self.record((head, *values.describe(dict(zip(names, given)), self._session.names)))
        except Exception as error:
            self._session.fault("reading variables", error)

    def monitored(self, head: int, owner: object) -> None:
        """Record which keys of the logs the callbacks of a list monitor."""
        try:
            told = values.monitored(owner)
            if told:
                self.record((head, *values.describe(told, self._session.names)))
        except Exception as error:
            self._session.fault("reading what callbacks monitor", error)

    def sizes(self, head: int, iterated: object, paths: tuple[str, ...], steps: str | None) -> None:
        """Record the numbers at attribute `paths` of what a loop iterates over; no property is run for it.

        They are absent where a turn has several `steps`.
        """
        try:
            one_step = steps is None or values.number_at(iterated, steps) == 1
            self.record((head, *[values.number_at(iterated, path) if one_step else ABSENT for path in paths]))
        except Exception as error:
            self._session.fault("reading the sizes of batches", error)

    def order(self, head: int, indices: object, batches: object) -> None:
        """Record the order of the samples in the `batches` to come, an array of their indices.

        `batches` are None where it holds for any number of them, and not for a single one alone.
        """
        try:
            whole = type(batches) is list and len(batches) == 1
            taken = self._session.orders.take(indices, whole)
            if taken is not None:
                self.record((head, *taken))
        except Exception as error:
            self._session.fault("reading the order of the samples", error)
