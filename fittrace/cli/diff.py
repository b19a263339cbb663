"""`fittrace diff`: prints what differs between two traces."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema.safe_text import printable
from .page_file import add_page_file, check_page_file, write_page_file
from .progress import progress
from .subcommand import Subcommand
from .which_trace import find_trace

if TYPE_CHECKING:
    from ..analysis.diff import Comparison
    from ..tables import TraceTables

_EXAMPLES = """\
example:
  fittrace diff traces/before traces/after
  fittrace diff keras-2.2.4 keras-3 --only hooks --only logs --value-tolerance 0.01
  fittrace diff main branch --only time --fail-over 10%     for CI: fail if the branch is slower by more than 10 %

exit code: 0 if the traces are alike, 1 if they differ, 2 for bad input; with --fail-over, 1 only if B is slower
"""

_DESCRIPTION = """\
Compare two traces. They may be of different engines or versions.

  arguments  arguments of fit and compile, and settings of callbacks, that differ
  hooks      hooks that only one trace has, their order, thread and number, and who stopped the fit
  logs       keys that only one trace has; values that differ, and from which batch on
  flow       phases, statements and branches of the engine's source that only one trace passed
  time       how much longer each phase, each callback's hooks and the first batch took, and how much of that may be
             chance; the largest difference first
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help="a run")
    parser.add_argument("b", metavar="B", help="another run")
    choices = ("arguments", "hooks", "logs", "flow", "time")
    parser.add_argument("--only", action="append", choices=choices, help="compare only this; may be repeated")
    value = "relative difference up to which two values in the logs count as equal (default: 1e-6)"
    parser.add_argument("--value-tolerance", type=_fraction, default=1e-6, metavar="X", help=value)
    time = "relative difference, apart from chance, up to which two times count as equal (default: 0.25)"
    parser.add_argument("--time-tolerance", type=_fraction, default=0.25, metavar="X", help=time)
    over = (
        "exit with 1 only if a time of B is longer than in A by more than this, apart from chance; it is also the time"
    )
    parser.add_argument("--fail-over", type=_percent, metavar="PERCENT", help=f"{over} tolerance")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    page = "also write an HTML page that shows both runs side by side"
    parser.add_argument("--report", action="store_true", help=page)
    add_page_file(parser, "the names of both, A-and-B.html")


def _run(arguments: argparse.Namespace) -> int:
    """Print what differs."""
    path_a, path_b = find_trace(arguments.a), find_trace(arguments.b)
    output = arguments.output or Path(f"{path_a.resolve().name}-and-{path_b.resolve().name}.html")
    if arguments.report:
        check_page_file(output, arguments.force)
    with progress(f"comparing {path_a} and {path_b}", at_once=True) as report:
        from ..analysis.diff import ASPECTS, Tolerances, compare
        from ..tables import TraceTables
        from ..views.comparison import as_json, print_comparison

        traces = TraceTables.open(path_a, report), TraceTables.open(path_b, report)
        over = arguments.fail_over
        tolerances = Tolerances(arguments.value_tolerance, arguments.time_tolerance if over is None else over)
        comparison = compare(*traces, arguments.only or ASPECTS, tolerances)
        written = _write_page(output, comparison, *traces) if arguments.report else None
    if arguments.format == "json":
        print(as_json(comparison))
    else:
        print_comparison(comparison, sys.stdout)
    if written is not None:
        print(printable(f"fittrace: report: {written}"), file=sys.stderr)
    return 0 if (comparison.alike if over is None else not comparison.slower) else 1


def _write_page(output: Path, comparison: Comparison, trace_a: TraceTables, trace_b: TraceTables) -> str:
    """Write the page that shows both runs. Returns its path and size in words."""
    from ..report import comparing_document, page

    return write_page_file(output, lambda: page(comparing_document(comparison, trace_a, trace_b)))


def _fraction(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number >= 0):
        raise argparse.ArgumentTypeError(f"{text}: not a number of 0 or more")
    return number


def _percent(text: str) -> float:
    """A number of percent as a fraction.

    >>> _percent("10%"), _percent("2.5")
    (0.1, 0.025)
    """
    try:
        return _fraction(text.rstrip("% ")) / 100
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text}: not a number of percent, such as 10%") from None


COMMAND = Subcommand(
    name="diff",
    help="compare two traces",
    description=_DESCRIPTION,
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
