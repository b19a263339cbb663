"""Words that show where the walk is and what was recorded there."""

from __future__ import annotations

import re

from rich.text import Text

from ..replay.batch_time import line_times
from ..replay.breakpoints import values_of
from ..replay.condition.parser import Condition
from ..replay.why import branches
from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..views.moments import hooks_table, logs_table
from ..views.replay_steps import location, value_text, values_line
from ..views.source_lines import clean
from ..views.walk_analysis import branches_lines, times_table
from .command import Command
from .shell import Shell

_LISTED = 11
"""Lines that `l` shows, as in pdb."""


def _where(session: Shell, argument: str) -> None:
    walk = session.walk
    for step in walk.replay.stack():
        mark = ">" if step.index == walk.step.index else " "
        session.out.print(Text(f"{mark} {location(step)}", "bold" if mark == ">" else ""))
        if step.source:
            session.say(f"    {clean(step.source.splitlines()[0]).strip()}")


def _list(session: Shell, argument: str) -> None:
    step = session.walk.step
    function, _ = session.function()
    if re.fullmatch(r"\d+", argument):
        first = int(argument)
        session.source(first, first + _LISTED - 1)
    elif match := re.fullmatch(r"(\d+)\s*,\s*(\d+)", argument):
        session.source(int(match[1]), int(match[2]))
    elif argument not in ("", "."):
        raise FittraceError("l takes nothing, a line, two lines with a comma, or a dot for the current line")
    elif session.listed is not None and not argument:
        if session.listed >= len(session.walk.replay.source_of(step)):
            session.say("the end of the file")
            return
        session.source(session.listed + 1, session.listed + _LISTED)
    else:
        first = max((step.line or function) - _LISTED // 2, 1)
        session.source(first, first + _LISTED - 1)


def _list_function(session: Shell, argument: str) -> None:
    session.source(*session.function())


def _print(session: Shell, argument: str) -> None:
    if not argument:
        session.say(values_line({k: v for k, v in values_of(session.walk.step).items() if v is not None}))
        return
    for name in (part.strip() for part in argument.split(",")):
        plain = name.strip("`")
        if plain in values_of(session.walk.step) or re.fullmatch(r"[\w.]+", name):
            session.say(value_text(session.value(plain.removeprefix("logs."))))
        else:
            session.say(str(Condition.parse(name).holds(values_of(session.walk.step))))


def _hooks(session: Shell, argument: str) -> None:
    table = hooks_table(session.trace, session.fit, session.walk.step)
    if table is None:
        session.say("no hooks here")
    else:
        session.out.print(table)


def _logs(session: Shell, argument: str) -> None:
    table = logs_table(session.trace, session.fit, session.walk.step)
    if table is None:
        session.say("no logs here")
    else:
        session.out.print(table)


def _time(session: Shell, argument: str) -> None:
    times = line_times(session.walk.replay)
    if not times:
        raise FittraceError("this step is in no batch; goto EPOCH BATCH leads into one")
    session.out.print(times_table(times))


def _why(session: Shell, argument: str) -> None:
    found = branches(session.walk.replay, session.walk.frame)
    if not found:
        session.say("no branch led here")
    for line in branches_lines(found):
        session.out.print(Text(line))


def _help(session: Shell, argument: str) -> None:
    from .commands import WORDS, find

    if argument:
        word = find(argument)
        if word is None:
            raise FittraceError(f"no word {printable(argument)}; help lists them")
        session.say(f"{word}: {word.help}")
        return
    width = max(len(" ".join(word.names[:2])) for word in WORDS)
    for word in WORDS:
        names = " ".join(word.names[:2])
        session.say(f"{names:<{width}}  {word.help}")
    session.say("help WORD tells what may follow it; an empty line does the last one again")


LOOKING = (
    Command(("w", "where", "bt"), "", "the call chain, outermost first", _where),
    Command(("l", "list"), "[LINE[, LINE] | .]", "eleven lines of source, then the next eleven", _list),
    Command(("ll", "longlist"), "", "the whole function", _list_function),
    Command(("p", "print"), "[NAME | CONDITION, ...]", "recorded values at this step; alone, all of them", _print),
    Command(("hooks",), "", "the hooks of this batch, or of this epoch outside of its batches", _hooks),
    Command(("logs",), "", "the logs of this batch or epoch, as each hook left them", _logs),
    Command(("time",), "", "where this batch's time went, by line", _time),
    Command(("why",), "", "the branches that led here, and which arm each took", _why),
    Command(("h", "help", "?"), "[WORD]", "this list, or one word of it", _help),
)
