"""The recorder: what the probes in the engine's code call, with a recording for each thread.

What is called all the time are the functions of `Probes`; the rest stands here. Nothing here raises: a fault is noted,
and the program goes on.
"""

from __future__ import annotations

import errno
from sys import _getframe
from typing import Any, Callable, NamedTuple

from ...schema.caller_keys import CALLER_KEYS
from ...schema.journal_format import ABSENT
from ..isolation.interruptions import is_programs
from ..isolation.original_threads import Local
from ..journal.record_buffer import Buffer
from ..sampling.sampler import Sampler, SamplerContext
from . import arguments, attributes, callback_settings, kept_values, process_memory
from .callers import caller_of
from .log_inspector import LogInspector
from .names import Names
from .observer import Observing
from .probes import Probes
from .process_memory import READER


class RecorderContext(NamedTuple):
    """What the recordings of all threads share.

    - `names`: numbers what records refer to.
    - `inspector`: looks at what the probes meet for the first time.
    - `sampling`: what the samplers share.
    - `fault`: takes what failed, and where.
    - `new_thread`: takes note of the calling thread, or of a greenlet on it by its identity. Gives the buffer for its
      records, and what observes them.
    - `take_order`: queues an array of sample indices for the journal. Gives the operands of the record that refers to
      it.
    - `ensure_started`: opens the journal, unless it is open.
    - `meet_model`: takes note of a model's class, which is about to train.
    - `begin_root`: takes note that a model's method begins, in the frame of that identity.
    """

    names: Names
    inspector: LogInspector
    sampling: SamplerContext
    fault: Callable[[str, BaseException], None]
    new_thread: Callable[[int], "tuple[Buffer, Observing | None]"]
    take_order: Callable[[Any, bool], "tuple[int, int] | None"]
    ensure_started: Callable[[], None]
    meet_model: Callable[[type], None]
    begin_root: Callable[[int], None]


class ThreadRecording:
    """What one thread records, or one greenlet where `greenlet` is its identity.

    Its functions are those of `Probes`, and `step`, which appends a record that is nothing but its head. `sampler`
    samples the thread's batches.
    """

    def __init__(self, context: RecorderContext, greenlet: int = 0) -> None:
        self._context = context
        buffer, observing = context.new_thread(greenlet)
        probes = Probes(context.inspector, buffer, observing)
        self.record, self.step, self.mark = probes.record, buffer.append, probes.mark
        self.hooks, self.named, self.hook, self.forget = probes.hooks, probes.named, probes.hook, probes.forget
        self.unwind, self.raised = probes.unwind, probes.raised
        self.leave_root, self.unwind_root = probes.leave_root, probes.unwind_root
        self.probe, self.leave, self.turn_green = probes.probe, probes.leave, probes.turn_green
        # A thread of a pool may live on with its list, which would then be held on to for ever.
        self.hooked = self.hooked_last = probes.hooked_last
        self.hooked_of_owner = probes.hooked
        self.clock = context.inspector.clock
        self.sampler = Sampler(context.sampling, probes.record)

    def enter(self, head: int, model: object) -> None:
        """See to it that the records are collected: a root, a method of this `model`, is about to begin its frame.

        The record is a probe of its own, so that there is a frame only where nothing was raised here.
        """
        try:
            self._context.ensure_started()
            self.sampler.new_fit(head)
            self._context.meet_model(type(model))
        except Exception as error:
            self._context.fault("starting to collect", error)

    def begin_root(self) -> None:
        """The frame of a root has begun, and `leave_root` or `unwind_root` will end it."""
        self._context.begin_root(id(_getframe(1)))

    def values(self, head: int, names: tuple[str, ...], given: tuple[object, ...]) -> None:
        """Record what variables hold: numbers as they are, of anything else what it is."""
        try:
            self.record((head, *kept_values.describe(dict(zip(names, given)), self._context.names)))
        except Exception as error:
            self._context.fault("reading variables", error)

    def arguments(self, head: int, names: tuple[str, ...], given: tuple[object, ...]) -> None:
        """Record the arguments of a root, as `values` does, and where the program called it."""
        try:
            described = arguments.described(names, given)
            self.record((head, *kept_values.describe(described, self._context.names)))
        except Exception as error:
            self._context.fault("reading arguments", error)
        try:
            caller = caller_of(_getframe(1))
            if caller is not None:
                numbers = self._context.names
                texts = numbers.text(caller.file), numbers.text(caller.function)
                self.record((head, numbers.keys(CALLER_KEYS, "tti"), *texts, caller.line))
        except Exception as error:
            self._context.fault("reading the caller", error)

    def settings(self, head: int, owner: object) -> None:
        """Record how the callbacks of a list and their model are set."""
        try:
            settings = callback_settings.of_list(owner)
            if settings:
                self.record((head, *kept_values.describe(settings, self._context.names)))
        except Exception as error:
            self._context.fault("reading the settings of callbacks", error)

    def memory(self, head: int, is_of_fit: bool) -> None:
        """Record the memory of the process, before the first callback of a hook or after one of them.

        `is_of_fit`: the fit begins or ends.
        """
        if not process_memory.IS_KNOWN:
            return
        try:
            read = READER.around_fits() if is_of_fit else READER.around_hooks()
            self.record((head, *kept_values.describe(read, self._context.names)))
        except Exception as error:
            # A program may have used up its descriptors. Then there is no reading.
            is_used_up = isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)
            if not is_used_up or is_programs(error):
                self._context.fault("reading the memory of the process", error)

    def sizes(self, head: int, iterated: object, paths: tuple[str, ...], steps: str | None) -> None:
        """Record the numbers at attribute `paths` of what a loop iterates over; no property is run for it.

        They are absent where a turn has several `steps`.
        """
        try:
            one_step = steps is None or attributes.number_at(iterated, steps) == 1
            self.record((head, *[attributes.number_at(iterated, path) if one_step else ABSENT for path in paths]))
        except Exception as error:
            self._context.fault("reading the sizes of batches", error)

    def order(self, head: int, indices: object, batches: object) -> None:
        """Record the order of the samples in the `batches` to come, an array of their indices.

        `batches` are None where it holds for any number of them, and not for a single one alone.
        """
        try:
            whole = type(batches) is list and len(batches) == 1
            operands = self._context.take_order(indices, whole) if kept_values.is_array(indices) else None
            if operands is not None:
                self.record((head, *operands))
        except Exception as error:
            self._context.fault("reading the order of the samples", error)


class Recorder(Local, ThreadRecording):
    """The recording of the calling thread.

    Made once, it makes one for each thread that meets a probe: `threading.local` calls `__init__` then.
    """
