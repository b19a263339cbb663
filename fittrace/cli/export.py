"""`fittrace export`: what a trace holds, in the form that another program reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..schema.errors import FittraceError
from .places import named
from .progress import progress

FORMATS = ("run-metadata",)

_EXAMPLE = """\
example:
  fittrace export traces/2026-01-31-train --format run-metadata -o metadata/

formats:
  run-metadata   a RunMetadata protobuf for each sampled batch, for TensorFlow's Timeline and tf.compat.v1.profiler
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the `export` command."""
    parser = subparsers.add_parser(
        "export",
        help="write a trace for another program",
        description="Write what a trace holds in the form that another program reads.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("trace", nargs="?", help="folder of a run, or of runs (default: the newest run in traces/)")
    parser.add_argument("--format", choices=FORMATS, required=True, help="what to write")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", required=True, help="folder to write into")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Write the files."""
    path = named(arguments.trace)
    written = 0
    with progress(f"reading {path}", at_once=True) as report:
        from ..tables import Trace

        for name, data in Trace.open(path, report).run_metadata_files():
            file = arguments.output / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            written += 1
    if not written:
        raise FittraceError(f"{path}: no batch was sampled, nothing to write; record with --run-metadata first=3")
    print(f"{arguments.output}: {written} files")
    return 0
