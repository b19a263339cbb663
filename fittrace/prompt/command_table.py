"""All commands of the prompt but `help`, in the order in which it lists them."""

from __future__ import annotations

from .breakpoint_commands import BREAKPOINT_COMMANDS
from .command import Command
from .move_commands import MOVE_COMMANDS
from .show_commands import SHOW_COMMANDS

COMMANDS: tuple[Command, ...] = (*MOVE_COMMANDS, *BREAKPOINT_COMMANDS, *SHOW_COMMANDS)
