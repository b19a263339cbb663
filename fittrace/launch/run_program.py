"""Running a program under capture, as if it had been started without it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..schema import run_facts as schema_run
from ..schema.capture_settings import DEFAULT, Settings
from ..schema.errors import FittraceError
from ..store.locks import held, is_held
from ..store.run_files import Progress, journals
from . import run_folder as folders
from .interpreter import has_keras, resolve

BOOTSTRAP = Path(__file__).parent / "bootstrap"
_FORWARDED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


@dataclass(frozen=True)
class Program:
    """What to run: a `script` or a `module`, its `arguments`, the Python to run it with (None: this one), and how much
    of it is recorded."""

    script: str | None
    module: str | None
    arguments: Sequence[str]
    python: str | None = None
    settings: Settings = DEFAULT

    @property
    def title(self) -> str:
        """What the run is called after."""
        return self.module.rpartition(".")[2] if self.module is not None else Path(str(self.script)).name

    def command(self) -> list[str]:
        """The command line that runs it without fittrace. Raises `FittraceError` where there is no such script."""
        if self.module is None and not Path(str(self.script)).exists():
            raise FittraceError(f"{self.script}: no such script; give the path of a Python file, or -m and a module")
        # The flags of this Python (-W, -X, -u, ...) are the user's, and meant for the program.
        flags = subprocess._args_from_interpreter_flags() if self.python is None else []  # type: ignore[attr-defined]
        what = ["-m", self.module] if self.module is not None else [str(self.script)]
        return [resolve(self.python), *flags, *what, *self.arguments]


@dataclass(frozen=True)
class Finished:
    """How a run ended: folder, exit code or signal, whether anything was traced, and what there is to say about it."""

    directory: Path
    exit_code: int | None
    signal: int | None
    traced: bool
    remarks: Sequence[str]

    def exit(self) -> int:
        """The exit code to end with; where the program died of a signal, this process dies of it too."""
        if self.signal is None:
            return self.exit_code or 0
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if self.signal != signal.SIGKILL:
            signal.signal(self.signal, signal.SIG_DFL)
        os.kill(os.getpid(), self.signal)
        return 128 + self.signal


def execute(
    program: Program, out: Path, name: str | None, progress: Progress, variables: Mapping[str, str] | None = None
) -> Finished:
    """Run `program` under capture and leave its trace in a new folder under `out`.

    The program has this process' streams, working folder and process group; signals reach it. `variables` are added to
    its environment. Raises `FittraceError` before it starts, never after.
    """
    if not hasattr(signal, "sigwaitinfo"):
        raise FittraceError(f"run: not on {sys.platform} yet, only on Linux; `with fittrace.trace():` works everywhere")
    command = program.command()
    directory, facts = folders.make(out, name, program.title, command[1:], command[0], program.settings)
    with held(directory):
        exit_code, killed_by = _run(command, {**_environment(directory), **(variables or {})})
        if not directory.is_dir():
            remark = f"{directory}: the run's folder was deleted while the program ran, and the trace with it"
            return Finished(directory, exit_code, killed_by, traced=False, remarks=[remark])
        remarks = []
        traced = True
        # Only now, so that the program does not wait for Arrow to be imported.
        from ..store.conversion import settle

        try:
            traced = bool(journals(directory))
            schema_run.end(str(directory), facts, exit_code, killed_by)
            if any(is_held(journal) for journal in journals(directory)):
                remarks.append("a process that the program started goes on; the trace opens from its journals")
            else:
                settle(directory, directory.name, progress)
        except OSError as error:
            # Arrow's own words for it are longer.
            reason = os.strerror(error.errno) if error.errno is not None else str(error)
            remarks.append(f"the tables could not be written ({reason}); the trace opens from its journal")
        except KeyboardInterrupt:
            remarks.append("interrupted while writing the tables; the trace opens from its journal")
        except Exception as error:
            # A fault of ours, or odd things in the folder: the program's exit code is still what counts.
            reason = f"{type(error).__name__}: {error}"
            remarks.append(f"the tables could not be written ({reason}); the trace opens from its journal")
    if not traced:
        remarks.append(_why_nothing(program, command[0]))
    return Finished(directory, exit_code, killed_by, traced, remarks)


def _why_nothing(program: Program, python: str) -> str:
    if program.python is None and sys.flags.ignore_environment:
        return "nothing was traced: this Python was started with -E or -I, which keeps capture out; leave that away"
    if not has_keras(python, program.script):
        return f"nothing was traced: {python} has no Keras; install it there, or choose another Python with --python"
    return "nothing was traced: the program never called fit, evaluate or predict of a Keras model"


def _environment(directory: Path) -> dict[str, str]:
    before = os.environ.get("PYTHONPATH")
    path = os.pathsep.join(filter(None, (str(BOOTSTRAP), before)))
    return {**os.environ, "PYTHONPATH": path, "FITTRACE_RUN": str(directory)}


def _run(command: list[str], environment: dict[str, str]) -> tuple[int | None, int | None]:
    """Run `command` to its end: its exit code, or the signal that it died of."""
    forwarded = {getattr(signal, name) for name in _FORWARDED}
    waited_for = forwarded | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            # Python ignores these two itself; the program gets them as if it had been started from the shell.
            ignored = (signal.SIGPIPE, signal.SIGXFSZ)
            child = os.posix_spawn(command[0], command, environment, setsigmask=before, setsigdef=ignored)
        except OSError as error:
            raise FittraceError(f"{command[0]}: cannot be run ({error.strerror}); check --python") from None
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            caught = signal.sigwaitinfo(waited_for)
            # What the terminal sends goes to the whole process group; the program has it already.
            if caught.si_signo in forwarded and caught.si_code <= 0:
                os.kill(child, caught.si_signo)
    finally:
        while signal.sigpending() & forwarded:
            signal.sigwait(forwarded)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    code = os.waitstatus_to_exitcode(ended[1])
    return (code, None) if code >= 0 else (None, -code)
