"""The sandbox: a worker under strace, which tells every file that it opens or changes, every program and connection.

strace sees what the libraries in C++ do as well, and the real path of whatever was opened, whichever links led there.
"""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .poison import BAIT
from .worker import MARK

CALLS = (
    "open,openat,openat2,creat,truncate,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,"
    "link,linkat,symlink,symlinkat,chmod,fchmodat,chown,lchown,fchownat,utimensat,setxattr,"
    "execve,execveat,fork,vfork,clone,clone3,socket,connect,sendto,bind"
)
SILENT_S = 300
"""A worker that says nothing for so long hangs."""

_CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>.*)$")
_OWN_MEMORY = re.compile(r"/proc/\d+/clear_refs")
_RESULT = re.compile(r"^\d+<(?P<path>.*?)>(?:\(deleted\))?$")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_FOLDER = re.compile(r"(?:AT_FDCWD|\d+)<([^>]*)>")
_CHANGES = re.compile(r"truncate|rename|unlink|rmdir|mkdir|mknod|link|symlink|f?chmod|[lf]?chown|utimens|setxattr")


@dataclass
class Job:
    """One hostile run: its number, its folder, where output goes, the commands to try, and the bytes that it takes."""

    number: int
    run: Path
    out: Path
    commands: Sequence[str]
    size: int


@dataclass
class Outcome:
    """What a worker did: how many runs and commands were `done`, and the `faults` as (run, command, what)."""

    runs: int = 0
    commands: int = 0
    faults: list[tuple[int, str, str]] = field(default_factory=list)
    memory: dict[tuple[int, str], int] = field(default_factory=dict)
    "The most bytes that a command took, by run and command."


def carry_out(jobs: Sequence[Job], area: Path, name: str, worker: str = "fuzz.worker") -> Outcome:
    """Let the module `worker` carry out the `jobs`. All that it may write lies in `area/name` and each job's `out`."""
    own = area / name
    own.mkdir()
    log = own / "strace.log"
    environment = {
        **os.environ,
        "TMPDIR": str(own / "tmp"),
        "XDG_CACHE_HOME": str(own / "tmp"),
        "HOME": str(own / "tmp"),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "NO_COLOR": "1",
    }
    (own / "tmp").mkdir()
    command = ["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-s", "4096", "-o", str(log), "-e", f"trace={CALLS}",
               "-e", "signal=none", sys.executable, "-m", worker, str(own / "tmp" / "said")]  # fmt: skip
    outcome = Outcome()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=own / "tmp"
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        lines = [json.dumps([job.number, str(job.run), str(job.out), list(job.commands)]) for job in jobs]
        process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        process.stdin.close()
        last = _listen(process, outcome)
    outcome.runs = len(jobs)
    if outcome.commands < sum(len(job.commands) for job in jobs):
        outcome.faults.append((*last, f"the worker ended or hung (exit code {process.returncode})"))
    outcome.faults += _seen(log, {job.number: job for job in jobs}, own / "tmp", area)
    log.unlink()
    return outcome


def _listen(process: subprocess.Popen[bytes], outcome: Outcome) -> tuple[int, str]:
    """Take a worker's answers until it ends; what it answered last."""
    assert process.stdout is not None
    last, rest = (-1, "start"), b""
    deadline = time.monotonic() + SILENT_S
    while True:
        readable, _, _ = select.select([process.stdout], [], [], 1)
        if not readable:
            if time.monotonic() > deadline:
                subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=False)
                process.kill()
                return last
            continue
        data = os.read(process.stdout.fileno(), 1 << 16)
        if not data:
            return last
        deadline = time.monotonic() + SILENT_S
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            last = answer["run"], answer["command"]
            outcome.commands += 1
            outcome.memory[last] = answer["memory"]
            outcome.faults += [(*last, fault) for fault in answer["faults"]]


def _seen(log: Path, jobs: dict[int, Job], temporary: Path, area: Path) -> Iterator[tuple[int, str, str]]:
    """What the system calls of a worker did that no command may do."""
    number, command = -1, "start"
    told: set[tuple[int, str, str]] = set()
    for line in _whole(log):
        call = _CALL.match(line)
        if call is None:
            continue
        name, arguments, result = call["name"], call["arguments"], call["result"]
        if MARK in arguments:
            _, _, mark = arguments.partition(MARK + "/")
            at, _, command = mark.partition('"')[0].partition("/")
            number = int(at)
        elif number >= 0 and command != "-" and not result.startswith("-1"):
            wrong = _wrong(name, arguments, result, jobs[number], command, temporary, area)
            if wrong is not None and (number, command, wrong) not in told:
                told.add((number, command, wrong))
                yield number, command, f"{wrong}: {line[:500]}"


def _wrong(name: str, arguments: str, result: str, job: Job, command: str, temporary: Path, area: Path) -> str | None:
    """Why a successful call is one that a command may not make; None: it may."""
    if name.startswith("exec") or (name in ("fork", "vfork", "clone", "clone3") and "CLONE_THREAD" not in arguments):
        return "a child process"
    if name in ("connect", "sendto", "bind") or (name == "socket" and "AF_INET" in arguments):
        return "network"
    writable = [str(job.out), str(temporary), "/dev/null"]
    if command == "convert":
        writable.append(str(job.run))
    if name in ("open", "openat", "openat2", "creat"):
        found = _RESULT.match(result)
        path = _plain(found["path"]) if found else arguments
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC", arguments):
            return None if _under(path, writable) or _OWN_MEMORY.fullmatch(path) else "a write outside of the output"
        if path in BAIT or (_under(path, [str(area)]) and not _under(path, [str(job.run.parent), *writable])):
            return "a read outside of the run"
        return None
    if _CHANGES.match(name):
        folders, texts = _FOLDER.findall(arguments), _TEXT.findall(arguments)
        base = _plain(folders[0]) if folders else ""
        for text in texts:
            path = os.path.join(base, _plain(text))
            parent = os.path.realpath(os.path.dirname(path))
            if not _under(os.path.join(parent, os.path.basename(path)), writable):
                return "a change outside of the output"
    return None


def _under(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)


def _plain(text: str) -> str:
    """A path as strace quotes it, as it is."""
    return (
        text.encode("latin-1", "replace")
        .decode("unicode_escape")
        .encode("latin-1", "replace")
        .decode("utf-8", "replace")
    )


def _whole(log: Path) -> Iterator[str]:
    """The calls in a log, each on one line: those that another thread interrupted are put together."""
    begun: dict[str, str] = {}
    with log.open(errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            thread = line.split(None, 1)[0]
            if line.endswith("<unfinished ...>"):
                begun[thread] = line[: -len("<unfinished ...>")]
            elif resumed := re.match(r"^\d+ +<\.\.\. \w+ resumed>(.*)$", line):
                yield begun.pop(thread, "") + resumed[1]
            else:
                yield line
