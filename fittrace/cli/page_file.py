"""The file of an HTML page: its options, and how it is written."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..export.output_files import replaced
from ..schema.errors import FittraceError
from .which_trace import parse_path


def add_page_file(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the options `-o` and `--force`. `default` says which file is written without `-o`."""
    output = f"the page to write (default: {default}, in this folder)"
    parser.add_argument("-o", "--output", type=parse_path, metavar="FILE", help=output)
    parser.add_argument("--force", action="store_true", help="replace the page if it exists")


def check_page_file(output: Path, force: bool) -> None:
    """Raise `FittraceError` if `output` is there, and must not be replaced."""
    if output.is_file() and not force:
        raise FittraceError(f"{output}: exists; give another file with -o, or --force to replace it")


def write_page_file(output: Path, make: Callable[[], str]) -> str:
    """Write the page that `make` gives, whole or not at all. Returns its path and size in words.

    >>> import tempfile
    >>> write_page_file(Path(tempfile.mkdtemp(), "fit.html"), lambda: "x" * 1_234_567).rpartition("/")[2]
    'fit.html: 1.2 MB'
    """
    with replaced(output) as new:
        html = make().encode()
        new.write_bytes(html)
    size = len(html)
    return f"{output}: {size / 1e6:.1f} MB" if size >= 1e5 else f"{output}: {size / 1e3:.0f} kB"
