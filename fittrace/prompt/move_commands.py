"""Words that move: pdb's, and their reverses."""

from __future__ import annotations

from ..schema.errors import FittraceError
from .command import Command
from .shell import Quit, Shell


def _mover(word: str, end: str) -> Command:
    names, method, told = _MOVES[word]
    return Command(names, "", told, lambda session, argument: session.at_end(session.walk.move(method), end))


_MOVES = {
    "n": (("n", "next"), "over", "to the next line of this function, or out of it at its end"),
    "s": (("s", "step"), "forward", "to the next line that ran, into calls"),
    "r": (("r", "return"), "out", "out of this function, to where its caller goes on"),
    "rn": (("rn", "reverse-next"), "over_back", "n backwards: to the line before, in this function"),
    "rs": (("rs", "reverse-step"), "back", "s backwards: to the line that ran before, into calls"),
    "rr": (("rr", "reverse-return"), "out_back", "r backwards: to the line that called this function"),
}


def _continue(backwards: bool) -> Command:
    def do(session: Shell, argument: str) -> None:
        number = session.walk.run(backwards)
        if number is None:
            session.say(f"no breakpoint {'before' if backwards else 'after'} this: the {_END[backwards]} of the fit")
        else:
            session.say(f"breakpoint {number}")
        session.show()

    if backwards:
        return Command(("rc", "reverse-continue"), "", "c backwards: to the breakpoint before, or to the beginning", do)
    return Command(("c", "cont", "continue"), "", "to the next breakpoint, or to the end", do)


_END = {False: "end", True: "beginning"}


def _goto(session: Shell, argument: str) -> None:
    numbers = argument.split()
    if not 1 <= len(numbers) <= 2 or not all(number.isdecimal() for number in numbers):
        raise FittraceError("goto takes an epoch and perhaps a batch, both counted from 0: goto 3 120")
    session.walk.replay.goto(int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else None)
    session.walk.frame = None
    session.show()


def _look(frames: int) -> Command:
    def do(session: Shell, argument: str) -> None:
        if session.walk.look(frames):
            session.show()
        else:
            session.say(f"*** this is the {'innermost' if frames > 0 else 'outermost'} frame")

    if frames < 0:
        return Command(("u", "up"), "", "look at the caller's frame; the position stays", do)
    return Command(("d", "down"), "", "look at the frame inside again", do)


def _quit(session: Shell, argument: str) -> None:
    raise Quit


MOVING = (
    *(_mover(word, "end") for word in ("n", "s", "r")),
    _continue(backwards=False),
    *(_mover(word, "beginning") for word in ("rn", "rs", "rr")),
    _continue(backwards=True),
    Command(("goto",), "EPOCH [BATCH]", "to the first line of an epoch, or of a batch in it", _goto),
    _look(-1),
    _look(1),
    Command(("q", "quit", "exit"), "", "leave", _quit),
)
