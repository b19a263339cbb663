"""Runs a program under capture, in the same way as Python runs it without capture."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from ..schema import run_facts
from ..schema.capture_settings import DEFAULT, Settings
from ..schema.errors import FittraceError
from ..store.converter_lock import StillRunning, marked_as_running
from ..store.run_files import Progress, journals
from .interpreter import has_keras, resolve
from .run_folder import make_run_folder

BOOTSTRAP = Path(__file__).parent / "bootstrap"
"""The folder on the program's PYTHONPATH whose `sitecustomize` starts capture."""

# The signals that this process passes on to the program.
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


@dataclass(frozen=True)
class Program:
    """A program to run: a script or a module."""

    script: str | None
    "The path of the script; None if a module is run."
    module: str | None
    "The name of the module; None if a script is run."
    arguments: Sequence[str]
    "What the program gets after its own name in `sys.argv`."
    python: str | None = None
    "The interpreter, as `interpreter.resolve` reads it; None is this one."
    settings: Settings = DEFAULT
    "What to record."

    @property
    def title(self) -> str:
        """The name of the program in the name of the run."""
        return self.module.rpartition(".")[2] if self.module is not None else Path(str(self.script)).name

    def command(self) -> list[str]:
        """The command line that runs it without fittrace. Raises `FittraceError` if the script does not exist."""
        if self.module is None and not Path(str(self.script)).exists():
            raise FittraceError(f"{self.script}: no such script; give the path of a Python file, or -m and a module")
        # The user gave this interpreter its flags (-W, -X, -u, ...) for the program.
        flags = subprocess._args_from_interpreter_flags() if self.python is None else []  # type: ignore[attr-defined]
        program = ["-m", self.module] if self.module is not None else [str(self.script)]
        return [resolve(self.python), *flags, *program, *self.arguments]


@dataclass(frozen=True)
class Finished:
    """How a run ended."""

    directory: Path
    "The folder of the run."
    exit_code: int | None
    "The exit code of the program; None if a signal killed it."
    signal: int | None
    "The signal that killed the program."
    traced: bool
    "Whether anything was recorded."
    remarks: Sequence[str]
    "What the user should know: what went wrong, and the remedy."

    def exit(self) -> int:
        """The exit code for this process. If a signal killed the program, this kills this process with it too."""
        if self.signal is None:
            return self.exit_code or 0
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if self.signal != signal.SIGKILL:
            signal.signal(self.signal, signal.SIG_DFL)
        os.kill(os.getpid(), self.signal)
        return 128 + self.signal


def execute(
    program: Program,
    out: Path,
    name: str | None,
    progress: Progress,
    variables: Mapping[str, str] | None = None,
    watching: Callable[[Path], AbstractContextManager[None]] = lambda directory: nullcontext(),
) -> Finished:
    """Run `program` under capture, and write the tables of its trace.

    The program gets the streams, the working folder and the process group of this process. Signals are passed on to it.

    - `out`, `name`: the folder in which to make the folder of the run, and the name of that folder.
    - `progress`: is called while the tables are written.
    - `variables`: are added to the program's environment.
    - `watching`: is entered, with the folder of the run, while the program runs.

    Raises `FittraceError` before the program starts, never after.
    """
    if not hasattr(signal, "sigwaitinfo"):
        raise FittraceError(f"run: works only on Linux, not on {sys.platform}; use `with fittrace.trace():` instead")
    command = program.command()
    directory, facts = make_run_folder(out, name, program.title, command[1:], command[0], program.settings)
    with marked_as_running(directory):
        with watching(directory):
            exit_code, killed_by = _run(command, {**_environment(directory), **(variables or {})})
        if not directory.is_dir():
            remark = f"{directory}: the run's folder was deleted while the program ran, and the trace with it"
            return Finished(directory, exit_code, killed_by, traced=False, remarks=[remark])
        remarks = []
        traced = True
        # This imports Arrow. It comes after the program so that the program does not wait for it.
        from ..store.conversion import write_tables

        try:
            traced = bool(journals(directory))
            run_facts.end(str(directory), facts, exit_code, killed_by)
            write_tables(directory, directory.name, progress)
        except StillRunning:
            remarks.append("a process that the program started still runs; the trace opens from its journals")
        except OSError as error:
            # The message of the system is shorter than Arrow's.
            reason = os.strerror(error.errno) if error.errno is not None else str(error)
            remarks.append(f"the tables could not be written ({reason}); the trace opens from its journal")
        except KeyboardInterrupt:
            remarks.append("interrupted while writing the tables; the trace opens from its journal")
        except Exception as error:
            # A fault of fittrace, or damaged files, must not change the exit code.
            reason = f"{type(error).__name__}: {error}"
            remarks.append(f"the tables could not be written ({reason}); the trace opens from its journal")
    if not traced:
        remarks.append(_why_untraced(program, command[0]))
    return Finished(directory, exit_code, killed_by, traced, remarks)


def _why_untraced(program: Program, python: str) -> str:
    if program.python is None and sys.flags.ignore_environment:
        return "nothing was traced: this Python was started with -E or -I, which disables capture; remove the flag"
    if not has_keras(python, program.script):
        return f"nothing was traced: {python} has no Keras; install it there, or choose another Python with --python"
    return "nothing was traced: the program never called fit, evaluate or predict of a Keras model"


def _environment(directory: Path) -> dict[str, str]:
    """The environment of the program: this one, with what makes its interpreter start capture."""
    path = os.pathsep.join(filter(None, (str(BOOTSTRAP), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "FITTRACE_RUN": str(directory)}


def _run(command: list[str], environment: dict[str, str]) -> tuple[int | None, int | None]:
    """Run `command` to its end. Returns its exit code, or None and the signal that killed it."""
    forwarded = {getattr(signal, name) for name in _FORWARDED}
    waited_for = forwarded | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            # Python ignores these two signals. The program gets the default action, as when a shell starts it.
            ignored = (signal.SIGPIPE, signal.SIGXFSZ)
            child = os.posix_spawn(command[0], command, environment, setsigmask=before, setsigdef=ignored)
        except OSError as error:
            raise FittraceError(f"{command[0]}: cannot be run ({error.strerror}); check --python") from None
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            caught = signal.sigwaitinfo(waited_for)
            # Pass on only what another process sent (si_code <= 0). The terminal signals the whole process group, so
            # the program already has those.
            if caught.si_signo in forwarded and caught.si_code <= 0:
                os.kill(child, caught.si_signo)
    finally:
        while signal.sigpending() & forwarded:
            signal.sigwait(forwarded)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = os.waitstatus_to_exitcode(ended[1])
    return (code, None) if code >= 0 else (None, -code)
