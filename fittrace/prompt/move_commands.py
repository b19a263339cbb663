"""Commands that move: those of pdb, and their reverses."""

from __future__ import annotations

from collections.abc import Callable

from ..replay.cursor import Replay
from ..replay.step import Step
from ..schema.errors import FittraceError
from .command import Command
from .replay_session import ReplaySession


class Quit(Exception):
    """The user wants to leave the prompt."""


def _move(names: tuple[str, ...], end: str, help: str, move: Callable[[Replay], Step | None]) -> Command:
    """A command that moves the replay. `end` is the end of the fit that may stop it."""
    return Command(names, "", help, lambda session, argument: session.show_move(session.position.move(move), end))


def _continue(session: ReplaySession, argument: str) -> None:
    _run_to_breakpoint(session, False, "no breakpoint after this: the end of the fit")


def _reverse_continue(session: ReplaySession, argument: str) -> None:
    _run_to_breakpoint(session, True, "no breakpoint before this: the beginning of the fit")


def _run_to_breakpoint(session: ReplaySession, backwards: bool, none_found: str) -> None:
    number = session.position.run_to_breakpoint(backwards)
    session.say(none_found if number is None else f"breakpoint {number}")
    session.show_step()


def _goto(session: ReplaySession, argument: str) -> None:
    numbers = argument.split()
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise FittraceError("goto takes an epoch and optionally a batch, both counted from 0: goto 3 120")
    epoch, batch = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else None
    session.position.move(lambda replay: replay.goto(epoch, batch))
    session.show_step()


def _up(session: ReplaySession, argument: str) -> None:
    _select_frame(session, -1, "outermost")


def _down(session: ReplaySession, argument: str) -> None:
    _select_frame(session, 1, "innermost")


def _select_frame(session: ReplaySession, offset: int, last: str) -> None:
    if session.position.select_frame(offset):
        session.show_step()
    else:
        session.say(f"*** this is the {last} frame")


def _quit(session: ReplaySession, argument: str) -> None:
    raise Quit


_NEXT = "to the next line of this function, or out of it at its end"
_STEP = "to the next line that ran, into calls"
_RETURN = "out of this function, to where its caller goes on"
_CONTINUE = "to the next breakpoint, or to the end"
_REVERSE_NEXT = "n backwards: to the line before in this function, or to its caller"
_REVERSE_STEP = "s backwards: to the line that ran before, into calls"
_REVERSE_RETURN = "r backwards: to the line that called this function"
_REVERSE_CONTINUE = "c backwards: to the breakpoint before, or to the beginning"

MOVE_COMMANDS = (
    _move(("n", "next"), "end", _NEXT, lambda replay: replay.over()),
    _move(("s", "step"), "end", _STEP, lambda replay: replay.forward()),
    _move(("r", "return"), "end", _RETURN, lambda replay: replay.out()),
    Command(("c", "cont", "continue"), "", _CONTINUE, _continue),
    _move(("rn", "reverse-next"), "beginning", _REVERSE_NEXT, lambda replay: replay.over_back()),
    _move(("rs", "reverse-step"), "beginning", _REVERSE_STEP, lambda replay: replay.back()),
    _move(("rr", "reverse-return"), "beginning", _REVERSE_RETURN, lambda replay: replay.out_back()),
    Command(("rc", "reverse-continue"), "", _REVERSE_CONTINUE, _reverse_continue),
    Command(("goto",), "EPOCH [BATCH]", "to the first line of an epoch, or of a batch in it", _goto),
    Command(("u", "up"), "", "select the caller's frame; the position stays", _up),
    Command(("d", "down"), "", "select the called frame again", _down),
    Command(("q", "quit", "exit"), "", "leave the prompt", _quit),
)
