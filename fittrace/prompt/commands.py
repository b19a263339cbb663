"""The words of the prompt, each with what it does."""

from __future__ import annotations

from .breakpoint_commands import STOPPING
from .command import Command
from .move_commands import MOVING
from .show_commands import LOOKING

WORDS: tuple[Command, ...] = (*MOVING, *STOPPING, *LOOKING)


def find(name: str) -> Command | None:
    """The word of that name, long or short.

    >>> find("step").names
    ('s', 'step')
    """
    return next((word for word in WORDS if name in word.names), None)
