"""A step: one statement of the engine that ran, as a replay tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..schema.errors import FittraceError


class NoStep(FittraceError):
    """A place in a fit at which nothing was recorded."""


@dataclass(frozen=True)
class Step:
    """One statement that ran, at one time: the `index`-th of its fit.

    `function` is qualified, `line` to `end_line` are the lines in `file`, of a compound statement those of its header,
    and `source` their text. `depth` counts the calls of recorded functions that it is in, from 0. `start_ns` is Unix
    time, and `duration_ns` what passed until the next step that is no deeper, calls included; both are None where no
    clock was read: such steps share the time of the one before. Where it is not known what ran, `known` is False, and
    there is no function and no line. `values` are what was recorded of it: the arm that a branch took (`taken`), a
    batch's size, a hook's callback and logs, the arguments of the fit; with `--values all` what it assigned, too.
    """

    index: int
    function: str | None
    file: str | None
    line: int | None
    end_line: int | None
    source: str
    phase: str | None
    depth: int
    stage: str | None
    epoch: int | None
    batch: int | None
    start_ns: int | None
    duration_ns: int | None
    values: dict[str, Any]

    @property
    def known(self) -> bool:
        """Whether it is known what ran."""
        return self.function is not None
