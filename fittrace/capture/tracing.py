"""Tracing: the engines that record in this process, the recorder that they call, and who observes the records."""

from __future__ import annotations

from typing import Any, Callable

from ..engines import ENGINES
from ..schema.batches_to_sample import parse
from ..schema.capture_settings import Settings
from .instrument.profiler_watch import Watch
from .instrument.traced_engines import TracedEngines
from .isolation import original_threads
from .journal.batch_metadata import MetadataQueue
from .journal.definitions import Definitions
from .journal.record_buffer import Buffer
from .journal.sample_orders import OrderQueue
from .journal.thread_buffers import Threads
from .own_sites import own_sites
from .record.greenlets import GREENLET, turn_green
from .record.log_inspector import LogInspector
from .record.names import Names
from .record.observer import Observer, Observing
from .record.recorder import Recorder, RecorderContext
from .sampling.profiler import PROFILER
from .sampling.sampler import SamplerContext


class Tracing:
    """Makes engines record from `install` to `undo`, with the recorder that `observe` has made last.

    - `settings`: how much is recorded.
    - `definitions`: what the journal defines; they take notes and faults too.
    - `threads`: the threads that record. New ones are added.
    - `orders`: take the orders of samples.
    - `metadata`: takes what TensorFlow tells of batches.
    - `ensure_started`: opens the journal, unless it is open; called when a fit begins.
    - `start_collecting`: called when a thread records for the first time.
    """

    def __init__(
        self,
        settings: Settings,
        definitions: Definitions,
        threads: Threads,
        orders: OrderQueue,
        metadata: MetadataQueue,
        ensure_started: Callable[[], None],
        start_collecting: Callable[[], None],
    ) -> None:
        own = own_sites()
        self.sites = own.in_order()
        self.stand_ins = own.stand_ins
        self.names = Names(definitions.add)
        self.engines = TracedEngines(
            ENGINES, self.sites, settings, definitions.add, definitions.fault, {GREENLET: self._turn_green}
        )
        self.observer: Observer | None = None
        self._definitions = definitions
        self._threads = threads
        self._start_collecting = start_collecting
        self._sampling = parse(settings.run_metadata)
        self._watch = Watch(PROFILER, definitions.fault)
        inspector = LogInspector(
            names=self.names,
            fault=definitions.fault,
            meet_callback=self.engines.meet_callback,
            end_root=self.engines.end_root,
            state_head=own.state.head,
            stop_head=own.stop.head,
        )
        sampling = SamplerContext(
            chosen=self._sampling,
            head=own.sampled.head,
            sites=self.sites,
            metadata=metadata,
            profiler=PROFILER,
            unwatched=self._watch.unseen,
            note=definitions.note,
            fault=definitions.fault,
            plain=self.engines.plain,
        )
        self._context = RecorderContext(
            names=self.names,
            inspector=inspector,
            sampling=sampling,
            fault=definitions.fault,
            new_thread=self._new_thread,
            take_order=orders.take,
            ensure_started=ensure_started,
            meet_model=self.engines.meet_model,
            begin_root=self.engines.begin_root,
        )

    def install(self) -> None:
        """Let the engines record: those that are imported already, and those that come."""
        self.engines.install()
        if not self._sampling.is_off:
            self._watch.install()

    def undo(self) -> None:
        """Give the engines their own code back."""
        self.engines.undo()
        PROFILER.drop()  # of a fit that goes on in another thread, before nobody watches any more
        self._watch.undo()

    def observe(self, observer: Observer | None) -> Recorder:
        """Let the engines call a new recorder, whose records `observer` sees. None: nobody does.

        The calling thread becomes its owner (`main_thread`).
        """
        self.observer = observer
        self._threads.hand_on(original_threads.get_ident())
        self._recorder = Recorder(self._context)
        self._turn_owner_green = self._recorder.turn_green
        self.engines.record_with(self._recorder)
        return self._recorder

    def forked(self) -> None:
        """Let go of what belongs to the parent, in a process that was forked off."""
        PROFILER.renew()
        self.engines.forked()

    def _new_thread(self, greenlet: int) -> tuple[Buffer, Observing | None]:
        """Take note of the calling thread, or of a `greenlet` on it: the buffer for its records, and what sees them."""
        identity = greenlet or original_threads.get_ident()
        buffer = self._threads.handed_on(identity)
        if buffer is None:
            thread = self._threads.add(identity)
            self._start_collecting()
            self._definitions.thread(thread.number, identity, is_green=bool(greenlet))
            buffer = thread.buffer
        return buffer, None if self.observer is None else self.observer.observing(buffer.extend)

    def _turn_green(self, module: Any) -> None:
        """Let greenlets have recordings of their own: the module that makes them is there."""
        self._turn_owner_green(module.getcurrent)
        turn_green(self._recorder, self._context, module.getcurrent)
