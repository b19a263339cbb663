"""Definitions: what a journal says once, before the records that refer to it. Notes to the reader are among them."""

from __future__ import annotations

import json
import threading
from typing import Any, Callable, Dict

from ..isolation import original_threads
from ..isolation.interruptions import is_programs

Definition = Dict[str, Any]

_OF_ONE_RUN = ("fault", "journal", "run_metadata")
"""Kinds of note that say what happened in one run. Other kinds say what the engines are like."""


def thread_name() -> str:
    """The name of the calling thread."""
    identity = original_threads.get_ident()
    active = threading._active  # type: ignore[attr-defined]
    # Not `threading.current_thread`: for a thread that `threading` did not start it would make an entry. Green threads
    # are there under numbers of their own.
    known = active.get(identity) or active.get(threading.get_ident())
    # Not the property `name`, which may be the program's.
    name = getattr(known, "__dict__", {}).get("_name")
    return name if type(name) is str else "thread-%d" % identity


class Definitions:
    """The definitions of one process in order, of which `fresh` gives those that its journal does not have yet."""

    def __init__(self) -> None:
        self._all: list[Definition] = []
        self._written = 0
        self._said: set[str] = set()

    def add(self, definition: Definition) -> None:
        """Define one thing more."""
        self._all.append(definition)

    def thread(self, number: int, identity: int, is_green: bool = False) -> None:
        """Define the calling thread, or a greenlet on it."""
        name = thread_name()
        if is_green:
            name += " (greenlet %d)" % number
        self.add({"define": "thread", "thread": number, "name": name, "ident": identity})

    def note(self, kind: str, message: str) -> None:
        """Say something, once, to the reader of the trace."""
        self._say(message, kind, message)

    def fault(self, where: str, error: BaseException) -> None:
        """Say, once, that something of fittrace's failed `where`.

        Raises the error where it is no fault but the program's own, which came up while fittrace's code ran.
        """
        if is_programs(error):
            raise error
        self.fault_in_background(where, error)

    def fault_in_background(self, where: str, error: BaseException) -> None:
        """The same in a thread of fittrace's own, where nothing is the program's."""
        message = str(error) if isinstance(error, OSError) else ""
        reason = ": ".join(filter(None, (type(error).__name__, message)))
        self._say(where, "fault", "fittrace failed in %s: %s" % (where, reason))

    def _say(self, what: str, kind: str, message: str) -> None:
        """Add a note, unless there is one of `what` already."""
        if what not in self._said:
            self._said.add(what)
            self.add({"define": "note", "kind": kind, "message": message})

    @property
    def has_notes(self) -> bool:
        """Whether there is something that the reader must know."""
        return any(definition["define"] == "note" for definition in self._all)

    def last_note(self) -> str:
        """The last note, as the journal has it."""
        return json.dumps(next(known for known in reversed(self._all) if known["define"] == "note"))

    def fresh(self) -> list[Definition]:
        """What was defined since the last call."""
        found = self._all[self._written :]
        self._written += len(found)
        return found

    def for_another_run(self) -> None:
        """Define all anew, in the journal of another run, but what happened in the old one."""
        self._again(lambda known: known["define"] not in ("dropped", "closed") and known.get("kind") not in _OF_ONE_RUN)
        self._said.clear()

    def for_another_process(self, thread: int) -> Definition | None:
        """Define all anew but the threads, in the journal of a forked process.

        Returns the definition of the thread with the identity `thread` as it was; None where it had none.
        """
        names = [known for known in self._all if known["define"] == "thread" and known["ident"] == thread]
        self._again(lambda known: known["define"] not in ("thread", "dropped"))
        return names[-1] if names else None

    def _again(self, is_kept: Callable[[Definition], bool]) -> None:
        self._all = [known for known in self._all if is_kept(known)]
        self._written = 0
