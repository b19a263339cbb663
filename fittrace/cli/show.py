"""`fittrace show`: prints the summary of a trace."""

from __future__ import annotations

import argparse
import sys

from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace

_EXAMPLES = """\
example:
  fittrace show                         the newest run under traces/
  fittrace show traces/2026-01-31-train
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")


def _run(arguments: argparse.Namespace) -> int:
    """Print the summary."""
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..tables import TraceTables
        from ..views.summary import MOST_FITS, print_figures
        from ..views.summary_figures import gather

        figures = gather(TraceTables.open(path, report), MOST_FITS)
    print_figures(figures, sys.stdout)
    return 0


COMMAND = Subcommand(
    name="show",
    help="summarise a trace",
    description="Show each fit of a trace: time per phase, slowest hooks, first batch. The run may still go on.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
