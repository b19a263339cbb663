"""TensorFlow's profiler, one for a process. fittrace borrows it for one batch, and gives way to everyone else."""

from __future__ import annotations

import sys
from typing import Any

from ...engines.profiler_entries import TAKES_PROFILER
from ..isolation import original_threads
from ..isolation.interruptions import is_programs

MODULE = "tensorflow.python.profiler.internal._pywrap_profiler"
"""The module with the sessions of the profiler."""
PROGRAMS_OWN = "tensorflow.python.profiler.profiler_v2"
"""The module that keeps the session of a program that has started the profiler."""

ACTIVE = "no ops: the program's own profiler was active (TensorBoard's, say), and only one can be"
_GIVEN = "no more ops: the program's own profiler goes first, and the program came to it by %s"
_BUSY = "no ops of batches that ran while a batch of another fit was sampled"
_UNKNOWN = "no ops: this TensorFlow has no profiler that fittrace knows"

_OPTIONS = {"host_tracer_level": 2, "python_tracer_level": 0, "device_tracer_level": 1}
_PATIENCE_S = 10
"""How many seconds the program waits, at most, until a session of fittrace's has started or stopped. That takes
milliseconds."""


class Profiler:
    """fittrace's use of the profiler. Once the program has wanted the profiler, fittrace never takes it again.

    The thread whose batch is sampled calls `take` and `let_go`. TensorFlow's functions that take the profiler call
    `give_way` first, in any thread (see `profiler_watch`). So the program never finds it taken by fittrace.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        """Why fittrace has given the profiler up; None as long as it has not."""
        self.renew()

    def renew(self) -> None:
        """Forget the session that runs. In a forked process it is the parent's."""
        # Held from before a session starts until it has stopped. `_holder` is the thread that took it.
        self._lock = original_threads.allocate_lock()
        self._holder = 0
        # The one session, or none. `pop` is atomic: whoever pops the session stops it and releases the lock.
        self._sessions: list[Any] = []
        self._runs = False

    def take(self) -> str | None:
        """Start a session of the profiler.

        Returns None, or the reason why there is no session. Raises what TensorFlow raises.
        """
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
        return self.reason  # the program may have come to the profiler while the session started

    def let_go(self) -> bytes | None:
        """Stop the session. Returns its serialized profile; None where `give_way` has stopped it already.

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
        """Stop the session, if there is one, and discard its profile."""
        try:
            self.let_go()
        except BaseException as error:
            if is_programs(error):
                # A signal handler has raised, perhaps before the session was popped.
                self.drop()
                raise
            # Otherwise TensorFlow has raised, because the session has not started.

    def drop_own(self) -> None:
        """Do the same if the calling thread has started the session."""
        if self._holder == original_threads.get_ident():
            self.drop()

    def give_way(self, way: str) -> None:
        """Let the program have the profiler. It is about to take it by `way`, the name of a function."""
        self.reason = self.reason or _GIVEN % way
        is_here = self._holder == original_threads.get_ident()
        if self._runs:
            self.drop()
        elif is_here and self._sessions:
            # This is a signal handler that has interrupted `take`, which pops the session afterwards.
            try:
                self._sessions[0].stop()
            except Exception as error:  # TensorFlow's, where the session has not started
                if is_programs(error):
                    raise
        # Another thread may be starting or stopping the session at this moment: wait for it.
        if not is_here and self._lock.acquire(True, _PATIENCE_S):
            self._lock.release()

    def give_way_if_traced(self, way: str, options: Any) -> None:
        """Do the same for a call of a session of TensorFlow 1, if its options ask for the profiler.

        - `way`: the name of the function.
        - `options`: run options, or an object that has some; True where the call may get any options later.
        """
        try:
            options = getattr(options, "run_options", options)
            is_traced = options is True or getattr(options, "trace_level", 0) >= TAKES_PROFILER
        except Exception as error:  # no options; TensorFlow will say so itself
            if is_programs(error):
                raise
            return
        if is_traced:
            self.give_way(way)


PROFILER = Profiler()
"""The one of this process."""
