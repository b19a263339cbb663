"""Why control came to a step: the branches that led there, and which arm each took."""

from __future__ import annotations

from dataclasses import dataclass

from .branching_lines import branching_lines
from .breakpoints import Breakpoint
from .cursor import Replay
from .step import Step


@dataclass(frozen=True)
class Branch:
    """A branch or a loop that control came through."""

    step: Step
    "The last visit to it."
    arm: bool | None
    "True if control went into its body, False if it went past it, None if that was not recorded."
    frame: Step
    "The current step of the frame that the branch is in."


def branches(replay: Replay, innermost: int | None = None) -> list[Branch]:
    """The branches that led to the current step, in every frame of its call stack, outermost and earliest first.

    Each branch has the last visit before the step. A visit in an earlier iteration of a loop is left out, because it
    did not lead to the step.

    `innermost` is the number of the last frame to include, counted from the outermost, 0. None includes all.
    """
    position = replay.position
    found: list[Branch] = []
    try:
        call = -1
        for frame in replay.stack()[: None if innermost is None else innermost + 1]:
            found += _in_frame(replay, frame, call)
            call = frame.index
    finally:
        replay.position = position
    return found


def _in_frame(replay: Replay, frame: Step, call: int) -> list[Branch]:
    """The branches of one frame. The step of the index `call` made its call."""
    if frame.line is None:
        return []
    visits: dict[int, Step | None] = {}
    for line, loops in branching_lines("\n".join(replay.source_of(frame)), frame.line):
        visit = _last_visit(replay, frame, call, line) if all(visits[loop] for loop in loops) else None
        iterations = [iteration.index for loop in loops if (iteration := visits[loop])]
        visits[line] = visit if visit and all(index <= visit.index for index in iterations) else None
    steps = sorted((step for step in visits.values() if step), key=lambda step: step.index)
    return [Branch(step, step.values.get("taken"), frame) for step in steps]


def _last_visit(replay: Replay, frame: Step, call: int, line: int) -> Step | None:
    """The last visit to `line` in this call before the frame's current step."""
    replay.position = frame.index
    while (step := replay.find(Breakpoint(file=frame.file, line=line), backwards=True)) and step.index > call:
        # A visit at another depth is of another call of the same function.
        if step.depth == frame.depth and step.line == line:
            return step
    return None
