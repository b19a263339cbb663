"""The session: the life cycle of one process' capture, from the first probe installed to the last block written."""

from __future__ import annotations

import atexit
import os
import sys
from functools import partial
from typing import Any, Callable

from ..schema.capture_settings import DEFAULT, Settings
from .isolation import original_threads
from .isolation.warnings_on_stderr import Complaints
from .journal.background_threads import BackgroundThreads
from .journal.batch_metadata import MetadataQueue
from .journal.collector import Collector
from .journal.definitions import Definitions
from .journal.sample_orders import OrderQueue
from .journal.thread_buffers import Threads
from .record.observer import Observer
from .record.probes import IS_COMPILED
from .recording import Recording
from .tracing import Tracing


class Session:
    """Captures every fit of this process into journals under `directory`, the run's folder.

    - `directory`: None where nothing is kept, and only an observer sees the records.
    - `settings`: how much is recorded.
    - `include_source`: whether the engine's source and the graphs of its functions go into the journal.

    `start` watches for engines that are imported later and takes those that are there already. The journal is opened
    when the first fit begins. `close` writes what is left and gives the engines their own code back. Between `suspend`
    and `resume` nothing is recorded; what comes then goes into another run's folder. Nothing raises.
    """

    active: Session | None = None
    """The session of this process, if there is one."""

    def __init__(self, directory: str | None, settings: Settings = DEFAULT, include_source: bool = True) -> None:
        self.is_forked = False
        """Whether this process was forked off one that was captured, or would have been."""
        # Room to close in, where the program has used up all memory; until then it is only an address.
        self._room: bytearray | None = bytearray(4 << 20)
        self._settings = settings
        self._suspended = False
        self._closed = False
        self._at_close: list[Callable[[], None]] = []
        self._complaints = Complaints()
        self._definitions = Definitions()
        self._threads = Threads()
        self._orders = OrderQueue()
        self._metadata = MetadataQueue(partial(self._definitions.note, "run_metadata"))
        self._tracing = Tracing(
            settings,
            self._definitions,
            self._threads,
            self._orders,
            self._metadata,
            ensure_started=self._ensure_started,
            start_collecting=self._start_collecting,
        )
        self.sites, self.names = self._tracing.sites, self._tracing.names
        self._background = self._new_background()
        self._recording = self._new_recording(directory, include_source)
        self.observe(None)

    def _new_background(self) -> BackgroundThreads:
        return BackgroundThreads(self.collect, self._write, self._definitions)

    def _new_recording(self, directory: str | None, include_source: bool) -> Recording:
        self._include_source = include_source
        self._orders.begin_again()
        self._metadata.begin_again()
        collector = Collector(
            self._threads,
            self.sites,
            self._tracing.stand_ins,
            self._definitions,
            self._orders,
            self._metadata,
            include_source,
        )
        define_engines = self._tracing.engines.define_engines
        about = {"run_metadata": self._settings.run_metadata, "probes": "compiled" if IS_COMPILED else "python"}
        return Recording(directory, collector, self._definitions, define_engines, about, self._complaints)

    @property
    def directory(self) -> str | None:
        """The folder of the run that is recorded now; None where nothing is kept."""
        return self._recording.directory

    @property
    def facts(self) -> dict[str, Any]:
        """What the journal says of this process; empty until the first fit begins."""
        return self._recording.facts

    @classmethod
    def begin(cls, directory: str, settings: Settings = DEFAULT, include_source: bool = True) -> Session:
        """Capture this process into `directory` until `end`.

        Where a session only observes this process, it records too, with the settings that it has.
        """
        session = cls.active
        if session is None:
            session = cls(directory, settings, include_source)
            session.start()
        else:
            session.suspend()
            session.resume(directory, include_source)
        return session

    def end(self) -> None:
        """Keep nothing any more; an observer goes on."""
        if self._tracing.observer is None:
            self.close()
        else:
            self.suspend()
            self.resume(None)

    def start(self) -> None:
        """Begin to capture."""
        Session.active = self
        self._tracing.install()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def observe(self, observer: Observer | None) -> None:
        """Let `observer` see the records as they are made, from now on; None: nobody does, and it costs nothing.

        In each thread it is asked once for what sees this thread's records. A fit that goes on in another thread
        meanwhile is not seen. The calling thread becomes the one whose probes are the quickest (`main_thread`).
        """
        self.recorder = self._tracing.observe(observer)

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
        self._definitions.fault(where, error)

    def collect(self) -> None:
        """Queue everything recorded until now for the writer."""
        self._recording.collect()
        if self._recording.writer is not None:
            self._background.wake_writer()

    def _write(self) -> None:
        self._recording.write()

    def flush(self) -> None:
        """Write everything recorded until now, so that a reader of the journal sees it."""
        try:
            self.collect()
            self._write()
        except Exception as error:
            self.fault("writing the journal", error)

    def suspend(self) -> None:
        """Record no more, and finish the journal; the engines have their own code back until `resume`."""
        self._tracing.undo()
        self._suspended = True
        Session.active = None if Session.active is self else Session.active
        try:
            self._recording.finish()
        except Exception as error:
            self.fault("closing the journal", error)

    def resume(self, directory: str | None, include_source: bool = True) -> None:
        """Go on recording, into another run's folder; the engines need not be rewritten for it."""
        self._definitions.for_another_run()
        self._recording = self._new_recording(directory, include_source)
        self._threads.begin_again()
        self._suspended = False
        Session.active = self
        self._tracing.install()

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
        self._tracing.undo()
        if Session.active is self:
            Session.active = None
        try:
            while self._at_close:
                self._at_close.pop(0)()
            self._tracing.engines.define_engines(final=True)
            suspended, self._suspended = self._suspended, True
            if self._definitions.has_notes and not suspended and self.directory is not None:
                self._recording.begin()  # without a fit too: the reader must see the notes
            self._recording.finish()
        except Exception as error:
            self.fault("closing the journal", error)
        self._closed = True
        self._background.end()
        atexit.unregister(self.close)

    def _after_fork(self) -> None:
        if Session.active is not self:
            return  # it is closed; a hook for forks cannot be taken back
        self._recording.leave_to_parent()
        # Of the parent's threads only the calling one lives on.
        thread = self._definitions.for_another_process(original_threads.get_ident())
        self._background = self._new_background()
        self._recording = self._new_recording(self.directory, self._include_source)
        self._tracing.forked()
        # The first of this process' threads, whatever it was in the parent; the next one will be the second.
        self._threads.fork(thread["thread"] if thread is not None else None)
        if thread is not None:
            self._definitions.add(dict(thread, thread=0))
        self.is_forked = True
        if self._tracing.observer is not None:
            self._tracing.observer.forked()

    def _start_collecting(self) -> None:
        self._background.start_collecting()

    def _ensure_started(self) -> None:
        """See to it that the journal is open and the threads run; called when a fit begins."""
        if self._recording.has_begun or self._closed or self._suspended:
            return
        self._recording.begin()
        if self.directory is not None:
            self._background.start_writing()
        self._background.start_collecting()
        if self.is_forked and "multiprocessing.util" in sys.modules:
            # Its children end without running atexit.
            sys.modules["multiprocessing.util"].Finalize(None, self.close, exitpriority=-100)
