"""`fittrace check`: looks for known faults in a trace."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..schema.errors import FittraceError
from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace, parse_path

if TYPE_CHECKING:
    from ..analysis.rules import RuleOutcome

_EXAMPLES = """\
example:
  fittrace check                         the newest run under traces/
  fittrace check traces/2026-01-31-train --rules my_rules.py
  fittrace check --format github --fail-on not-finite --fail-on data-wait     in a workflow of GitHub
  fittrace check --format sarif > fittrace.sarif

exit code: 0 without findings, 1 with findings (with --fail-on, of these rules), 2 if a rule failed

docs/hooks.md lists the rules, and says how to write your own.
"""


ANY = "any"
"""What `--fail-on` takes for all rules."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")
    rules = "a Python file with your own rules, to apply too"
    parser.add_argument("--rules", type=parse_path, metavar="FILE", help=rules)
    fail_on = "exit with 1 only if this rule has findings; may be repeated (default: any)"
    parser.add_argument("--fail-on", action="append", metavar="RULE|any", help=fail_on)
    output = "output format: text; json; github, the workflow commands of GitHub; sarif, SARIF 2.1.0 (default: text)"
    parser.add_argument("--format", choices=("text", "json", "github", "sarif"), default="text", help=output)


def _run(arguments: argparse.Namespace) -> int:
    """Print the findings."""
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..analysis.rules import RULES, apply
        from ..analysis.rules.user_rules import load
        from ..tables import TraceTables

        rules = RULES + (load(arguments.rules) if arguments.rules is not None else ())
        _check_names(arguments.fail_on or [], [ANY, *(rule.name for rule in rules)])
        outcome = apply(TraceTables.open(path, report), rules)
    _print(outcome, arguments.format)
    named = set(arguments.fail_on or [ANY])
    failing = [found for found in outcome.found if named & {ANY, found.rule.name}]
    return 2 if outcome.failed else 1 if failing else 0


def _check_names(wanted: Sequence[str], known: Sequence[str]) -> None:
    """Raise `FittraceError` for a rule that there is not."""
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
            raise FittraceError(f"--fail-on {name}: no such rule; {hint}")


def _print(outcome: RuleOutcome, form: str) -> None:
    from ..views import finding_formats
    from ..views.findings import print_findings

    if form == "text":
        print_findings(outcome, sys.stdout)
        return
    written = {
        "json": finding_formats.as_json,
        "github": finding_formats.as_github,
        "sarif": finding_formats.as_sarif,
    }[form](outcome)
    print(written)


COMMAND = Subcommand(
    name="check",
    help="find known faults in a trace",
    description="Look for known faults. A finding says what is wrong, where, its effect and the remedy.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
