"""Why a replay is where it is: the branches that led there, each with the arm that it took."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .breakpoints import Breakpoint
from .cursor import Replay
from .step import Step


@dataclass(frozen=True)
class Branch:
    """One branch or loop on the way: its last visit, a `step`, the `arm` that it took then, and the step of the `frame`
    whose function it is in.

    The arm is True where the body was entered, False where it was not, None where that was not recorded.
    """

    step: Step
    arm: bool | None
    frame: Step


def branches(replay: Replay, innermost: int | None = None) -> list[Branch]:
    """The branches that led to the current step, in every frame of its call chain, outermost and earliest first.

    `innermost` is the number of the last frame that is asked of, counted from the outermost; None is all.

    Of each branch it is the last visit before the step. A visit in an earlier turn of a loop than the loop's last is
    left out: it did not lead here.
    """
    here = replay.position
    found: list[Branch] = []
    try:
        began = -1
        for frame in replay.stack()[: None if innermost is None else innermost + 1]:
            found += _in_frame(replay, frame, began)
            began = frame.index
    finally:
        replay.position = here
    return found


def _in_frame(replay: Replay, frame: Step, began: int) -> list[Branch]:
    """Those of one frame, whose call was made at the step `began`."""
    if frame.line is None:
        return []
    visits: dict[int, Step | None] = {}
    for line, loops in _branching("\n".join(replay.source_of(frame)), frame.line):
        visit = _last_visit(replay, frame, began, line) if all(visits[loop] for loop in loops) else None
        turns = [turn.index for loop in loops if (turn := visits[loop])]
        visits[line] = visit if visit and all(turn <= visit.index for turn in turns) else None
    steps = sorted((step for step in visits.values() if step), key=lambda step: step.index)
    return [Branch(step, step.values.get("taken"), frame) for step in steps]


def _last_visit(replay: Replay, frame: Step, began: int, line: int) -> Step | None:
    """The last visit of `line` in this call before the frame's own step."""
    replay.position = frame.index
    while (step := replay.find(Breakpoint(file=frame.file, line=line), backwards=True)) and step.index > began:
        # The same function may have been called again from within.
        if step.depth == frame.depth and step.line == line:
            return step
    return None


@lru_cache(maxsize=16)
def _branching(source: str, line: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
    """The lines of the branches and loops in the function around `line`, each with those of the loops around it.

    Empty where the source is no Python that this Python reads.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    if not functions:
        return ()
    innermost = max(functions, key=lambda function: function.lineno)
    return tuple(_in_body(innermost.body, ()))


def _in_body(body: list[ast.stmt], loops: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        inside = loops
        if isinstance(statement, (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Match)):
            yield statement.lineno, loops
        if isinstance(statement, (ast.For, ast.AsyncFor, ast.While)):
            inside = (*loops, statement.lineno)
        yield from _in_body(getattr(statement, "body", []), inside)
        for handler in getattr(statement, "handlers", []):
            yield handler.lineno, loops
            yield from _in_body(handler.body, loops)
        for case in getattr(statement, "cases", []):
            yield from _in_body(case.body, loops)
        yield from _in_body(getattr(statement, "orelse", []), loops)
        yield from _in_body(getattr(statement, "finalbody", []), loops)
