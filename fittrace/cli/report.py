"""`fittrace report`: writes a trace as one HTML page."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable
from pathlib import Path

from ..schema.safe_text import printable
from .page_file import add_page_file, check_page_file, write_page_file
from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace

_EXAMPLES = """\
example:
  fittrace report                                  the newest run under traces/, as a page in this folder
  fittrace report traces/2026-01-31-train -o fit.html --open
  fittrace report --redact                         a page to pass on: no source, host, paths or arguments

The page is one file. It opens from disk, without a network, in any current browser.
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")
    add_page_file(parser, "the trace's name with .html")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    redact = "leave out source, host, paths and arguments, to pass the page on"
    parser.add_argument("--redact", action="store_true", help=redact)


def _run(arguments: argparse.Namespace) -> int:
    """Write the page, and print its path and size."""
    path = find_trace(arguments.trace)
    output = arguments.output or Path(f"{path.resolve().name}.html")
    check_page_file(output, arguments.force)
    with progress(f"reading {path}", at_once=True) as report:
        written = write(path, output, report, redacted=arguments.redact)
    print(printable(written))
    if arguments.open:
        webbrowser.open(output.resolve().as_uri())
    return 0


def write(trace: Path, output: Path, report: Callable[[int, int], None], *, redacted: bool = False) -> str:
    """Write the page of a trace, whole or not at all. Returns its path and size in words.

    - `trace`: the path of the trace.
    - `output`: the path of the page.
    - `report`: is called with the parts that are done, and with all parts.
    - `redacted`: leave out source, host, paths and arguments.
    """
    from ..report import document, page
    from ..tables import TraceTables

    return write_page_file(
        output, lambda: page(document(TraceTables.open(trace, report), redacted=redacted, progress=report))
    )


COMMAND = Subcommand(
    name="report",
    help="write a trace as one HTML page",
    description="Write a trace as one HTML page: where the time went, every batch, every hook, every step.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
