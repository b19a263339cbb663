"""`fittrace lines`: shows the engine's source with the visits and the time of each line."""

from __future__ import annotations

import argparse
import sys

from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_fit, add_trace
from .which_trace import find_trace

_EXAMPLES = """\
example:
  fittrace lines                         the newest run under traces/
  fittrace lines traces/2026-01-31-train
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run")
    add_fit(parser)


def _run(arguments: argparse.Namespace) -> int:
    """Print the annotated source."""
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..open_trace import Trace
        from ..views.annotated_source import print_lines

        lines = Trace.open(path, report).lines(arguments.fit, arguments.process)
    print_lines(lines, sys.stdout)
    return 0


COMMAND = Subcommand(
    name="lines",
    help="show the engine's source with visits and time per line",
    description="Show the engine's functions line by line: how often each line ran, and how long it took.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
