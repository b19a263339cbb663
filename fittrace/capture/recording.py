"""Recording: one journal of this process, from the fit that opens it to its last block."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any, Callable, Mapping

from ..schema.journal_format import BlockKind, block
from .isolation import original_threads
from .isolation.warnings_on_stderr import Complaints
from .journal.collector import Collector
from .journal.definitions import Definitions
from .journal.own_file import is_there, remove_unwritten
from .journal.process_facts import facts
from .journal.writer import Writer

LAST_WRITE_S = 2
"""How long the last write tries again where the disk refuses."""


class Recording:
    """Records one journal: `begin` opens it, `collect` and `write` fill it, `finish` closes it.

    - `directory`: the run's folder. None: nothing is kept, and only an observer sees the records.
    - `collector`: takes the records away from the threads that make them.
    - `definitions`: what the journal defines; they take notes and faults too.
    - `define_engines`: defines the engines that were imported since it was called last.
    - `about`: facts of the process that its settings add to those which it has by itself.
    - `complaints`: tell the user what no journal can hold any more.
    """

    def __init__(
        self,
        directory: str | None,
        collector: Collector,
        definitions: Definitions,
        define_engines: Callable[[], None],
        about: Mapping[str, Any],
        complaints: Complaints,
    ) -> None:
        self.directory = directory
        self.facts: dict[str, Any] = {}
        """What the journal says of this process; empty until the first fit begins."""
        self.writer: Writer | None = None
        """Appends to the journal; None as long as it is not open."""
        self._collector = collector
        self._definitions = definitions
        self._define_engines = define_engines
        self._about = about
        self._complaints = complaints
        self._path: str | None = None
        # A signal handler may train while the lock is held by what it interrupts.
        self._lock = original_threads.RLock()

    @property
    def has_begun(self) -> bool:
        """Whether `begin` has done its work."""
        return self.writer is not None or (self.directory is None and bool(self.facts))

    def begin(self) -> None:
        """Open the journal, unless it is open. From now on, what is recorded is kept."""
        with self._lock:
            if self.directory is None:
                self.facts = self.facts or self._facts()
            else:
                self.writer = self.writer or self._open(self.directory)

    def collect(self) -> None:
        """Queue everything recorded until now for the writer.

        As long as the journal is not open, it is dropped: it is no part of a fit. A function of the engine was called
        by itself.
        """
        counts_before = self._collector.threads.counts()
        writer = self.writer
        if writer is None:
            # Only what was there before `writer` was looked at: a fit may have begun meanwhile.
            for thread, count in counts_before:
                thread.buffer.discard(count)
            return
        with self._lock:
            self._define_engines()
            self._collector.collect(writer)

    def write(self) -> None:
        """Write what is queued."""
        writer = self.writer
        if writer is not None:
            writer.write()

    def finish(self) -> None:
        """Write what is left, with a definition that says so, and close the journal."""
        self._remove_unwritten()
        writer = self.writer
        if writer is None:
            return
        try:
            self.collect()
            self._definitions.add({"define": "closed"})
            self.collect()
            writer.write(give_up_after_s=LAST_WRITE_S)
        except Exception:
            self.writer = None
            raise
        # Not in a `finally`: where a signal handler has raised, the session finishes it a second time.
        self.writer = None
        writer.close()

    def leave_to_parent(self) -> None:
        """Close the file in a process that was forked off. The parent writes what was recorded before the fork."""
        if self.writer is not None:
            self.writer.close()

    def _facts(self) -> dict[str, Any]:
        return dict(facts(), **self._about)

    def _open(self, directory: str) -> Writer:
        self._remove_unwritten()
        # Their times are those of this very try. So it has another name than one that a signal handler has ended.
        facts = self._facts()
        self._path = os.path.join(directory, "journal", "%(time_ns)d-%(clock_ns)d-%(pid)d.journal" % facts)
        writer = Writer(self._path, self._note_refusal, self._note_reopening, partial(self._tell_removal, directory))
        writer.put(block(BlockKind.FACTS, json.dumps(facts).encode()))
        self.facts = facts
        return writer

    def _remove_unwritten(self) -> None:
        """Leave nothing of a journal that a signal handler kept from being opened."""
        if self.writer is None and self._path is not None:
            remove_unwritten(self._path)

    def _note_refusal(self, error: OSError) -> str:
        """Note that the disk refuses; return the text of the note."""
        self._definitions.fault("writing the journal", error)
        return self._definitions.last_note()

    def _note_reopening(self) -> None:
        message = "the program closed the journal's descriptor; it was opened again, and nothing is lost"
        self._definitions.note("journal", message)

    def _tell_removal(self, directory: str) -> None:
        """Tell the user that the journal is gone: no reader will see a note.

        Where all of a run's folder is gone, the run's launcher says so.
        """
        if os.environ.get("FITTRACE_RUN") == directory and not is_there(directory):
            return
        self._complaints.say("%s: its journal was removed while the program ran; nothing more is kept" % directory)
