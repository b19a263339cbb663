"""Words about breakpoints."""

from __future__ import annotations

from ..replay.breakpoints import Breakpoint
from ..schema.errors import FittraceError
from .command import Command
from .shell import Shell


def _break(temporary: bool) -> Command:
    def do(session: Shell, argument: str) -> None:
        if not argument:
            _list(session)
            return
        where = Breakpoint.parse(argument, file=session.walk.step.file)
        session.names.check(where)
        number = session.walk.add(where, temporary)
        session.say(f"breakpoint {number}: {where}")

    usage = "[FILE:LINE | LINE | FUNCTION | hook NAME | callback NAME | phase NAME][, CONDITION]"
    if temporary:
        return Command(("tbreak",), usage, "a breakpoint that is gone when it was met once", do)
    return Command(("b", "break"), usage, "stop there; alone it lists what is set; also: b loss > 2", do)


def _list(session: Shell) -> None:
    if not session.walk.breakpoints:
        session.say("no breakpoints")
    for number, each in session.walk.breakpoints.items():
        session.say(f"{number}: {each.where}" + (" (once)" if each.temporary else ""))


def _clear(session: Shell, argument: str) -> None:
    known = session.walk.breakpoints
    numbers = argument.replace(",", " ").split()
    for number in numbers:
        if not number.isdecimal() or int(number) not in known:
            raise FittraceError(f"no breakpoint {number}; b lists them")
    for chosen in [int(number) for number in numbers] or list(known):
        session.say(f"cleared {chosen}: {known.pop(chosen).where}")


STOPPING = (
    _break(temporary=False),
    _break(temporary=True),
    Command(("cl", "clear"), "[NUMBER ...]", "take breakpoints away, or all", _clear),
)
