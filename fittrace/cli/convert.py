"""`fittrace convert`: writes the tables of runs that died before their tables were written."""

from __future__ import annotations

import argparse
import sys

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace

_EXAMPLES = """\
example:
  fittrace convert                         the newest run under traces/
  fittrace convert traces/                 all runs there

`fittrace run` writes the tables of a run when the run ends. If `fittrace run` was killed before that, every command
reads the run from its journal, which takes longer. `convert` writes the tables once. No other command writes into a
run.
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")


def _run(arguments: argparse.Namespace) -> int:
    """Write the tables of each run. Return 2 if one of them failed."""
    path = find_trace(arguments.trace)
    from ..store.open_runs import convert_run, directories_at

    code = 0
    for directory in directories_at(path):
        try:
            with progress(f"writing the tables of {directory}", at_once=True) as report:
                written = convert_run(directory, report)
            print(printable(f"{directory}: {'tables written' if written else 'has its tables already'}"))
        except (FittraceError, OSError) as error:
            # A run that fails must not keep the others from being converted.
            message = f"{error.filename or directory}: {error.strerror}" if isinstance(error, OSError) else error
            print(f"fittrace: {printable(message)}", file=sys.stderr)
            code = 2
    return code


COMMAND = Subcommand(
    name="convert",
    help="write the tables of runs that died",
    description="Write the tables of runs whose `fittrace run` was killed, and remove their journals.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
