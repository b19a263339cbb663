"""`fittrace testgen`: writes a test that pins what a recorded run did."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from typing import TYPE_CHECKING

from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace, parse_path

if TYPE_CHECKING:
    from ..tables import TraceTables
    from ..views.generated_test import PinnedProgram

_EXAMPLES = """\
example:
  fittrace testgen -o tests/test_hooks.py                       the newest run under traces/
  fittrace testgen -o tests/test_hooks.py --script train.py --epochs 2
  fittrace testgen traces/2026-01-31-train -o tests/test_hooks.py -m mypackage.train

The test runs the script or module that you give here, with its arguments; both come last on the line. If you give none,
write the code that trains into the test yourself. testgen never runs the command line in a trace, since the trace may
come from a stranger.
"""
_LONGEST = 200
"""How many characters of a recorded command line are shown."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "a run")
    output = "write to a file, not to standard output"
    parser.add_argument("-o", "--output", type=parse_path, metavar="FILE", help=output)
    rest = argparse.REMAINDER
    parser.add_argument("--script", nargs=rest, metavar="SCRIPT", help="the script that the test runs, with arguments")
    parser.add_argument("-m", dest="module", nargs=rest, metavar="MODULE", help="the module that it runs instead")


def _run(arguments: argparse.Namespace) -> int:
    """Write the test. A file that is there already is not overwritten."""
    program = _program(arguments)
    path = find_trace(arguments.trace)

    from ..tables import TraceTables
    from ..views.generated_test import pinned_module

    trace = TraceTables.open(path)
    text = pinned_module(trace, program)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        try:
            with open(arguments.output, "x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            message = f"{arguments.output}: already there; remove it, or choose another name with -o"
            raise FittraceError(message) from None
    if program is None:
        hint = "write the code that trains into the test, or give a script with --script"
        print(f"fittrace: {hint}{_recorded(trace)}", file=sys.stderr)
    return 0


def _program(arguments: argparse.Namespace) -> PinnedProgram | None:
    from ..views.generated_test import PinnedProgram

    for option, words in (("--script", arguments.script), ("-m", arguments.module)):
        if words is not None and not "".join(words[:1]):
            raise FittraceError(f"testgen: {option} without a name; give one after it, and the arguments that it takes")
    if arguments.script is not None:
        return PinnedProgram(arguments.script[0], None, tuple(arguments.script[1:]))
    return None if arguments.module is None else PinnedProgram(None, arguments.module[0], tuple(arguments.module[1:]))


def _recorded(trace: TraceTables) -> str:
    """The recorded command line, for the user to read. It is never run."""
    recorded = trace.processes()["argv"].tolist()[:1]
    try:
        words = [str(word) for word in json.loads(recorded[0])]
    except (IndexError, TypeError, ValueError, RecursionError):
        return ""
    line = printable(shlex.join(words))
    return f" (the run was: {line if len(line) <= _LONGEST else line[:_LONGEST] + '…'})" if words else ""


COMMAND = Subcommand(
    name="testgen",
    help="write a test that pins hook order and log keys",
    description="Write a pytest module that pins the hook order and the log keys of a recorded run.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
    usage="fittrace testgen [TRACE] [-o FILE] [--script SCRIPT [args...] | -m MODULE [args...]]",
)
