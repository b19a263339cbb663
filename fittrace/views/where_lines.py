"""What `fittrace where` prints of a run that goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..analysis.standing import Standing
from ..analysis.units import amount, duration
from ..analysis.waiting import Pattern, is_worker, source_line, waits_for
from ..schema.safe_text import printable
from ..store.live.python_processes import ProcessOfMachine
from ..store.live.python_stacks import ThreadStack
from .end_position import end_position
from .fit_sentences import fit_name

MOST_FRAMES = 8
"""Frames of a stack that are shown, from the innermost on."""
FRAMES_OF_CHILDREN = 3
"""The same for the threads of child processes."""
_LONGEST_COMMAND = 80
"""Characters of a command line that are shown."""


def position_lines(found: Standing, now_ns: int) -> Iterator[str]:
    """Where a fit is, for how long, and when the last batch ended. `now_ns`: the time in Unix nanoseconds."""
    yield f"{printable(fit_name(found.fit))}: {end_position(found.fit) or 'its position is not known'}"
    before = "the first time" if found.median_ns is None else f"{duration(found.median_ns)} before (median)"
    yield f"  for {duration(max(now_ns - found.since_ns, 0))}; {before}"
    if found.batch_ended_ns is None:
        yield "  no batch has ended yet"
    else:
        ago = duration(max(now_ns - found.batch_ended_ns, 0))
        yield f"  the last batch ended {ago} ago; {amount(found.batches, 'batch has', 'batches have')} ended"


def hook_of(found: Standing) -> str | None:
    """The callback and hook that a fit is in; None if it is in none."""
    fit = found.fit
    return None if fit["at_callback"] is None else f"{fit['at_callback']}.{fit['at_hook']}"


def pattern_lines(pattern: Pattern | None) -> Iterator[str]:
    """A known way to hang, with its remedy."""
    if pattern is not None:
        yield f"  {printable(pattern.text)}"
        yield f"  remedy: {pattern.remedy}"


def stack_lines(stacks: Sequence[ThreadStack], most: int = MOST_FRAMES) -> Iterator[str]:
    """The stacks of a process, the innermost frame of each first. `most`: the frames that are shown of each."""
    for stack in stacks:
        state = "runs" if stack.is_active else f"waits for {waits_for(stack).value}"
        yield f"  thread {printable(stack.name)} {state}:"
        for frame in stack.frames[:most]:
            yield f"    {printable(frame.file)}:{frame.line} in {printable(frame.function)}"
            text = source_line(frame)
            if text:
                yield f"        {printable(text)}"
        more = len(stack.frames) - most
        if more > 0:
            yield f"    and {amount(more, 'frame', 'frames')} around"


def child_lines(child: ProcessOfMachine, stacks: Sequence[ThreadStack]) -> Iterator[str]:
    """A process that the training has started, and its stacks."""
    what = "a worker process" if is_worker(stacks) else printable(child.command)[:_LONGEST_COMMAND] or "a process"
    yield f"child {child.pid}: {what}{', which has ended' if child.has_ended else ''}"
    yield from stack_lines(stacks, FRAMES_OF_CHILDREN)
