"""The session: one process' capture, from the first probe installed to the last block written."""

from __future__ import annotations

import atexit
import json
import os
import sys
from functools import partial
from typing import Any, Callable

from ..engines import ENGINES
from ..schema.capture_settings import DEFAULT, Settings
from ..schema.journal_format import FACTS, block
from ..schema.sampled_batches import parse
from .instrument.profiler_watch import Watch
from .instrument.traced_engines import TracedEngines
from .isolation import original_threads
from .isolation.interruptions import is_programs
from .isolation.warnings_on_stderr import Complaints
from .journal.collector import PERIOD_S, Collector
from .journal.definitions import Definitions
from .journal.load_shedder import stand_ins
from .journal.own_file import is_there, remove_unwritten
from .journal.process_facts import facts
from .journal.record_buffer import Buffer
from .journal.thread_buffers import Threads
from .journal.writer import Writer
from .record.greenlets import GREENLET, turn_green
from .record.log_inspector import LogInspector
from .record.names import Names
from .record.observer import Observer, Observing
from .record.recorder import Recorder
from .sampling.profiler import PROFILER
from .sampling.sampler import Sampler
from .sites import Site

PATIENCE_S = 1
"""How long a session that closes waits for each of its threads."""


class Session:
    """Captures every fit of this process into journals under `directory`, the run's folder.

    `start` watches for engines that are imported later and takes those that are there already. The journal is opened
    when the first fit begins. `close` writes what is left and gives the engines their own code back. Between `suspend`
    and `resume` nothing is recorded; what comes then goes into another run's folder. Nothing raises. Where `directory`
    is None nothing is kept, and only who observes sees the records.
    `is_forked`: this process was forked off one that was captured, or would have been.
    """

    active: Session | None = None
    """The session of this process, if there is one."""

    def __init__(self, directory: str | None, settings: Settings = DEFAULT) -> None:
        self.directory = directory
        self._settings, self._sampling = settings, parse(settings.run_metadata)
        self.tells_program = True
        """Whether the engine's source and the graphs of its functions go into the journal."""
        self.sites: list[Site] = []
        self._definitions = Definitions()
        self._define = self._definitions.add
        self.names = Names(self._define)
        self.stopped: dict[int, int] = {}
        """What `stop_training` is in the models where it is not False: identities of their attributes and of it."""
        # Room to close in, where the program has used up all memory; until then it is only an address.
        self._room: bytearray | None = bytearray(4 << 20)
        self.is_forked = False
        self._complaints = Complaints()
        self._suspended = False
        self._observer: Observer | None = None
        self._at_close: list[Callable[[], None]] = []
        self.threads = Threads()
        self._stand_ins = stand_ins(1)
        self._begin()
        state = Site(0, "state", "", "", 0, "", level=1)
        stop = Site(1 + len(self._stand_ins.sites), "stop", "", "", 0, "", level=1)
        sampled = Site(2 + len(self._stand_ins.sites), "sampled", "", "", 0, "", level=1)
        self.sites += [state, *self._stand_ins.sites, stop, sampled]
        self._sampled = sampled.head
        self.looking = LogInspector(self, state.head, stop.head)
        self.recorder = Recorder(self)
        self._owner = self.recorder.turn_green
        self.profiler = PROFILER
        self.watch = Watch(self.profiler, self.fault)
        """Sees the program's ways to the profiler; installed where batches are sampled."""
        self._instruments = TracedEngines(
            ENGINES, self.recorder, self.sites, settings, self._define, self.fault, {GREENLET: self._turn_green}
        )

    def _begin(self) -> None:
        self.collector = Collector(self.threads, self.sites, self._stand_ins, self._definitions)
        # A signal handler may train while the lock is held by what it interrupts.
        self._lock = original_threads.RLock()
        self._writer: Writer | None = None
        self._opened: str | None = None
        self._wake = original_threads.allocate_lock()
        self._wake.acquire()
        self._over = original_threads.allocate_lock()
        self._over.acquire()
        # What the threads do, and for each a lock that it holds until it has ended.
        self._working: dict[Callable[[], None], Any] = {}
        self._closed = False
        self.facts: dict[str, Any] = {}
        """What the journal says of this process; empty until the first fit begins."""

    @classmethod
    def begin(cls, directory: str, settings: Settings = DEFAULT, tells_program: bool = True) -> Session:
        """Capture this process into `directory` until `end`: with a new session, or with the one that only observes it,
        whose settings stay."""
        if cls.active is None:
            session = cls(directory, settings)
            session.tells_program = tells_program
            session.start()
            return session
        session = cls.active
        session.tells_program = tells_program
        session.suspend()
        session.resume(directory)
        return session

    def end(self) -> None:
        """Keep nothing any more; who observes goes on."""
        if self._observer is None:
            self.close()
        else:
            self.suspend()
            self.resume(None)

    def start(self) -> None:
        """Begin to capture."""
        Session.active = self
        self._install()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def new_thread(self, greenlet: int = 0) -> tuple[Buffer, Observing | None]:
        """Take note of the calling thread, or of a `greenlet` on it: the buffer for its records, and who sees them."""
        identity = greenlet or original_threads.get_ident()
        buffer = self.threads.handed_on(identity)
        if buffer is None:
            buffer = self._take_note(identity, bool(greenlet))
        return buffer, None if self._observer is None else self._observer.observing(buffer.extend)

    def _take_note(self, identity: int, is_green: bool) -> Buffer:
        with self._lock:
            thread = self.threads.add(identity)
            self._start(self._collect)
        self._definitions.thread(thread.number, identity, is_green)
        return thread.buffer

    def sampler(self, record: Any) -> Sampler:
        """What samples the batches of the calling thread, whose records `record` takes."""
        return Sampler(self, self._sampling, self._sampled, record)

    def plain(self, function: Any) -> Any:
        """An engine's function with the code that it had."""
        return self._instruments.plain(function)

    def begin_root(self, frame: int) -> None:
        """A model's method begins to train, to evaluate or to predict, in the frame of that identity."""
        try:
            self._instruments.begin_root(frame)
        except Exception as error:
            self.fault("letting the program's own code record", error)

    def end_root(self, frame: int) -> None:
        """It has ended; to say so again changes nothing."""
        try:
            self._instruments.end_root(frame)
        except Exception as error:
            self.fault("giving the program its own code back", error)

    def meet_callback(self, kind: type) -> int:
        """The number of a callback's class, which is met for the first time and is about to be called."""
        try:
            self._instruments.meet_callback(kind)
        except Exception as error:
            self.fault("rewriting a callback", error)
        return self.names.new_class(kind)

    def meet_model(self, kind: type) -> None:
        """Take note of a model's class, which is about to train."""
        try:
            self._instruments.meet_model(kind)
        except Exception as error:
            self.fault("rewriting a model", error)

    def observe(self, observer: Observer | None) -> None:
        """Let `observer` see the records as they are made, from now on; None: nobody does, and it costs nothing.

        In each thread it is asked once for what sees this thread's records. A fit that goes on in another thread
        meanwhile is not seen.
        """
        self._observer = observer
        self.threads.hand_on(original_threads.get_ident())
        self.recorder = Recorder(self)
        self._owner = self.recorder.turn_green
        self._instruments.renew(self.recorder)

    def _turn_green(self, module: Any) -> None:
        """Greenlets are possible from now on."""
        self._owner(module.getcurrent)
        turn_green(self.recorder, self, module.getcurrent)

    def at_close(self, work: Callable[[], None]) -> None:
        """Do this first when the session is closed."""
        self._at_close.append(work)

    def note(self, kind: str, message: str) -> None:
        """Say something, once, to the reader of the trace."""
        self._definitions.note(kind, message)

    def fault(self, where: str, error: BaseException) -> None:
        """Report, once, that something of fittrace's failed `where`; the program goes on.

        Raises the error where it is no fault but the program's own, which came up here.
        """
        if is_programs(error):
            raise error
        self._definitions.fault(where, error)

    def _fault_of_ours(self, where: str, error: Exception) -> None:
        """The same in a thread of our own, where nothing is the program's. It goes on without memory for a report."""
        try:
            self._definitions.fault(where, error)
        except MemoryError:
            pass

    def _refused(self, error: OSError) -> str:
        """Report, once, that the disk refuses; the text of the note."""
        self.fault("writing the journal", error)
        return self._definitions.last_note()

    def _reopened(self) -> None:
        """Tell the reader that the program had closed the journal."""
        self.note("journal", "the program closed the journal's descriptor; it was opened again, and nothing is lost")

    def _removed(self, directory: str) -> None:
        """Tell the user that the journal is gone, for there is no reader any more. Where all of a run's folder is, its
        launcher does."""
        if os.environ.get("FITTRACE_RUN") == directory and not is_there(directory):
            return
        self._complaints.say("%s: its journal was removed while the program ran; nothing more is kept" % directory)

    def awake(self) -> None:
        """See to it that the journal is open and its threads run; called when a fit begins."""
        is_awake = self._writer is not None or (self.directory is None and self.facts)
        if is_awake or self._closed or self._suspended:
            return
        with self._lock:
            if self.directory is None:
                self.facts = self.facts or self._facts()
            else:
                self._writer = self._writer or self._open(self.directory)
                self._start(self._write)
            self._start(self._collect)
        if self.is_forked and "multiprocessing.util" in sys.modules:
            # Its children end without running atexit.
            sys.modules["multiprocessing.util"].Finalize(None, self.close, exitpriority=-100)

    def _start(self, work: Callable[[], None]) -> None:
        """Let a thread do this work, where none does yet."""
        if work in self._working:
            return
        ended = original_threads.allocate_lock()
        ended.acquire()
        try:
            # Not `threading.Thread`: the program sees its own threads only, and these never delay its exit.
            original_threads.start_new_thread(self._work, (work, ended))
        except RuntimeError as error:  # the interpreter is shutting down; `close` writes what there is
            ended.release()
            self.fault("starting its threads", error)
        self._working[work] = ended

    @staticmethod
    def _work(work: Callable[[], None], ended: Any) -> None:
        try:
            work()
        finally:
            ended.release()

    def _facts(self) -> dict[str, Any]:
        return dict(facts(), run_metadata=self._settings.run_metadata)

    def _open(self, directory: str) -> Writer:
        self._give_up_opening()
        # Those of this very try, so that one that a signal handler ended has had another name.
        facts = self._facts()
        self._opened = os.path.join(directory, "journal", "%(time_ns)d-%(clock_ns)d-%(pid)d.journal" % facts)
        writer = Writer(self._opened, self._refused, self._reopened, partial(self._removed, directory))
        writer.put(block(FACTS, json.dumps(facts).encode()))
        self.facts = facts
        return writer

    def _give_up_opening(self) -> None:
        """Leave nothing of a journal that a signal handler kept from being opened."""
        if self._writer is None and self._opened is not None:
            remove_unwritten(self._opened)

    def drain(self) -> None:
        """Queue everything recorded until now for the writer."""
        counts_before = self.threads.counts()
        writer = self._writer
        if writer is None:
            # Nothing that was recorded until now is part of a fit: a function of the engine was called by itself.
            for thread, count in counts_before:
                thread.buffer.discard(count)
            return
        with self._lock:
            self._instruments.tell()
            self.collector.collect(writer, self.tells_program)
        if self._wake.locked():
            self._wake.release()

    def flush(self) -> None:
        """Write everything recorded until now, so that a reader of the journal sees it."""
        try:
            self.drain()
            writer = self._writer
            if writer is not None:
                writer.write()
        except Exception as error:
            self.fault("writing the journal", error)

    def suspend(self) -> None:
        """Record no more, and finish the journal; the engines have their own code back until `resume`."""
        self._undo()
        self._suspended = True
        Session.active = None if Session.active is self else Session.active
        try:
            self._instruments.tell()
            if self._writer is not None:
                self._finish(self._writer)
        except Exception as error:
            self.fault("closing the journal", error)
            self._writer = None

    def resume(self, directory: str | None) -> None:
        """Go on recording, into another run's folder; the engines need not be rewritten for it."""
        self.directory = directory
        # The threads go on, with what they wait for.
        working, wake, over = self._working, self._wake, self._over
        self._definitions.for_another_run()
        self._begin()
        self._working, self._wake, self._over = working, wake, over
        self.threads.begin_again()
        self._suspended = False
        Session.active = self
        self._install()

    def _install(self) -> None:
        self._instruments.install()
        if not self._sampling.is_off:
            self.watch.install()

    def _undo(self) -> None:
        self._instruments.undo()
        self.profiler.drop()  # of a fit that goes on in another thread, before nobody watches any more
        self.watch.undo()

    def _collect(self) -> None:
        while not self._closed:
            try:
                if self._over.acquire(True, PERIOD_S):
                    self._over.release()
                self.drain()
            except Exception as error:
                self._fault_of_ours("collecting records", error)

    def _write(self) -> None:
        while not self._closed:
            try:
                self._wake.acquire(True, 1)
                writer = self._writer
                if writer is not None:
                    writer.write()
            except Exception as error:
                self._fault_of_ours("writing the journal", error)

    def _after_fork(self) -> None:
        if Session.active is not self:
            return  # it is closed; a hook for forks cannot be taken back
        self.profiler.renew()
        # The parent writes what was recorded before the fork; of its threads only this one lives on.
        if self._writer is not None:
            self._writer.close()
        thread = self._definitions.for_another_process(original_threads.get_ident())
        self._begin()
        self._instruments.forked()
        # The first of this process' threads, whatever it was in the parent; the next one will be the second.
        self.threads.fork(thread["thread"] if thread is not None else None)
        if thread is not None:
            self._define(dict(thread, thread=0))
        self.is_forked = True
        if self._observer is not None:
            self._observer.forked()

    def close(self) -> None:
        """Write what is left, and give the engines their own code back."""
        try:
            self._close()
        except BaseException:
            # A signal handler has raised: nothing is lost before that goes on.
            self._close()
            raise

    def _close(self) -> None:
        if self._closed:
            return
        self._room = None
        self._undo()
        if Session.active is self:
            Session.active = None
        try:
            while self._at_close:
                self._at_close.pop(0)()
            self._instruments.tell(final=True)
            suspended, self._suspended = self._suspended, True
            is_kept = not suspended and self.directory is not None
            if self._writer is None and self._definitions.has_notes and is_kept:
                self._writer = self._open(str(self.directory))
            self._give_up_opening()
            if self._writer is not None:
                self._finish(self._writer)
        except Exception as error:
            self.fault("closing the journal", error)
        self._closed = True
        self._end_threads()
        atexit.unregister(self.close)

    def _end_threads(self) -> None:
        """Wait until the threads have ended: an interpreter that shuts down ends them by force, and in a process that
        has changed its root that ends the process."""
        if self._over.locked():
            self._over.release()
        if self._wake.locked():
            self._wake.release()
        for ended in self._working.values():
            if ended.acquire(True, PATIENCE_S):
                ended.release()

    def _finish(self, writer: Writer) -> None:
        self.drain()
        self._define({"define": "closed"})
        self.drain()
        writer.write(give_up_after_s=2)
        self._writer = None
        writer.close()
