"""The recorder: what the probes in the engine's code know.

One recording per thread, made when that thread first meets a probe (`threading.local` calls `__init__` then). What is
called all the time are the functions of `Probes`; the rest stands here. Nothing here raises: a fault is handed to the
session, and the program goes on.
"""

from __future__ import annotations

from sys import _getframe
from typing import TYPE_CHECKING

from ...schema.journal_format import ABSENT
from ..isolation.original_threads import Local
from . import attributes, callback_settings, values
from .probes import Probes

if TYPE_CHECKING:
    from ..session import Session


class ThreadRecording:
    """What one thread, or one `greenlet` of that identity, records.

    Its functions are those of `Probes`, and `step`, which appends a record that is nothing but its head. `sampler`
    samples the thread's batches.
    """

    def __init__(self, session: Session, greenlet: int = 0) -> None:
        self._session = session
        buffer, observing = session.new_thread(greenlet)
        probes = Probes(session.looking, buffer, observing)
        self.record, self.step, self.mark = probes.record, buffer.append, probes.mark
        self.hooks, self.named, self.hook, self.forget = probes.hooks, probes.named, probes.hook, probes.forget
        self.unwind, self.raised = probes.unwind, probes.raised
        self.leave_root, self.unwind_root = probes.leave_root, probes.unwind_root
        self.probe, self.leave, self.turn_green = probes.probe, probes.leave, probes.turn_green
        # A thread of a pool may live on with its list, which would then be held on to for ever.
        self.hooked = self.hooked_last = probes.hooked_last
        self.hooked_of_owner = probes.hooked
        self.clock = session.looking.clock
        self.sampler = session.sampler(probes.record)

    def enter(self, head: int, model: object) -> None:
        """See to it that the records are collected: a root, a method of this `model`, is about to begin its frame.

        The record is a probe of its own, so that there is a frame only where nothing was raised here.
        """
        try:
            self._session.awake()
            self.sampler.new_fit(head)
            self._session.meet_model(type(model))
        except Exception as error:
            self._session.fault("starting to collect", error)

    def begin_root(self) -> None:
        """The frame of a root has begun, and `leave_root` or `unwind_root` will end it."""
        self._session.begin_root(id(_getframe(1)))

    def values(self, head: int, names: tuple[str, ...], given: tuple[object, ...]) -> None:
        """Record what variables hold: numbers as they are, of anything else what it is."""
        try:
            self.record((head, *values.describe(dict(zip(names, given)), self._session.names)))
        except Exception as error:
            self._session.fault("reading variables", error)

    def settings(self, head: int, owner: object) -> None:
        """Record how the callbacks of a list and their model are set."""
        try:
            told = callback_settings.of_list(owner)
            if told:
                self.record((head, *values.describe(told, self._session.names)))
        except Exception as error:
            self._session.fault("reading the settings of callbacks", error)

    def sizes(self, head: int, iterated: object, paths: tuple[str, ...], steps: str | None) -> None:
        """Record the numbers at attribute `paths` of what a loop iterates over; no property is run for it.

        They are absent where a turn has several `steps`.
        """
        try:
            one_step = steps is None or attributes.number_at(iterated, steps) == 1
            self.record((head, *[attributes.number_at(iterated, path) if one_step else ABSENT for path in paths]))
        except Exception as error:
            self._session.fault("reading the sizes of batches", error)

    def order(self, head: int, indices: object, batches: object) -> None:
        """Record the order of the samples in the `batches` to come, an array of their indices.

        `batches` are None where it holds for any number of them, and not for a single one alone.
        """
        try:
            whole = type(batches) is list and len(batches) == 1
            taken = self._session.collector.orders.take(indices, whole) if values.is_array(indices) else None
            if taken is not None:
                self.record((head, *taken))
        except Exception as error:
            self._session.fault("reading the order of the samples", error)


class Recorder(Local, ThreadRecording):  # type: ignore[misc]
    """The recording of the calling thread."""
