"""A step of a replay: one statement of the engine that ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..schema.errors import FittraceError


class NoStep(FittraceError):
    """An epoch or batch that the fit does not have."""


@dataclass(frozen=True)
class Step:
    """One statement that ran, at one time.

    If records are missing, a step stands for all that ran there. It is not `known`, and has no function and no line.
    """

    index: int
    "The number of the step in its fit, from 0."
    function: str | None
    "The qualified name of the function."
    file: str | None
    line: int | None
    "The first line; of a compound statement that of its header, as `end_line` too."
    end_line: int | None
    source: str
    "The text of these lines."
    phase: str | None
    depth: int
    "How many calls of recorded functions the step is in, from 0."
    stage: str | None
    "`train`, `test` or `predict`."
    epoch: int | None
    batch: int | None
    start_ns: int | None
    "Unix time; None if no clock was read. Then the step shares the time of a step before it."
    duration_ns: int | None
    "The time until the next clock that was read no deeper in calls; None without `start_ns`."
    values: dict[str, Any]
    """What was recorded of the step, by name.

    That is which arm a branch took (`taken`), the size of a batch, the callback and the logs of a hook, and the
    arguments of the fit; with `--values all` also what the statement assigned to variables.
    """

    @property
    def known(self) -> bool:
        """Whether it is known which statement ran."""
        return self.function is not None
