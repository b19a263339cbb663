"""`fittrace check`: looks for known faults in a trace."""

from __future__ import annotations

import argparse
import sys

from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace, parse_path

_EXAMPLES = """\
example:
  fittrace check                         the newest run under traces/
  fittrace check traces/2026-01-31-train --rules my_rules.py

exit code: 0 without findings, 1 with findings, 2 if a rule failed

docs/hooks.md lists the rules, and says how to write your own.
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")
    rules = "a Python file with your own rules, to apply too"
    parser.add_argument("--rules", type=parse_path, metavar="FILE", help=rules)


def _run(arguments: argparse.Namespace) -> int:
    """Print the findings."""
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..analysis.rules import RULES, apply
        from ..analysis.rules.user_rules import load
        from ..tables import TraceTables
        from ..views.findings import print_findings

        rules = RULES + (load(arguments.rules) if arguments.rules is not None else ())
        outcome = apply(TraceTables.open(path, report), rules)
    print_findings(outcome, sys.stdout)
    return 2 if outcome.failed else 1 if outcome.found else 0


COMMAND = Subcommand(
    name="check",
    help="find known faults in a trace",
    description="Look for known faults. A finding says what is wrong, where, its effect and the remedy.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
