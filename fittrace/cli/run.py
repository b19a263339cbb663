"""`fittrace run`: run a script or module under capture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema.settings import CHOICES, DEFAULT, Settings

if TYPE_CHECKING:
    from ..launch import Finished

_EXAMPLE = """\
example:
  fittrace run train.py --epochs 3      runs `python train.py --epochs 3` and leaves a trace under traces/
  fittrace run --python ../old/bin/python train.py
  fittrace run -m mypackage.train
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `run` command."""
    parser = subparsers.add_parser(
        "run",
        help="run a script under capture and leave a trace",
        description="Run a script or module as `python` would, and record every fit in it.",
        usage="fittrace run [--out DIR] [--name NAME] [--python PATH] [--values {basic,all}]\n"
        "       [--lines {engine,callbacks}] [--run-metadata SPEC] [--quiet] (script.py | -m module) [args...]",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", default="traces", metavar="DIR", help="folder for the new trace (default: traces/)")
    parser.add_argument("--name", help="name of the trace's folder (default: the time and the script's name)")
    parser.add_argument("--python", metavar="PATH", help="interpreter, or folder of a virtual environment, to run it")
    parser.add_argument(
        "--values",
        choices=CHOICES["values"],
        default=DEFAULT.values,
        help="basic: the arguments of fit; all: also what the engine's functions assign to their variables, which costs"
        f" time (default: {DEFAULT.values})",
    )
    parser.add_argument(
        "--lines",
        choices=CHOICES["lines"],
        default=DEFAULT.lines,
        help="whose control flow is recorded: the engine's; or callbacks: also that of your own callbacks' hooks and"
        f" of your own train_step (default: {DEFAULT.lines})",
    )
    parser.add_argument(
        "--run-metadata",
        default=DEFAULT.run_metadata,
        metavar="SPEC",
        help="training batches whose ops are kept: off, all, or a list of first=N, every=N, epoch:batch and"
        f" epoch:batch-batch (default: {DEFAULT.run_metadata})",
    )
    parser.add_argument("--quiet", action="store_true", help="no summary at the end")
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="module", help="run a module")
    parser.add_argument("script", nargs="?", help="the script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Run the program; its exit code is ours."""
    from ..launch import Program, execute
    from ..schema.errors import FittraceError
    from .progress import progress

    if arguments.script is None and not arguments.module:
        raise FittraceError("run: what? Give a script, or -m and a module: fittrace run train.py")
    settings = Settings(values=arguments.values, lines=arguments.lines, run_metadata=arguments.run_metadata)
    if arguments.module:
        program = Program(None, arguments.module[0], arguments.module[1:], arguments.python, settings)
    else:
        program = Program(arguments.script, None, arguments.arguments, arguments.python, settings)
    with progress("writing the tables") as report:
        finished = execute(program, Path(arguments.out), arguments.name, report)
    if not arguments.quiet:
        _summarise(finished)
    return finished.exit()


def _summarise(finished: Finished) -> None:
    """Say on standard error what was traced; a fault in that never changes how the run ends."""
    from ..tables import Trace
    from ..views.summary import print_summary

    for remark in finished.remarks:
        print(f"fittrace: {remark}", file=sys.stderr)
    if not finished.traced:
        return
    try:
        print_summary(Trace.open(finished.directory), sys.stderr)
    except Exception as error:
        print(f"fittrace: no summary: {error}; the trace is in {finished.directory}", file=sys.stderr)
    sys.stderr.flush()
