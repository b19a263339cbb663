"""The Python stacks of a process that runs, as py-spy reads them from outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from ...schema.errors import FittraceError

_TIMEOUT_S = 20
_TRIES = 3
"""py-spy does not stop the process, so what it reads may change while it reads."""

_OWN_THREADS = os.path.join("fittrace", "capture", "journal", "background_threads.py")
"""The file whose threads are fittrace's own. They are left out."""


class NoStacks(FittraceError):
    """The stacks of a process cannot be read."""


@dataclass(frozen=True)
class StackFrame:
    """One frame of a stack.

    - `function`: the name of its function.
    - `file`: the path of its file.
    - `line`: the line that it is at.
    """

    function: str
    file: str
    line: int


@dataclass(frozen=True)
class ThreadStack:
    """The stack of a thread.

    - `name`: the name of the thread.
    - `is_active`: whether it runs on a processor, and does not wait.
    - `frames`: its frames, the innermost first.
    """

    name: str
    is_active: bool
    frames: tuple[StackFrame, ...]


def python_stacks(pid: int) -> list[ThreadStack]:
    """The stacks of all Python threads of a process, the main thread first. The process is not stopped.

    Raises `NoStacks` if py-spy is not installed, or may not read the process.
    """
    program = _py_spy()
    said = ""
    for _ in range(_TRIES):
        command = [program, "dump", "--json", "--nonblocking", "--pid", str(pid)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoStacks(f"{program}: cannot read process {pid} ({type(error).__name__}); try again") from None
        if done.returncode == 0:
            try:
                return _stacks(json.loads(done.stdout))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise NoStacks(f"{program}: its output is not understood; use py-spy 0.4 or later") from None
        said = done.stderr.strip()
    raise NoStacks(_why(pid, said))


def _py_spy() -> str:
    """The program py-spy: beside this Python, or on the path."""
    beside = os.path.dirname(sys.executable)
    found = shutil.which("py-spy", path=beside) or shutil.which("py-spy")
    if found is None:
        raise NoStacks("stacks: py-spy is not installed; install it with `pip install fittrace[where]`")
    return found


def _why(pid: int, said: str) -> str:
    """Why a process could not be read, and what to do."""
    if "ermission" in said or "not permitted" in said:
        return (
            f"process {pid}: this user may not read its stacks; run fittrace as its user or as root, set "
            "kernel.yama.ptrace_scope to 0, or start the container with --cap-add SYS_PTRACE"
        )
    last = said.splitlines()[-1] if said else "no reason is given"
    return f"process {pid}: py-spy cannot read its stacks ({last}); it may have just ended, or run no Python"


def _stacks(threads: list[dict[str, Any]]) -> list[ThreadStack]:
    stacks = [
        ThreadStack(
            str(thread.get("thread_name") or "a thread"),
            bool(thread["active"]),
            tuple(StackFrame(str(f["name"]), str(f["filename"]), int(f["line"])) for f in thread["frames"]),
        )
        for thread in threads
    ]
    own = [stack for stack in stacks if not any(frame.file.endswith(_OWN_THREADS) for frame in stack.frames)]
    return sorted(own, key=lambda stack: stack.name != "MainThread")
