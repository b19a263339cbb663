"""Definitions: the journal has each once, before the records that refer to it. Notes to the reader are among them."""

from __future__ import annotations

import json
import threading
from typing import Any, Callable, Dict

from ..isolation import original_threads
from ..isolation.interruptions import is_programs

Definition = Dict[str, Any]

_OF_ONE_RUN = ("fault", "journal", "run_metadata")
"""Kinds of note about events of one run. Other kinds are about the engines."""


def thread_name() -> str:
    """The name of the calling thread."""
    identity = original_threads.get_ident()
    active = threading._active  # type: ignore[attr-defined]
    # Not `threading.current_thread`: it would add an entry for a thread that `threading` did not start. Green threads
    # have entries under identities of their own.
    known = active.get(identity) or active.get(threading.get_ident())
    # Not the property `name`, which a subclass of the program may override.
    name = getattr(known, "__dict__", {}).get("_name")
    return name if type(name) is str else "thread-%d" % identity


class Definitions:
    """The definitions of one process, in order. `fresh` gives those that its journal does not have yet."""

    def __init__(self) -> None:
        self._all: list[Definition] = []
        self._written = 0
        self._noted: set[str] = set()

    def add(self, definition: Definition) -> None:
        """Add a definition."""
        self._all.append(definition)

    def thread(self, number: int, identity: int, is_green: bool = False) -> None:
        """Define the calling thread, or a greenlet on it."""
        name = thread_name()
        if is_green:
            name += " (greenlet %d)" % number
        self.add({"define": "thread", "thread": number, "name": name, "ident": identity})

    def note(self, kind: str, message: str) -> None:
        """Add a note to the reader of the trace, unless there is the same note already."""
        self._note_once(message, kind, message)

    def fault(self, where: str, error: BaseException) -> None:
        """Add a note that fittrace failed, once for each `where`.

        - `where`: what fittrace was doing.
        - `error`: the error. It is raised again if it is the program's own, such as an interrupt while fittrace ran.
        """
        if is_programs(error):
            raise error
        self.fault_in_background(where, error)

    def fault_in_background(self, where: str, error: BaseException) -> None:
        """Do the same in a thread of fittrace's own, where no error is the program's."""
        message = str(error) if isinstance(error, OSError) else ""
        reason = ": ".join(filter(None, (type(error).__name__, message)))
        self._note_once(where, "fault", "fittrace failed in %s: %s" % (where, reason))

    def _note_once(self, subject: str, kind: str, message: str) -> None:
        """Add a note, unless there is one on the same `subject` already."""
        if subject not in self._noted:
            self._noted.add(subject)
            self.add({"define": "note", "kind": kind, "message": message})

    @property
    def has_notes(self) -> bool:
        """Whether there are notes to the reader."""
        return any(definition["define"] == "note" for definition in self._all)

    def last_note(self) -> str:
        """The last note as JSON, as in the journal."""
        return json.dumps(next(known for known in reversed(self._all) if known["define"] == "note"))

    def fresh(self) -> list[Definition]:
        """The definitions since the last call."""
        fresh = self._all[self._written :]
        self._written += len(fresh)
        return fresh

    def for_another_run(self) -> None:
        """Define everything again, in the journal of another run, without the events of the old run."""
        self._again(lambda known: known["define"] not in ("dropped", "closed") and known.get("kind") not in _OF_ONE_RUN)
        self._noted.clear()

    def for_another_process(self, thread: int) -> Definition | None:
        """Define everything but the threads again, in the journal of a forked process.

        Returns the old definition of the thread whose identity is `thread`. None if it had none.
        """
        names = [known for known in self._all if known["define"] == "thread" and known["ident"] == thread]
        self._again(lambda known: known["define"] not in ("thread", "dropped"))
        return names[-1] if names else None

    def _again(self, is_kept: Callable[[Definition], bool]) -> None:
        self._all = [known for known in self._all if is_kept(known)]
        self._written = 0
