"""Greenlets: a recording for each, as several take turns on one thread (gevent and eventlet are made of them).

To a trace each greenlet is a thread of its own, since fits in two of them go on side by side. A thread's main greenlet
is the thread itself, and nothing changes for it. The probes that belong to the owner stand back in all others.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any, Callable

from ..isolation.original_threads import get_ident
from .recorder import Recorder, RecorderContext, ThreadRecording

GREENLET = "greenlet"
"""The module that makes greenlets. As long as it has not been imported there are none."""


def turn_green(recorder: Recorder, context: RecorderContext, current: Callable[[], Any]) -> None:
    """Let a recorder have a recording for each greenlet; `current` gives the greenlet that runs."""
    recordings = _Recordings(context, current)
    kind = type(recorder)

    class Green(kind):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            recording = recordings.current()
            return kind.__getattribute__(self, name) if recording is None else getattr(recording, name)

    recorder.__class__ = Green


class _Recordings:
    """The recordings of greenlets, by their identities.

    When a greenlet ends, the next on its thread takes its recording.
    """

    def __init__(self, context: RecorderContext, current: Callable[[], Any]) -> None:
        self._context = context
        self._current = current
        self._known: dict[int, ThreadRecording] = {}
        self._ends: dict[int, Any] = {}
        self._free: dict[int, list[ThreadRecording]] = {}

    def current(self) -> ThreadRecording | None:
        """The recording of the greenlet that runs; None where it is a thread's main greenlet."""
        greenlet = self._current()
        if greenlet.parent is None:
            return None
        identity = id(greenlet)
        known = self._known.get(identity)
        return self._take_note(greenlet, identity) if known is None else known

    def _take_note(self, greenlet: Any, identity: int) -> ThreadRecording:
        free = self._free.setdefault(get_ident(), [])
        recording = free.pop() if free else ThreadRecording(self._context, identity)
        self._ends[identity] = weakref.ref(greenlet, partial(self._ended, identity, free))
        self._known[identity] = recording
        return recording

    def _ended(self, identity: int, free: list[ThreadRecording], _: object) -> None:
        del self._ends[identity]
        free.append(self._known.pop(identity))
