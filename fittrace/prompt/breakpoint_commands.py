"""Commands that set, list and clear breakpoints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..replay.breakpoints import Breakpoint
from ..schema.errors import FittraceError
from ..schema.tables import PHASES
from .command import Command
from .replay_session import ReplaySession

_USAGE = "[FILE:LINE | LINE | FUNCTION | hook NAME | callback NAME | phase NAME][, CONDITION]"


def _break(session: ReplaySession, argument: str) -> None:
    _set_or_list(session, argument, temporary=False)


def _tbreak(session: ReplaySession, argument: str) -> None:
    _set_or_list(session, argument, temporary=True)


def _set_or_list(session: ReplaySession, argument: str, temporary: bool) -> None:
    if not argument:
        _list(session)
        return
    where = Breakpoint.parse(argument, file=session.step.file)
    session.names.check(where)
    number = session.position.add_breakpoint(where, temporary)
    session.say(f"breakpoint {number}: {where}")


def _list(session: ReplaySession) -> None:
    if not session.position.breakpoints:
        session.say("no breakpoints")
    for number, breakpoint in session.position.breakpoints.items():
        session.say(f"{number}: {breakpoint.where}" + (" (once)" if breakpoint.temporary else ""))


def _clear(session: ReplaySession, argument: str) -> None:
    breakpoints = session.position.breakpoints
    numbers = argument.replace(",", " ").split()
    for number in numbers:
        if not number.isdecimal() or int(number) not in breakpoints:
            raise FittraceError(f"no breakpoint {number}; b lists them")
    for chosen in [int(number) for number in numbers] or list(breakpoints):
        session.say(f"cleared {chosen}: {breakpoints.pop(chosen).where}")


def _complete_place(session: ReplaySession, words: Sequence[str]) -> Iterable[str]:
    """The names after `hook` and the like; the keywords and all places at first; then the names for a condition."""
    names = session.names
    by_keyword = {
        "hook": names.hooks,
        "callback": names.callbacks,
        "phase": tuple(PHASES),
        "function": names.functions,
    }
    if words[-1] in by_keyword:
        return by_keyword[words[-1]]
    if len(words) > 1:
        return ("hook", "callback", "phase", *names.values)
    files = [f"{file.rsplit('/', 1)[-1]}:" for file in names.files]
    return dict.fromkeys(["hook", "callback", "phase", *names.functions, *files, *names.values])


def _complete_number(session: ReplaySession, words: Sequence[str]) -> Iterable[str]:
    return [str(number) for number in session.position.breakpoints]


BREAKPOINT_COMMANDS = (
    Command(("b", "break"), _USAGE, "set a breakpoint, such as: b loss > 2; alone, list them", _break, _complete_place),
    Command(("tbreak",), _USAGE, "set a breakpoint that stops once", _tbreak, _complete_place),
    Command(("cl", "clear"), "[NUMBER ...]", "clear breakpoints; alone, all of them", _clear, _complete_number),
)
