"""`fittrace export`: writes a trace in the format of another program."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..export.output_files import replaced
from ..schema import sent_spans
from ..schema.errors import FittraceError
from ..schema.safe_text import printable
from ..schema.sent_batches import ALL
from .batches_option import HELP, batches
from .progress import progress
from .subcommand import Subcommand
from .trace_arguments import add_trace
from .which_trace import find_trace, parse_path

if TYPE_CHECKING:
    from ..tables import TraceTables

_EXAMPLES = """\
example:
  fittrace export traces/2026-01-31-train --format perfetto -o train.pftrace
  fittrace export traces/2026-01-31-train --format otlp --endpoint http://localhost:4318

formats:
  otlp           OpenTelemetry spans: sent to an endpoint, or written as OTLP in JSON, one request a line
  perfetto       a .pftrace file for Perfetto's UI and its trace processor
  chrome         trace events in JSON for chrome://tracing and other viewers
  tensorboard    a log directory with the numbers in the logs as scalars
  csv, parquet   a folder with a file for every table
  run-metadata   a folder with a RunMetadata protobuf for each sampled batch, for TensorFlow's Timeline and
                 tf.compat.v1.profiler
"""
_BATCHES = f"otlp: {HELP} (default: all)"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_trace(parser, "folder of a run, or of runs")
    parser.add_argument("--format", choices=FORMATS, required=True, help="format to write; see below")
    parser.add_argument("-o", "--output", type=parse_path, metavar="PATH", help="file or folder to write")
    endpoint = "otlp: send the spans there, through the SDK's exporter, instead of writing a file"
    parser.add_argument("--endpoint", metavar="URL", help=endpoint)
    parser.add_argument("--level", choices=sent_spans.LEVELS, default="all", help="otlp: spans to send (default: all)")
    parser.add_argument("--batches", type=batches, default=ALL, metavar="BATCHES", help=_BATCHES)


def _run(arguments: argparse.Namespace) -> int:
    """Write the trace, and print how much was written."""
    goes_into_a_file = arguments.endpoint is None
    if goes_into_a_file and arguments.output is None:
        also = ", or an address with --endpoint" if arguments.format == "otlp" else ""
        raise FittraceError(f"export: no output given; give a path with -o{also}")
    if not goes_into_a_file and (arguments.format != "otlp" or arguments.output is not None):
        raise FittraceError("export: --endpoint needs --format otlp, and takes no -o; leave one of them out")
    path = find_trace(arguments.trace)
    with progress(f"reading {path}", at_once=True) as report:
        from ..tables import TraceTables

        written = FORMATS[arguments.format](TraceTables.open(path, report), arguments)
    print(printable(f"{arguments.output if goes_into_a_file else arguments.endpoint}: {written}"))
    return 0


def _otlp(trace: TraceTables, arguments: argparse.Namespace) -> str:
    from ..export import otlp
    from ..export.otel_spans import SpanChoice

    choice = SpanChoice(arguments.level, arguments.batches)
    if arguments.endpoint is not None:
        return f"{otlp.send(trace, arguments.endpoint, choice)} spans"
    with replaced(arguments.output) as new, new.open("w", encoding="utf-8") as file:
        return f"{otlp.write(trace, file, choice)} spans"


def _perfetto(trace: TraceTables, arguments: argparse.Namespace) -> str:
    from ..export import perfetto

    with replaced(arguments.output) as new, new.open("wb") as file:
        return f"{perfetto.write(trace, file)} spans"


def _chrome(trace: TraceTables, arguments: argparse.Namespace) -> str:
    from ..export import chrome

    with replaced(arguments.output) as new, new.open("w", encoding="utf-8") as file:
        return f"{chrome.write(trace, file)} spans"


def _tensorboard(trace: TraceTables, arguments: argparse.Namespace) -> str:
    from ..export import tensorboard

    return f"{tensorboard.write(trace, arguments.output)} scalars"


def _tables(trace: TraceTables, arguments: argparse.Namespace) -> str:
    from ..export import table_files

    return f"{len(table_files.write(trace, arguments.output, arguments.format))} tables"


def _run_metadata(trace: TraceTables, arguments: argparse.Namespace) -> str:
    from ..export import run_metadata

    return f"{run_metadata.write(trace, arguments.output)} files"


# By the name of a format: writes the trace, and returns how much was written, in words.
FORMATS: dict[str, Callable[[TraceTables, argparse.Namespace], str]] = {
    "otlp": _otlp,
    "perfetto": _perfetto,
    "chrome": _chrome,
    "tensorboard": _tensorboard,
    "csv": _tables,
    "parquet": _tables,
    "run-metadata": _run_metadata,
}


COMMAND = Subcommand(
    name="export",
    help="write a trace for another program",
    description="Write a trace in the format of another program.",
    examples=_EXAMPLES,
    add_arguments=_add_arguments,
    run=_run,
)
