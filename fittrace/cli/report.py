"""`fittrace report`: writes a trace as one HTML page."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable
from pathlib import Path

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .output_files import replaced
from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace, parse_path

_EXAMPLES = """\
example:
  fittrace report                                  the newest run under traces/, as a page in this folder
  fittrace report traces/2026-01-31-train -o fit.html --open
  fittrace report --redact                         a page to pass on: no source, host, paths or arguments

The page is one file. It opens from disk, without a network, in any current browser.
"""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")
    output = "file to write (default: the trace's name with .html, in this folder)"
    parser.add_argument("-o", "--output", type=parse_path, metavar="FILE", help=output)
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    redact = "leave out source, host, paths and arguments, to pass the page on"
    parser.add_argument("--redact", action="store_true", help=redact)


def _run(arguments: argparse.Namespace) -> int:
    """Write the page, and print its path."""
    path = find_trace(arguments.trace)
    output = arguments.output or Path(f"{path.resolve().name}.html")
    with progress(f"reading {path}", at_once=True) as report:
        size = write(path, output, report, force=arguments.force, redacted=arguments.redact)
    print(printable(f"{output}: {_in_megabytes(size)}"))
    if arguments.open:
        webbrowser.open(output.resolve().as_uri())
    return 0


def write(
    trace: Path, output: Path, report: Callable[[int, int], None], *, force: bool = False, redacted: bool = False
) -> int:
    """Write the page of a trace, whole or not at all. Returns its size in bytes.

    - `trace`: the path of the trace.
    - `output`: the path of the page.
    - `report`: is called with the parts that are done, and with all parts.
    - `force`: replace `output` if it exists. Otherwise this raises `FittraceError`.
    - `redacted`: leave out source, host, paths and arguments.
    """
    if output.is_file() and not force:
        raise FittraceError(f"{output}: exists; give another file with -o, or --force to replace it")
    from ..open_trace import Trace
    from ..report import document, page

    html = page(document(Trace.open(trace, report), redacted=redacted, progress=report)).encode()
    with replaced(output) as new:
        new.write_bytes(html)
    return len(html)


def _in_megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"


COMMAND = Subcommand(
    name="report",
    help="write a trace as one HTML page",
    description="Write a trace as one HTML page: where the time went, every batch, every hook, every step.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
