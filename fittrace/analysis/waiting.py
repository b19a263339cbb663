"""What the threads of a process wait for, as far as their stacks tell, and which known way to hang that is."""

from __future__ import annotations

import linecache
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from ..store.live.python_processes import ProcessOfMachine
from ..store.live.python_stacks import StackFrame, ThreadStack


class Waiting(Enum):
    """What a thread may wait for. The values are the words in sentences."""

    LOCK = "a lock"
    NETWORK = "the network"
    SLEEP = "a sleep to end"
    RESULT = "a queue, or a worker's result"
    UNKNOWN = "something that its stack does not tell"


@dataclass(frozen=True)
class Pattern:
    """A known way to hang.

    - `text`: what it is, in a sentence.
    - `remedy`: what to do about it.
    """

    text: str
    remedy: str


_LINES = (
    (Waiting.SLEEP, re.compile(r"\bsleep\(")),
    (Waiting.NETWORK, re.compile(r"\.(recv|recv_into|send|sendall|connect|accept)\(|urlopen\(|\brequests\.")),
    (Waiting.LOCK, re.compile(r"\.acquire\(|^with\s+[\w.\[\]]+(\s*,\s*[\w.\[\]]+)*\s*:")),
    (Waiting.RESULT, re.compile(r"\.(get|join|result)\(")),
)
"""What a thread waits for that is at such a line: functions in C have no frame of their own."""
_FILES = (
    (Waiting.RESULT, re.compile(r"(^|/)queue\.py$|/multiprocessing/\w+\.py$|/concurrent/futures/\w+\.py$")),
    (Waiting.NETWORK, re.compile(r"(^|/)(socket|ssl)\.py$|/(http|urllib3|requests|httpx|grpc)/")),
    (Waiting.LOCK, re.compile(r"(^|/)threading\.py$")),
)
"""What a thread waits for whose innermost frames are in such a file."""
_INNERMOST = 6
"""Frames that are looked at, from the innermost on."""
_LOADERS = re.compile(r"/(py_dataset_adapter|data_utils)\.py$")
"""Files of Keras that fetch batches from workers."""
_LIBRARY = re.compile(r"(^|/)(threading|queue)\.py$|/(multiprocessing|concurrent)/|/site-packages/")
"""Files whose locks are none of the program's."""
_POOL = re.compile(r"/multiprocessing/pool\.py$")


def source_line(frame: StackFrame) -> str:
    """The text of a frame's line, from its file on this machine; empty if there is none."""
    return linecache.getline(frame.file, frame.line).strip()


def waits_for(stack: ThreadStack) -> Waiting:
    """What a thread waits for that does not run."""
    if not stack.frames:
        return Waiting.UNKNOWN
    files = [_file(frame) for frame in stack.frames[:_INNERMOST]]
    text = source_line(stack.frames[0])
    by_line = next((waiting for waiting, line in _LINES if line.search(text)), None)
    by_file = next((waiting for waiting, file in _FILES if any(map(file.search, files))), None)
    # A queue, or a result, is waited for with a lock of `threading`.
    found = by_file if by_line is Waiting.LOCK and by_file is not None else by_line or by_file
    return Waiting.UNKNOWN if found is None else found


def is_worker(stacks: Sequence[ThreadStack]) -> bool:
    """Whether these are the stacks of a worker process of `multiprocessing`."""
    return any(_POOL.search(_file(frame)) and frame.function == "worker" for s in stacks for frame in s.frames)


def pattern_of(
    stacks: Sequence[ThreadStack],
    children: Mapping[ProcessOfMachine, Sequence[ThreadStack]],
    hook: str | None,
) -> Pattern | None:
    """The known way in which a process hangs, if it hangs; None if it is none.

    - `stacks`: the stacks of its threads, the main thread first.
    - `children`: the processes that it has started, with their stacks, which are empty if they cannot be read.
    - `hook`: the callback and hook that the fit is in; None if it is in none.
    """
    waiting = [stack for stack in stacks if not stack.is_active]
    if any(_LOADERS.search(_file(frame)) for stack in waiting for frame in stack.frames):
        return _loader(children)
    if not stacks or stacks[0].is_active:
        return None
    main, who = waits_for(stacks[0]), hook or "the main thread"
    if main is Waiting.LOCK:
        others = [stack for stack in waiting[1:] if waits_for(stack) is Waiting.LOCK and not _is_librarys(stack)]
        if others:
            names = " and ".join(stack.name for stack in others[:3])
            return Pattern(
                f"a deadlock, if each holds what the other waits for: {who} waits for a lock, so does thread {names}",
                "take locks in the same order everywhere, and hold none while another thread is waited for",
            )
        return Pattern(f"{who} waits for a lock", "look which thread holds it, and what that thread waits for")
    if main is Waiting.NETWORK:
        return Pattern(f"{who} waits for the network", "give the call a timeout, or hand it to a thread of its own")
    if main is Waiting.SLEEP and hook:
        return Pattern(f"{who} sleeps", "sleep elsewhere: the training waits for its callbacks")
    return None


def _loader(children: Mapping[ProcessOfMachine, Sequence[ThreadStack]]) -> Pattern | None:
    """A data loader that waits for its workers. None if a worker works, so that waiting may be right."""
    ended = [str(child.pid) for child in children if child.has_ended]
    workers = [stacks for stacks in children.values() if is_worker(stacks)]
    is_idle = bool(workers) and all(_is_idle(stacks) for stacks in workers)
    if not ended and not is_idle:
        return None
    died = f"process {', '.join(ended[:3])} has ended" if ended else "none of them works: one has died over its batch"
    return Pattern(
        f"the data loader waits for a worker process, and {died}",
        "find why the worker died, such as too little memory, or an error in C code; workers=0 shows the error, and "
        "use_multiprocessing=False uses threads",
    )


def _is_idle(stacks: Sequence[ThreadStack]) -> bool:
    """Whether a worker process waits for its next task, and runs no code of the program."""
    own = [stack for stack in stacks if any(_POOL.search(_file(frame)) for frame in stack.frames)]
    return all(not stack.is_active and "/multiprocessing/" in _file(stack.frames[0]) for stack in own)


def _is_librarys(stack: ThreadStack) -> bool:
    """Whether a library waits in this thread, such as a pool for its next task."""
    return bool(_LIBRARY.search(_file(stack.frames[0])))


def _file(frame: StackFrame) -> str:
    return frame.file.replace("\\", "/")
