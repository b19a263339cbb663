"""`fittrace run`: runs a script or module under capture."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema import sent_spans
from ..schema.capture_settings import CHOICES, DEFAULT, Settings
from ..schema.safe_text import printable
from ..schema.sent_batches import DEFAULT as DEFAULT_BATCHES
from .batches_option import HELP, batches
from .stall_watch import seconds, watching
from .subcommand import Subcommand

if TYPE_CHECKING:
    from ..launch import Finished

_EXAMPLES = """\
example:
  fittrace run train.py --epochs 3                    run `python train.py --epochs 3`, and leave a trace under traces/
  fittrace run --python ../old/bin/python train.py
  fittrace run -m mypackage.train
  fittrace run --otlp http://localhost:4318 train.py  also send spans to an OpenTelemetry collector
"""

_FLAGS = ("--quiet", "--report", "--help")
"""The options without a value."""
_BATCHES = f"{HELP} (default: {DEFAULT_BATCHES})"
_LEVELS = f"which spans are sent: {', '.join(sent_spans.LEVELS)} (default: {sent_spans.DEFAULT_LEVEL})"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="traces", metavar="DIR", help="folder for the new trace (default: traces/)")
    parser.add_argument("--name", help="name of the trace's folder (default: the time and the script's name)")
    parser.add_argument("--python", metavar="PATH", help="interpreter, or virtual environment, that runs the program")
    parser.add_argument(
        "--values",
        choices=CHOICES["values"],
        default=DEFAULT.values,
        help="which values are recorded. basic: the arguments of fit; all: also what the engine's functions assign to"
        f" their variables, which costs time (default: {DEFAULT.values})",
    )
    parser.add_argument(
        "--lines",
        choices=CHOICES["lines"],
        default=DEFAULT.lines,
        help="whose control flow is recorded. engine: the engine's; callbacks: also that of the hooks of your callbacks"
        f" and of your train_step (default: {DEFAULT.lines})",
    )
    parser.add_argument(
        "--memory",
        choices=CHOICES["memory"],
        default=DEFAULT.memory,
        help="when the memory of the process is read. basic: around the hooks of fits, epochs and validations;"
        f" full: also around those of batches, which costs time; off: never (default: {DEFAULT.memory})",
    )
    parser.add_argument(
        "--run-metadata",
        default=DEFAULT.run_metadata,
        metavar="SPEC",
        help="of which training batches TensorFlow's ops are recorded: off, all, or a list of first=N, every=N,"
        f" epoch:batch and epoch:batch-batch, joined by commas (default: {DEFAULT.run_metadata})",
    )
    parser.add_argument(
        "--hang-after",
        type=seconds,
        metavar="TIME",
        help="report, as `fittrace where` does, when nothing was recorded for so long, such as 90s or 10m",
    )
    parser.add_argument("--quiet", action="store_true", help="print no summary at the end")
    page = "also write the trace as an HTML page, beside its folder (see fittrace report)"
    parser.add_argument("--report", action="store_true", help=page)
    parser.add_argument(
        "--otlp",
        nargs="?",
        const="",
        metavar="URL",
        help="send spans while the program trains: to URL, or to where the OTEL_* variables say. The program's"
        " environment needs the SDK of OpenTelemetry",
    )
    parser.add_argument("--otlp-level", choices=sent_spans.LEVELS, metavar="LEVEL", help=_LEVELS)
    parser.add_argument("--otlp-batches", type=batches, metavar="BATCHES", help=_BATCHES)
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, metavar="module", help="the module to run")
    parser.add_argument("script", nargs="?", help="the script to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its arguments")


def _run(arguments: argparse.Namespace) -> int:
    """Run the program, and return its exit code."""
    from ..launch import Program, execute
    from ..schema.errors import FittraceError
    from .progress import progress

    if arguments.script is None and not arguments.module:
        raise FittraceError("run: no script given; give one, or a module with -m: fittrace run train.py")
    settings = Settings(
        values=arguments.values, lines=arguments.lines, memory=arguments.memory, run_metadata=arguments.run_metadata
    )
    if arguments.module:
        program = Program(None, arguments.module[0], arguments.module[1:], arguments.python, settings)
    else:
        program = Program(arguments.script, None, arguments.arguments, arguments.python, settings)
    with progress("writing the tables") as report:
        watch = partial(watching, hang_after_s=arguments.hang_after)
        finished = execute(program, Path(arguments.out), arguments.name, report, _variables(arguments), watch)
    if arguments.otlp is not None and finished.traced:
        _send_unfinished(finished, arguments)
    if not arguments.quiet:
        _summarise(finished)
    if arguments.report:
        _write_page(finished)
    return finished.exit()


def with_endpoint(argv: Sequence[str]) -> list[str]:
    """The arguments of a command line, with `--otlp=` for `--otlp` if no endpoint follows it.

    argparse would take the next argument for the endpoint, though it may be the script. An endpoint is a URL, so the
    next argument is one if it has `://`.

    >>> with_endpoint(["run", "--otlp", "train.py"]), with_endpoint(["run", "--otlp", "http://localhost:4318", "a.py"])
    (['run', '--otlp=', 'train.py'], ['run', '--otlp', 'http://localhost:4318', 'a.py'])
    """
    result = list(argv)
    index = 1 if result[:1] == ["run"] else len(result)
    # The script, or -m, ends the options. All after it are arguments of the program.
    while index < len(result) and result[index].startswith("--"):
        if result[index] == "--otlp":
            if "://" not in "".join(result[index + 1 : index + 2]):
                result[index] = "--otlp="
            break
        index += 1 if "=" in result[index] or result[index] in _FLAGS else 2
    return result


def _variables(arguments: argparse.Namespace) -> dict[str, str]:
    """The environment variables that tell the program's process what to send."""
    given = {
        "FITTRACE_OTLP": arguments.otlp,
        "OTEL_PYTHON_KERAS_LEVEL": arguments.otlp_level,
        "OTEL_PYTHON_KERAS_BATCHES": arguments.otlp_batches,
    }
    return {key: str(value) for key, value in given.items() if value is not None}


def _send_unfinished(finished: Finished, arguments: argparse.Namespace) -> None:
    """Send the spans that were open when a process died. A fault in this never changes the exit code."""
    from ..tables import TraceTables

    try:
        trace = TraceTables.open(finished.directory)
        if not trace.sql("SELECT 1 FROM spans WHERE status = 'unfinished' LIMIT 1").empty:
            from ..export import otlp
            from ..export.otel_spans import SpanChoice
            from ..otel.live_settings import settings

            chosen = settings(arguments.otlp_level, arguments.otlp_batches)
            otlp.send(trace, arguments.otlp or None, SpanChoice(*chosen, unfinished=True))
    except Exception as error:
        _say(f"the spans that were open when a process died were not sent: {error}")


def _summarise(finished: Finished) -> None:
    """Print the summary to standard error. A fault in this never changes the exit code."""
    from ..tables import TraceTables
    from ..views.summary import print_summary

    for remark in finished.remarks:
        _say(remark)
    if not finished.traced:
        return
    try:
        print_summary(TraceTables.open(finished.directory), sys.stderr)
    except Exception as error:
        _say(f"no summary: {error}; the trace is in {finished.directory}")
    sys.stderr.flush()


def _write_page(finished: Finished) -> None:
    """Write the page beside the folder of the trace. A fault in this never changes the exit code."""
    from .progress import progress
    from .report import write

    if not finished.traced:
        _say("no report: nothing was traced")
        return
    output = finished.directory.with_name(f"{finished.directory.name}.html")
    try:
        with progress(f"writing {output}", at_once=True) as report:
            write(finished.directory, output, report)
        _say(f"report: open {output} in a browser")
    except Exception as error:
        _say(f"no report: {error}; the trace is in {finished.directory}")


def _say(text: str) -> None:
    print(f"fittrace: {printable(text)}", file=sys.stderr)


COMMAND = Subcommand(
    name="run",
    help="run a script under capture and leave a trace",
    description="Run a script or module as `python` would, and record every fit in it.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
    usage="fittrace run [--out DIR] [--name NAME] [--python PATH] [--values {basic,all}]\n"
    "                    [--lines {engine,callbacks}] [--run-metadata SPEC] [--quiet] [--report]\n"
    "                    [--otlp [URL]] [--otlp-level LEVEL] [--otlp-batches BATCHES]\n"
    "                    (script.py | -m module) [args...]",
)
