"""TensorFlow's profiler: a process has one. fittrace borrows it for a batch; it gives way to everyone else."""

from __future__ import annotations

import sys
from typing import Any

from ...engines.profiler_entries import TAKES_PROFILER
from ..isolation import original_threads
from ..isolation.interruptions import is_programs

MODULE = "tensorflow.python.profiler.internal._pywrap_profiler"
PROGRAMS_OWN = "tensorflow.python.profiler.profiler_v2"

ACTIVE = "no ops: the program's own profiler was active (TensorBoard's, say), and only one can be"
_GIVEN = "no more ops: the program's own profiler goes first, and the program came to it by %s"
_BUSY = "no ops of batches that ran while a batch of another fit was sampled"
_UNKNOWN = "no ops: this TensorFlow has no profiler that fittrace knows"

_OPTIONS = {"host_tracer_level": 2, "python_tracer_level": 0, "device_tracer_level": 1}
_PATIENCE_S = 10
"""How long the program waits, at the most, for a session of fittrace's to start or stop. It takes milliseconds."""


class Profiler:
    """The profiler, as far as fittrace has it. Once somebody else has wanted it, fittrace never takes it again.

    The thread whose batch is sampled calls `take` and `let_go`. The program's ways to the profiler call `give_way`
    (`profiler_watch`), in any thread, before they try. So the program never meets a session of fittrace's.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        """Why fittrace has given the profiler up, if it has."""
        self.renew()

    def renew(self) -> None:
        """Forget the session that was running: it is a forked process' parent's."""
        # Held from before a session starts until it has stopped; `_holder` is the thread that took it.
        self._lock = original_threads.allocate_lock()
        self._holder = 0
        # The one session; whoever takes it out stops it and releases the lock.
        self._sessions: list[Any] = []
        self._runs = False

    def take(self) -> str | None:
        """Start a session. Returns None, or the reason why there is none. Raises what TensorFlow raises."""
        if self.reason is not None:
            return self.reason
        if MODULE not in sys.modules or PROGRAMS_OWN not in sys.modules:
            return _UNKNOWN
        if getattr(sys.modules[PROGRAMS_OWN], "_profiler", None) is not None:
            self.reason = ACTIVE
            return ACTIVE
        session = sys.modules[MODULE].ProfilerSession()
        if not self._lock.acquire(False):
            return _BUSY
        is_ours = False
        try:
            self._sessions.append(session)
            self._holder = original_threads.get_ident()
            reason = self._start(session)
            is_ours = reason is None
        finally:
            if not is_ours:
                self.drop()
        return reason

    def _start(self, session: Any) -> str | None:
        try:
            session.start("", dict(_OPTIONS))
        except Exception as error:
            if type(error).__name__ != "AlreadyExistsError":
                raise
            self.reason = ACTIVE
        else:
            self._runs = True
        return self.reason  # set meanwhile, where the program came while the session started

    def let_go(self) -> bytes | None:
        """Stop the session. Returns what it saw; None where the program came first, and it is stopped already.

        Raises what TensorFlow raises.
        """
        try:
            session = self._sessions.pop()
        except IndexError:
            return None
        try:
            return session.stop()  # type: ignore[no-any-return]
        finally:
            self._runs, self._holder = False, 0
            self._lock.release()

    def drop(self) -> None:
        """Stop the session, if it runs, whatever it saw."""
        try:
            self.let_go()
        except BaseException as error:
            if is_programs(error):
                # A signal's handler has raised, perhaps before the session was taken out.
                self.drop()
                raise
            # Else it has not started.

    def drop_own(self) -> None:
        """The same with the calling thread's session."""
        if self._holder == original_threads.get_ident():
            self.drop()

    def give_way(self, way: str) -> None:
        """Let the program have the profiler, which it is about to take by `way`."""
        self.reason = self.reason or _GIVEN % way
        is_here = self._holder == original_threads.get_ident()
        if self._runs:
            self.drop()
        elif is_here and self._sessions:
            # A signal's handler, in the midst of `take`, which takes the session out.
            try:
                self._sessions[0].stop()
            except Exception as error:  # it has not started
                if is_programs(error):
                    raise
        # In another thread it may be starting or stopping at this moment.
        if not is_here and self._lock.acquire(True, _PATIENCE_S):
            self._lock.release()

    def give_way_if_traced(self, way: str, options: Any) -> None:
        """The same for a session's call, if its `options` take the profiler. True: it may have any options."""
        try:
            options = getattr(options, "run_options", options)
            is_traced = options is True or getattr(options, "trace_level", 0) >= TAKES_PROFILER
        except Exception as error:  # it is nothing that TensorFlow knows
            if is_programs(error):
                raise
            return
        if is_traced:
            self.give_way(way)


PROFILER = Profiler()
"""This process' own."""
