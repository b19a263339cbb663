"""What the commands of the prompt work on, and how they show it."""

from __future__ import annotations

from functools import cached_property
from typing import TextIO

from rich.text import Text

from ..replay.breakpoints import values_of
from ..replay.cursor import Replay
from ..replay.step import Step
from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..tables import TraceTables
from ..views import replay_steps
from ..views.source_lines import print_source
from ..views.terminal import console
from .position import Position
from .trace_names import TraceNames

AROUND = 3
"""How many lines of source to show before the current one, and after it."""


class ReplaySession:
    """One session at the prompt.

    - `position`: where the user is in the replay.
    - `trace`: the trace of the replay.
    - `fit`: selects the fit in the tables of the trace, in SQL.
    - `out`: where to show things.
    - `last_listed`: the last line of source that was listed, after which `l` goes on; None after a move.
    """

    def __init__(self, replay: Replay, trace: TraceTables, fit: str, out: TextIO) -> None:
        self.position = Position(replay)
        self.trace = trace
        self.fit = fit
        self.out = console(out)
        self.last_listed: int | None = None

    @property
    def replay(self) -> Replay:
        """The replay."""
        return self.position.replay

    @property
    def step(self) -> Step:
        """The current step of the selected frame."""
        return self.position.step

    @cached_property
    def names(self) -> TraceNames:
        """The names in the trace. They are read when first needed."""
        return TraceNames.of(self.trace, self.fit)

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self.out.print(Text(printable(text), style))

    def show_step(self) -> None:
        """Print the step of the selected frame: where it is, its source, its values."""
        step = self.step
        self.last_listed = None
        self.say(replay_steps.heading(step, len(self.replay)), "dim")
        self.say(f"> {replay_steps.location(step)}", "bold")
        if step.line is not None:
            first, last = self.function_lines()
            self.show_source(max(step.line - AROUND, first), min((step.end_line or step.line) + AROUND, last))
        if step.values:
            self.say(f"    {replay_steps.values_line(step.values)}")

    def show_move(self, step: Step | None, end: str) -> None:
        """Print the step after a move. If there was no step to move to, say that this is the `end` of the fit."""
        if step is None:
            self.say(f"the {end} of the fit")
        else:
            self.show_step()

    def function_lines(self) -> tuple[int, int]:
        """The first and the last line of the function of the selected frame. Raises `FittraceError` if unknown."""
        step = self.step
        if step.line is None:
            raise FittraceError("what ran here is unknown, and so is its source")
        return self.replay.function_lines(step) or (step.line, step.end_line or step.line)

    def show_source(self, first: int, last: int) -> None:
        """Print lines of the file of the selected frame, with marks at the current line and at breakpoints."""
        step = self.step
        marks = {}
        for breakpoint in self.position.breakpoints.values():
            where = breakpoint.where
            if where.line is not None and where.is_on(step.file, where.line, where.line):
                marks[where.line] = "B"
        if step.line is not None:
            marks[step.line] = marks.get(step.line, "") + "->"
        lines = self.replay.source_of(step)
        last = min(last, len(lines))
        print_source(self.out, lines, max(first, 1), last, marks)
        self.last_listed = last

    def value(self, name: str) -> object:
        """A recorded value at the step of the selected frame. Raises `FittraceError` if there is none."""
        values = values_of(self.step)
        if name not in values:
            recorded = ", ".join(sorted(key for key, value in values.items() if value is not None))
            raise FittraceError(f"{name} is not recorded at this step; there are {recorded}")
        return values[name]
