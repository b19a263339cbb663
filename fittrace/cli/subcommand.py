"""A command of the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Subcommand:
    """A command: how it is described, the arguments that it takes, and what it does."""

    name: str
    "What the user types."
    help: str
    "What it does, in the list of all commands."
    description: str
    "What it does, in its own help."
    examples: str
    "The end of its own help."
    add_arguments: Callable[[argparse.ArgumentParser], None]
    "Adds its arguments to its parser."
    run: Callable[[argparse.Namespace], int]
    "Runs it. Returns the exit code."
    usage: str | None = None
    "The first line of its own help; None lets argparse write it."

    def add_to(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
        """Add the command to a parser's commands."""
        parser = subparsers.add_parser(
            self.name,
            help=self.help,
            description=self.description,
            usage=self.usage,
            epilog=self.examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_arguments(parser)
