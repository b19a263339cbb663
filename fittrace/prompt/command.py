"""A command of the prompt, and how it is found by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .replay_session import ReplaySession


def _no_completions(session: ReplaySession, words: Sequence[str]) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Command:
    """A command: what the user types, what it does, and what help says of it."""

    names: tuple[str, ...]
    "The names that the user may type. Help lists the first two."
    usage: str
    "The arguments, as help shows them."
    help: str
    "What it does, in one line."
    run: Callable[[ReplaySession, str], None]
    "Runs it with the argument that the user typed. It raises `FittraceError` if the argument is not valid."
    complete: Callable[[ReplaySession, Sequence[str]], Iterable[str]] = _no_completions
    "Gives the words that may follow the words typed so far, of which the first is the name of the command."

    def __str__(self) -> str:
        return f"{' | '.join(self.names)} {self.usage}".rstrip()


def find_command(name: str, commands: Sequence[Command]) -> Command | None:
    """The command of this name; None where there is none."""
    return next((command for command in commands if name in command.names), None)
