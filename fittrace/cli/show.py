"""`fittrace show`: prints the summary of a trace."""

from __future__ import annotations

import argparse
import sys

from .progress import progress
from .which_trace import named

_EXAMPLE = """\
example:
  fittrace show                         the newest run under traces/
  fittrace show traces/2026-01-31-train
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `show` command."""
    parser = subparsers.add_parser(
        "show",
        help="summarise a trace",
        description="Show each fit of a trace: time per phase, slowest hooks, first batch. The run may still go on.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trace", nargs="?", help="folder of a run, or of runs (default: the newest run in traces/)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the summary."""
    path = named(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..tables import TraceTables
        from ..views.summary import MOST_FITS, print_figures
        from ..views.summary_figures import gather

        figures = gather(TraceTables.open(path, report), MOST_FITS)
    print_figures(figures, sys.stdout)
    return 0
