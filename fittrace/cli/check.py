"""`fittrace check`: looks for known faults in a trace."""

from __future__ import annotations

import argparse
import sys

from .progress import progress
from .which_trace import given, named

_EXAMPLE = """\
example:
  fittrace check                         the newest run under traces/
  fittrace check traces/2026-01-31-train --rules my_rules.py

exit code: 0 without findings, 1 with findings, 2 if a rule failed

docs/hooks.md lists the rules, and says how to write your own.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `check` command."""
    parser = subparsers.add_parser(
        "check",
        help="find known faults in a trace",
        description="Look for known faults. A finding says what is wrong, where, what it does, and the remedy.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trace", nargs="?", help="folder of a run, or of runs (default: the newest run in traces/)")
    parser.add_argument("--rules", type=given, metavar="FILE", help="a Python file with your own rules, to apply too")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Print the findings."""
    path = named(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..analysis.rules import RULES, apply
        from ..analysis.rules.user_rules import load
        from ..tables import TraceTables
        from ..views.findings import print_findings

        rules = RULES + (load(arguments.rules) if arguments.rules is not None else ())
        outcome = apply(TraceTables.open(path, report), rules)
    print_findings(outcome, sys.stdout)
    return 2 if outcome.failed else 1 if outcome.found else 0
