"""`fittrace testgen`: a pytest module that pins what a run's hooks did."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..schema.errors import FittraceError
from .places import named

_EXAMPLE = """\
example:
  fittrace testgen -o tests/test_hooks.py       of the newest run under traces/
  fittrace testgen traces/2026-01-31-train
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `testgen` command."""
    parser = subparsers.add_parser(
        "testgen",
        help="write a test that pins hook order and log keys",
        description="Write a pytest module that repeats a recorded run and pins its hook order and log keys.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trace", nargs="?", help="a run (default: the newest run in traces/)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there instead of standard output")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Write the module; a file that is there already stays as it is."""
    path = named(arguments.trace)

    from ..tables import Trace
    from ..views.pinned import pinned_module

    text = pinned_module(Trace.open(path))
    if arguments.output is None:
        sys.stdout.write(text)
        return 0
    try:
        with open(arguments.output, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise FittraceError(f"{arguments.output}: already there; remove it, or choose another name with -o") from None
    return 0
