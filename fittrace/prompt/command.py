"""What a word of the prompt is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .shell import Shell


@dataclass(frozen=True)
class Command:
    """A word: its `names`, the short one first; what may follow it (`usage`); what it does, told and done."""

    names: tuple[str, ...]
    usage: str
    help: str
    do: Callable[[Shell, str], None]

    def __str__(self) -> str:
        return f"{' | '.join(self.names)} {self.usage}".rstrip()
