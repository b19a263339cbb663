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
  fittrace show --brief                 what each fit was bound by, and the findings
"""

_MOST_SPANS = 300_000
"""In a trace with more spans, faults are not looked for: that would take seconds. `fittrace check` does."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")
    parser.add_argument("--brief", action="store_true", help="leave out the tables of phases, hooks and ops")


def _run(arguments: argparse.Namespace) -> int:
    """Print the summary."""
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..analysis.rules import RULES, apply
        from ..tables import TraceTables
        from ..tables.database import row_tuples
        from ..views.summary import print_figures
        from ..views.summary_figures import gather

        trace = TraceTables.open(path, report)
        figures = gather(trace)
        spans = row_tuples(trace.relation("SELECT count(*) FROM spans"))[0][0]
        findings = apply(trace, RULES) if figures.fits and spans <= _MOST_SPANS else None
    print_figures(figures, sys.stdout, findings=findings, is_brief=arguments.brief)
    return 0


COMMAND = Subcommand(
    name="show",
    help="summarise a trace",
    description="Show each fit of a trace: what it was bound by, its phases, slowest hooks and findings. The run may "
    "still go on.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
