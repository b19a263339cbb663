"""`fittrace ls`: lists the runs in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema.errors import FittraceError, NotATrace
from .progress import progress
from .subcommand import Subcommand
from .which_trace import TRACES, parse_path

if TYPE_CHECKING:
    from ..tables import TraceTables

_EXAMPLES = """\
example:
  fittrace ls
  fittrace ls /shared/experiments/traces
"""

_HEADERS = ["run", "start", "duration", "fits", "epochs", "batches", "engine", "called from", "ended"]
_WORDS = {"run", "start", "engine", "called from", "ended"}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    folder = "folder (default: traces/)"
    parser.add_argument("directory", nargs="?", type=parse_path, default=TRACES, metavar="DIR", help=folder)


def _run(arguments: argparse.Namespace) -> int:
    """Print a line for each run. The line of a run that cannot be read shows the error."""
    from ..store.run_files import run_directories

    directories = run_directories(arguments.directory)
    if not directories:
        raise NotATrace(f"{arguments.directory}: no runs there; record one with `fittrace run script.py`")
    with progress(f"reading {arguments.directory}", at_once=True) as report:
        rows = []
        for number, directory in enumerate(directories):
            rows.append(_row(directory))
            report(number + 1, len(directories))
    from ..views.terminal import console, table

    console(sys.stdout).print(table(_HEADERS, rows, _WORDS))
    return 0


def _row(directory: Path) -> list[str]:
    from ..analysis import units
    from ..tables import TraceTables
    from ..views.run_ending import ending

    try:
        trace = TraceTables.open(directory)
        files = trace.runs[0]
        fits, epochs, batches, engines = trace.relation(_FITS).fetchall()[0]
        endings, latest = trace.relation("SELECT list(DISTINCT ending), max(end_ns) FROM processes").fetchall()[0]
        start = int(files.facts["start_ns"])
        end = files.facts.get("end_ns") or latest or start
        return [
            files.name,
            units.moment(start),
            units.duration(int(end) - start),
            units.count(fits),
            units.count(epochs),
            units.count(batches),
            engines,
            _callers(trace),
            _ended(trace, ending(files, endings or ())),
        ]
    except Exception as error:
        # A run that cannot be read must not keep the others from being listed.
        message = str(error) if isinstance(error, (FittraceError, OSError)) else f"{type(error).__name__}: {error}"
        return [directory.name, *[""] * (len(_HEADERS) - 2), message]


def _callers(trace: TraceTables) -> str:
    """The line that called the first fit, and how many other lines called one."""
    from ..tables.database import row_dicts
    from ..views.fit_sentences import short_caller

    callers = row_dicts(trace.relation(_CALLERS))
    others = f", {len(callers) - 1:,} more" if len(callers) > 1 else ""
    return "".join(short_caller(caller) for caller in callers[:1]) + others


def _ended(trace: TraceTables, how: str) -> str:
    """How a run ended, and where its last fit was then, if the fit did not return and so ended the run."""
    from ..tables.database import row_dicts
    from ..views.end_position import end_position

    last = row_dicts(
        trace.relation("SELECT * FROM fits WHERE parent_fit IS NULL ORDER BY start_ns DESC, fit DESC LIMIT 1")
    )
    where = end_position(last[0]) if last and how != "ok" else None
    if where is None:
        return how
    return f"{how}, raised {where}" if last[0]["status"] == "error" else f"{how} {where}"


_FITS = """
    SELECT count(*), coalesce(sum(epochs), 0), coalesce(sum(batches), 0),
        coalesce(string_agg(DISTINCT engine || ' ' || engine_version, ', '), '')
    FROM fits WHERE parent_fit IS NULL
"""


_CALLERS = """
    SELECT caller_file, caller_line FROM fits WHERE parent_fit IS NULL GROUP BY ALL ORDER BY min(start_ns)
"""


COMMAND = Subcommand(
    name="ls",
    help="list the runs in a folder",
    description="List the runs in a folder: when each began, what it trained and how it ended.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
