"""Arguments that several commands take: which trace to read, and which of its fits."""

from __future__ import annotations

import argparse


def add_trace(parser: argparse.ArgumentParser, kind: str) -> None:
    """Add the argument `trace`. `kind` says what it may be."""
    parser.add_argument("trace", nargs="?", help=f"{kind} (default: the newest run in traces/)")


def add_fit(parser: argparse.ArgumentParser) -> None:
    """Add the options `--fit` and `--process`."""
    parser.add_argument("--fit", type=int, default=0, metavar="N", help="number of the fit (default: 0)")
    parser.add_argument("--process", type=int, metavar="P", help="number of its process, if several have such a fit")
