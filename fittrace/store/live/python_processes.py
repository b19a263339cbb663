"""The processes of this machine, as Linux' `/proc` tells them: which run below another, and what they are."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LONGEST = 100_000
"""Bytes of a file in `/proc` that are read."""


@dataclass(frozen=True)
class ProcessOfMachine:
    """A process that runs on this machine.

    - `pid`: its number.
    - `state`: the letter that Linux has for its state, such as `R`, `S` or `Z` for one that has ended.
    - `command`: its command line.
    """

    pid: int
    state: str
    command: str

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and its parent has not looked at it yet."""
        return self.state in "ZX"


def exists(pid: int) -> bool:
    """Whether this machine has a process of this number. Only Linux tells."""
    return _stat(pid) is not None


def descendants(pid: int) -> list[ProcessOfMachine]:
    """The processes that a process has started, and those that they have started, in order of their numbers."""
    children: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for entry in _numbers():
        stat = _stat(entry)
        if stat is not None:
            children[stat[1]].append((entry, stat[0]))
    found, waiting = list[ProcessOfMachine](), [pid]
    while waiting:
        for child, state in children.pop(waiting.pop(), []):
            found.append(_process(child, state))
            waiting.append(child)
    return sorted(found, key=lambda process: process.pid)


def run_of(pid: int) -> Path | None:
    """The folder of the run that `fittrace run` records a process into, as its environment says; None if it does not.

    Raises PermissionError for a process of another user.
    """
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except FileNotFoundError:
        return None
    runs = [value for name, _, value in (variable.partition(b"=") for variable in variables) if name == b"FITTRACE_RUN"]
    return Path(os.fsdecode(runs[0])) if runs else None


def _numbers() -> Iterator[int]:
    with suppress(FileNotFoundError):
        for entry in os.listdir(_PROC):
            if entry.isdigit():
                yield int(entry)


def _stat(pid: int) -> tuple[str, int] | None:
    """The state and the parent of a process: proc(5). The name, in brackets, may hold anything."""
    try:
        with open(_PROC / str(pid) / "stat", "rb") as file:
            words = file.read(_LONGEST).rpartition(b")")[2].split()
        return words[0].decode("ascii"), int(words[1])
    except (OSError, ValueError, IndexError):
        return None


def _process(pid: int, state: str) -> ProcessOfMachine:
    command = b""
    with suppress(OSError), open(_PROC / str(pid) / "cmdline", "rb") as file:
        command = file.read(_LONGEST)
    return ProcessOfMachine(pid, state, command.replace(b"\0", b" ").decode("utf-8", "replace").strip())
