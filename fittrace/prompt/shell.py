"""A session at the prompt: lines are read, words carried out, until the user has seen enough."""

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
from .input_lines import LineReader
from .position import Position
from .trace_names import TraceNames

PROMPT = "(fittrace) "

AROUND = 3
"""Lines of source shown before and after the current one."""


class Quit(Exception):
    """The user wants to leave."""


class Shell:
    """What the words work on: the `walk`, the `trace` that it is in, its `names`, and where to show things (`out`).

    Which `fit` it is, is a condition in SQL.
    """

    def __init__(self, replay: Replay, trace: TraceTables, fit: str, out: TextIO) -> None:
        self.walk = Position(replay)
        self.trace = trace
        self.fit = fit
        self.out = console(out)
        self.listed: int | None = None
        "The last line that `l` has shown, from which it goes on."

    @cached_property
    def names(self) -> TraceNames:
        """The names in the trace, asked for when first needed."""
        return TraceNames.of(self.trace, self.fit)

    def run(self, reader: LineReader) -> None:
        """Read and carry out lines until the end of them. An empty line does the last one again, as in pdb."""
        self.show()
        last = ""
        while True:
            try:
                line = reader.read(PROMPT).strip() or last
                last = line
                self.carry_out(line)
            except KeyboardInterrupt:
                if not reader.is_terminal:
                    raise
                self.say("interrupted; q leaves")
            except (EOFError, Quit):
                return

    def carry_out(self, line: str) -> None:
        """Carry out one line; what is wrong with it is said."""
        from .commands import find

        if not line:
            return
        name, _, argument = line.partition(" ")
        word = find(name)
        if word is None:
            self.say(f"*** no word {name}; help lists them")
            return
        try:
            word.do(self, argument.strip())
        except FittraceError as error:
            self.say(f"*** {error}")

    def say(self, text: str, style: str = "") -> None:
        """Show a line of words."""
        self.out.print(Text(printable(text), style))

    def show(self) -> None:
        """Show the step of the frame that is looked at: where it is, its source, its values."""
        step, count = self.walk.step, len(self.walk.replay)
        self.listed = None
        self.say(replay_steps.heading(step, count), "dim")
        self.say(f"> {replay_steps.location(step)}", "bold")
        if step.line is not None:
            first, last = self.function()
            self.source(max(step.line - AROUND, first), min((step.end_line or step.line) + AROUND, last))
        if step.values:
            self.say(f"    {replay_steps.values_line(step.values)}")

    def function(self) -> tuple[int, int]:
        """The lines of the function that is looked at. Raises `FittraceError` where it is not known what ran."""
        step = self.walk.step
        if step.line is None:
            raise FittraceError("what ran here is unknown, and so is its source")
        return self.walk.replay.function_lines(step) or (step.line, step.end_line or step.line)

    def source(self, first: int, last: int) -> None:
        """Show lines of the file that is looked at, the current one and those with breakpoints marked."""
        step = self.walk.step
        marks = {}
        for each in self.walk.breakpoints.values():
            where = each.where
            if where.line is not None and where.is_on(step.file, where.line, where.line):
                marks[where.line] = "B"
        if step.line is not None:
            marks[step.line] = marks.get(step.line, "") + "->"
        lines = self.walk.replay.source_of(step)
        last = min(last, len(lines))
        print_source(self.out, lines, max(first, 1), last, marks)
        self.listed = last

    def value(self, name: str) -> object:
        """A recorded value at the step that is looked at. Raises `FittraceError` where there is none of that name."""
        values = values_of(self.walk.step)
        if name not in values:
            here = ", ".join(sorted(key for key, value in values.items() if value is not None))
            raise FittraceError(f"{name} is not recorded at this step; there are {here}")
        return values[name]

    def at_end(self, step: Step | None, end: str) -> None:
        """Show a step that was moved to, or say which end of the fit did not allow it."""
        if step is None:
            self.say(f"the {end} of the fit")
        else:
            self.show()
