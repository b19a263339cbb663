"""`fittrace convert`: the tables of runs that died before they were written."""

from __future__ import annotations

import argparse
import sys

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .progress import progress
from .which_trace import named

_EXAMPLE = """\
example:
  fittrace convert                         the newest run under traces/
  fittrace convert traces/                 all runs there

`fittrace run` writes a run's tables when the run ends. Where it was killed before that, a run opens from its journal,
anew each time. This writes the tables once, so that the run opens quickly. No other command writes into a run.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `convert` command."""
    parser = subparsers.add_parser(
        "convert",
        help="write the tables of runs that died",
        description="Write the tables of runs whose launcher died before it could, and remove their journals.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trace", nargs="?", help="folder of a run, or of runs (default: the newest run in traces/)")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Write the tables of each run, and say what was done; 2 where that failed for one."""
    path = named(arguments.trace)
    from ..store.open_runs import directories_at, settle_run

    code = 0
    for directory in directories_at(path):
        try:
            with progress(f"writing the tables of {directory}", at_once=True) as report:
                written = settle_run(directory, report)
            print(printable(f"{directory}: {'tables written' if written else 'has its tables already'}"))
        except (FittraceError, OSError) as error:
            # The others are converted all the same.
            told = error if isinstance(error, FittraceError) else f"{error.filename or directory}: {error.strerror}"
            print(f"fittrace: {printable(told)}", file=sys.stderr)
            code = 2
    return code
