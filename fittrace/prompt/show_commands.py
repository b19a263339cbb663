"""Commands that show source, recorded values, hooks, logs and times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from ..replay.batch_time import line_times
from ..replay.breakpoints import values_of
from ..replay.condition.parser import Condition
from ..replay.why import branches
from ..schema.errors import FittraceError
from ..views.batch_time_table import batch_time_table
from ..views.moments import hooks_table, logs_table
from ..views.replay_steps import location, value_text, values_line
from ..views.source_lines import clean
from ..views.why_lines import why_lines
from .command import Command
from .replay_session import ReplaySession

_LISTED = 11
"""How many lines `l` lists, as in pdb."""


def _where(session: ReplaySession, argument: str) -> None:
    for step in session.replay.stack():
        is_selected = step.index == session.step.index
        session.out.print(Text(f"{'>' if is_selected else ' '} {location(step)}", "bold" if is_selected else ""))
        if step.source:
            session.say(f"    {clean(step.source.splitlines()[0]).strip()}")


def _list(session: ReplaySession, argument: str) -> None:
    step = session.step
    first_of_function, _ = session.function_lines()
    if re.fullmatch(r"\d+", argument):
        first = int(argument)
        session.show_source(first, first + _LISTED - 1)
    elif match := re.fullmatch(r"(\d+)\s*,\s*(\d+)", argument):
        session.show_source(int(match[1]), int(match[2]))
    elif argument not in ("", "."):
        raise FittraceError("l takes no argument, a line, two lines with a comma, or a dot for the current line")
    elif session.last_listed is not None and not argument:
        if session.last_listed >= len(session.replay.source_of(step)):
            session.say("the end of the file")
            return
        session.show_source(session.last_listed + 1, session.last_listed + _LISTED)
    else:
        first = max((step.line or first_of_function) - _LISTED // 2, 1)
        session.show_source(first, first + _LISTED - 1)


def _list_function(session: ReplaySession, argument: str) -> None:
    session.show_source(*session.function_lines())


def _print(session: ReplaySession, argument: str) -> None:
    values = values_of(session.step)
    if not argument:
        session.say(values_line({name: value for name, value in values.items() if value is not None}))
        return
    for text in (part.strip() for part in argument.split(",")):
        name = text.strip("`")
        if name in values or re.fullmatch(r"[\w.]+", text):
            session.say(value_text(session.value(name.removeprefix("logs."))))
        else:
            session.say(str(Condition.parse(text).holds(values)))


def _complete_value(session: ReplaySession, words: Sequence[str]) -> Iterable[str]:
    return sorted(values_of(session.step))


def _hooks(session: ReplaySession, argument: str) -> None:
    _show_table(session, hooks_table(session.trace, session.fit, session.step), "no hooks here")


def _logs(session: ReplaySession, argument: str) -> None:
    _show_table(session, logs_table(session.trace, session.fit, session.step), "no logs here")


def _show_table(session: ReplaySession, table: Table | None, otherwise: str) -> None:
    """Show a table, or say `otherwise` if there is none."""
    if table is None:
        session.say(otherwise)
    else:
        session.out.print(table)


def _time(session: ReplaySession, argument: str) -> None:
    times = line_times(session.replay)
    if not times:
        raise FittraceError("this step is not in a batch; goto EPOCH BATCH goes to one")
    session.out.print(batch_time_table(times))


def _why(session: ReplaySession, argument: str) -> None:
    for line in why_lines(branches(session.replay, session.position.frame)):
        session.out.print(Text(line))


SHOW_COMMANDS = (
    Command(("w", "where", "bt"), "", "the call stack, outermost frame first", _where),
    Command(("l", "list"), "[LINE[, LINE] | .]", "eleven lines of source, then the next eleven", _list),
    Command(("ll", "longlist"), "", "the whole function", _list_function),
    Command(
        ("p", "print"),
        "[NAME | CONDITION, ...]",
        "recorded values at this step; alone, all of them",
        _print,
        _complete_value,
    ),
    Command(("hooks",), "", "the hooks of this batch, or outside of batches those of this epoch", _hooks),
    Command(("logs",), "", "the logs of this batch or epoch, as each hook left them", _logs),
    Command(("time",), "", "the time of this batch, by line", _time),
    Command(("why",), "", "the branches that led here, and which arm each took", _why),
)
