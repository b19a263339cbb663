"""The words of the prompt, each with what it does."""

from __future__ import annotations

from .looking import LOOKING
from .moving import MOVING
from .stopping import STOPPING
from .word import Word

WORDS: tuple[Word, ...] = (*MOVING, *STOPPING, *LOOKING)


def find(name: str) -> Word | None:
    """The word of that name, long or short.

    >>> find("step").names
    ('s', 'step')
    """
    return next((word for word in WORDS if name in word.names), None)
