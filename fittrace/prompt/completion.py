"""Completion: what Tab may make of the last word of a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .command import Command, find_command
from .replay_session import ReplaySession


def completions(line: str, commands: Sequence[Command], session: ReplaySession) -> list[str]:
    """What the last word of `line` may become, in order.

    Names with characters that a terminal would obey are left out.

    - `line`: what the user has typed up to the cursor.
    - `commands`: the commands of the prompt.
    - `session`: the session whose names may be typed.
    """
    *before, last = line.split(" ")
    words = [word for word in before if word]
    candidates = _candidates(words, commands, session)
    return [word for word in candidates if word.startswith(last) and word.isprintable()]


def _candidates(words: Sequence[str], commands: Sequence[Command], session: ReplaySession) -> Iterable[str]:
    """What may follow the words typed so far."""
    if not words:
        return sorted(name for command in commands for name in command.names if name != "?")
    command = find_command(words[0], commands)
    return () if command is None else command.complete(session, words)
