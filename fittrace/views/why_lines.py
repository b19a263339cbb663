"""The output of the prompt's `why` command: the branches that led to a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..replay.why import Branch
from ..schema.safe_text import printable
from .replay_steps import moment, short_path
from .source_lines import clean

_ARM = {True: "taken", False: "not taken", None: "arm not recorded"}


def why_lines(branches: Sequence[Branch]) -> Iterator[str]:
    """A line for each branch. The name of its function comes before the first branch of a frame."""
    if not branches:
        yield "no branch led here"
    frame = None
    width = max((len(_source(branch)) for branch in branches), default=0)
    for branch in branches:
        step = branch.step
        if branch.frame.index != frame:
            frame = branch.frame.index
            yield printable(f"{step.function}()  {short_path(step.file or '')}")
        yield f"{step.line:>6}  {_source(branch):<{width}}  {_ARM[branch.arm]}  {moment(step)}"


def _source(branch: Branch) -> str:
    return clean(branch.step.source.split("\n")[0]).strip()
