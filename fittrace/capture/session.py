"""The session: one process' capture, from the first probe installed to the last block written."""

from __future__ import annotations

import _thread
import atexit
import json
import os
import sys
import threading
import time
from typing import Any, Callable

from ..engines import ENGINES
from ..schema.journal import DEFINE, EVENTS, FACTS, block
from .collector import PERIOD_S, Thread, counts, pack
from .facts import facts
from .instruments import Instruments
from .names import Names
from .observer import Append, Observer
from .orders import Orders
from .recorder import Recorder
from .sites import Site
from .thinning import KEEP_ALL, KEEP_BATCHES, KEEP_EPOCHS, stand_ins
from .writer import Writer


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

    def __init__(self, directory: str | None) -> None:
        self.directory = directory
        self.sites: list[Site] = []
        self.names = Names(self._define)
        self.stopped: dict[int, int] = {}
        """What `stop_training` is in the models where it is not False: identities of their attributes and of it."""
        self._definitions: list[dict[str, Any]] = []
        self._faults: set[str] = set()
        # Room to close in, where the program has used up all memory; until then it is only an address.
        self._room: bytearray | None = bytearray(4 << 20)
        self.is_forked = False
        self._suspended = False
        self._observer: Observer | None = None
        self._at_close: list[Callable[[], None]] = []
        # Of each thread, by its identity: the buffer of its recorder, and that which its next recorder goes on with.
        self._buffers: dict[int, list[int]] = {}
        self._handed_on: dict[int, list[int]] = {}
        self._begin()
        state = Site(0, "state", "", "", 0, "", level=1)
        self._stand_ins = stand_ins(1)
        stop = Site(1 + len(self._stand_ins.sites), "stop", "", "", 0, "", level=1)
        self.sites += [state, *self._stand_ins.sites, stop]
        self._heads = state.head, stop.head
        self.recorder = Recorder(self, *self._heads)
        self._instruments = Instruments(ENGINES, self.recorder, self.sites, self._define, self.fault)

    def _begin(self) -> None:
        self._threads: list[Thread] = []
        self.orders = Orders()
        self._lock = _thread.allocate_lock()
        self._writer: Writer | None = None
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self._defined = 0
        self._defined_sites = 0
        self._dropped = {"detail": 0, "batches": 0}
        self._working: set[Callable[[], None]] = set()
        self._closed = False
        self.facts: dict[str, Any] = {}
        """What the journal says of this process; empty until the first fit begins."""

    @classmethod
    def begin(cls, directory: str) -> Session:
        """Capture this process into `directory` until `end`, with the session that only observes it, or a new one."""
        if cls.active is None:
            session = cls(directory)
            session.start()
            return session
        session = cls.active
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
        self._instruments.install()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def new_thread(self) -> tuple[Append, Callable[[int], None]]:
        """Take note of the calling thread: what appends a record of it, and what appends a step."""
        identity = _thread.get_ident()
        buffer = self._handed_on.pop(identity, None)
        if buffer is None:
            buffer = []
            self._take_note(identity, buffer)
        append: Append = buffer.extend
        return append if self._observer is None else self._observer.observed(append), buffer.append

    def _take_note(self, identity: int, buffer: list[int]) -> None:
        with self._lock:
            thread = Thread(len(self._threads), buffer)
            self._threads.append(thread)
            self._buffers[identity] = buffer
            self._start(self._collect)
        # Not `threading.current_thread`: for a thread that `threading` did not start it would make an entry.
        known = threading._active.get(identity)  # type: ignore[attr-defined]
        name = known.name if known is not None else "thread-%d" % identity
        self._define({"define": "thread", "thread": thread.number, "name": str(name), "ident": identity})

    def observe(self, observer: Observer | None) -> None:
        """Let `observer` see the records as they are made, from now on; None: nobody does, and it costs nothing.

        In each thread it is asked once for the function that takes this thread's records. A fit that goes on in another
        thread meanwhile is not seen.
        """
        self._observer = observer
        identity = _thread.get_ident()
        if identity in self._buffers:
            self._handed_on[identity] = self._buffers[identity]
        self.recorder = Recorder(self, *self._heads)
        self._instruments.renew(self.recorder)

    def at_close(self, work: Callable[[], None]) -> None:
        """Do this first when the session is closed."""
        self._at_close.append(work)

    def note(self, kind: str, message: str) -> None:
        """Tell the reader of the trace something."""
        self._define({"define": "note", "kind": kind, "message": message})

    def fault(self, where: str, error: BaseException) -> None:
        """Report, once, that something of fittrace's failed `where`; the program goes on."""
        kind = type(error).__name__
        if where not in self._faults:
            self._faults.add(where)
            message = str(error) if isinstance(error, OSError) else ""
            reason = ": ".join(filter(None, (kind, message)))
            self.note("fault", "fittrace failed in %s: %s" % (where, reason))

    def _refused(self, error: OSError) -> str:
        """Report, once, that the disk refuses; the text of the note."""
        self.fault("writing the journal", error)
        return json.dumps(next(one for one in reversed(self._definitions) if one["define"] == "note"))

    def _define(self, definition: dict[str, Any]) -> None:
        self._definitions.append(definition)

    def awake(self) -> None:
        """See to it that the journal is open and its threads run; called when a fit begins."""
        is_awake = self._writer is not None or (self.directory is None and self.facts)
        if is_awake or self._closed or self._suspended:
            return
        with self._lock:
            self.facts = self.facts or facts()
            if self.directory is not None:
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
        self._working.add(work)
        try:
            # Not `threading.Thread`: the program sees its own threads only, and these never delay its exit.
            _thread.start_new_thread(work, ())
        except RuntimeError as error:  # the interpreter is shutting down; `close` writes what there is
            self.fault("starting its threads", error)

    def _open(self, directory: str) -> Writer:
        folder = os.path.join(directory, "journal")
        os.makedirs(folder, exist_ok=True)
        name = "%(time_ns)d-%(clock_ns)d-%(pid)d.journal" % self.facts
        writer = Writer(os.path.join(folder, name), self._refused)
        writer.put(block(FACTS, json.dumps(self.facts).encode()))
        return writer

    def drain(self) -> None:
        """Queue everything recorded until now for the writer."""
        counts_before = [(thread, len(thread.buffer)) for thread in list(self._threads)]
        writer = self._writer
        if writer is None:
            # Nothing that was recorded until now is part of a fit: a function of the engine was called by itself.
            for thread, count in counts_before:
                del thread.buffer[:count]
            return
        with self._lock:
            self._instruments.tell()
            taken = [(thread, thread.take()) for thread in list(self._threads)]
            level = KEEP_ALL if writer.fullness < 0.5 else KEEP_BATCHES if writer.fullness < 1 else KEEP_EPOCHS
            events = []
            for thread, records in taken:
                kept, dropped = thread.thin(records, self.sites, self._stand_ins, level)
                if counts(self._dropped, dropped):
                    self._define(dict(self._dropped, define="dropped"))
                if kept:
                    events.append(block(EVENTS, pack(thread, kept)))
            sites = self.sites[self._defined_sites :]
            definitions = [site.definition() for site in sites] + self._definitions[self._defined :]
            if definitions:
                writer.put(block(DEFINE, "\n".join(json.dumps(one) for one in definitions).encode()))
                self._defined_sites += len(sites)
                self._defined += len(definitions) - len(sites)
            for order in self.orders.blocks(keep=level == KEEP_ALL):
                writer.put(order)
            for event in events:
                writer.put(event)
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
        self._instruments.undo()
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
        threads, working = self._threads, self._working
        # The new journal defines again what its records may refer to; what was said of the old one is not its matter.
        said = ("dropped", "closed")
        self._definitions = [
            one for one in self._definitions if one["define"] not in said and one.get("kind") != "fault"
        ]
        self._faults.clear()
        self._begin()
        self._working = working
        for thread in threads:
            del thread.buffer[:]
            self._threads.append(Thread(thread.number, thread.buffer))
        self._suspended = False
        Session.active = self
        self._instruments.install()

    def _collect(self) -> None:
        while not self._closed:
            time.sleep(PERIOD_S)
            try:
                self.drain()
            except Exception as error:
                self.fault("collecting records", error)

    def _write(self) -> None:
        while not self._closed:
            self._wake.acquire(True, 1)
            try:
                writer = self._writer
                if writer is not None:
                    writer.write()
            except Exception as error:
                self.fault("writing the journal", error)

    def _after_fork(self) -> None:
        if Session.active is not self:
            return  # it is closed; a hook for forks cannot be taken back
        # The parent writes what was recorded before the fork; of its threads only this one lives on.
        buffers = [thread.buffer for thread in self._threads]
        if self._writer is not None:
            self._writer.close()
        identity = _thread.get_ident()
        names = [one for one in self._definitions if one["define"] == "thread" and one["ident"] == identity]
        self._definitions = [one for one in self._definitions if one["define"] not in ("thread", "dropped")]
        self._begin()
        self._buffers.clear()
        self.is_forked = True
        if self._observer is not None:
            self._observer.forked()
        for number, buffer in enumerate(buffers):
            del buffer[:]
            if names and number == names[-1]["thread"]:
                # The first of this process' threads, whatever it was in the parent; the next one will be the second.
                self._threads = [Thread(0, buffer)]
                self._define(dict(names[-1], thread=0))

    def close(self) -> None:
        """Write what is left, and give the engines their own code back."""
        if self._closed:
            return
        self._room = None
        self._instruments.undo()
        if Session.active is self:
            Session.active = None
        try:
            for work in self._at_close:
                work()
            self._instruments.tell(final=True)
            suspended, self._suspended = self._suspended, True
            has_notes = any(one["define"] == "note" for one in self._definitions)
            if self._writer is None and has_notes and not suspended and self.directory is not None:
                self.facts = self.facts or facts()
                self._writer = self._open(self.directory)
            if self._writer is not None:
                self._finish(self._writer)
        except Exception as error:
            self.fault("closing the journal", error)
        self._closed = True
        atexit.unregister(self.close)

    def _finish(self, writer: Writer) -> None:
        self.drain()
        self._define({"define": "closed"})
        self.drain()
        self._writer = None
        writer.write(give_up_after_s=2)
        writer.close()
