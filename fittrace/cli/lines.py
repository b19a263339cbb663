"""`fittrace lines`: shows the engine's source with the visits and the time of each line."""

from __future__ import annotations

import argparse
import sys

from .progress import progress
from .which_trace import named

_EXAMPLE = """\
example:
  fittrace lines                         the newest run under traces/
  fittrace lines traces/2026-01-31-train
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `lines` command."""
    parser = subparsers.add_parser(
        "lines",
        help="show the engine's source with visits and time per line",
        description="Show the engine's functions line by line: how often each line ran, and how long it took.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trace", nargs="?", help="folder of a run (default: the newest run in traces/)")
    parser.add_argument("--fit", type=int, default=0, metavar="N", help="number of the fit (default: 0)")
    parser.add_argument("--process", type=int, metavar="P", help="number of its process, if several have such a fit")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the annotated source."""
    path = named(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        import fittrace

        from ..views.annotated_source import print_lines

        lines = fittrace.open(path, report).lines(arguments.fit, arguments.process)
    print_lines(lines, sys.stdout)
    return 0
