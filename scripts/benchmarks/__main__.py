"""Runs the measures and prints their table: `scripts/bench`."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
import time
from pathlib import Path

from . import conversion, fit, others, page, reading, sampling, settings, size, span, startup
from .table import as_markdown, as_text, write_between_markers

MEASURES = {
    "span": ("One recorded span", span.measure),
    "fit": ("`fit` with capture, by engine: MLP, batch 32", fit.measure),
    "settings": ("What more is done on demand", settings.measure),
    "sampling": ("Sampling the ops of a batch", sampling.measure),
    "others": ("The same script under other tools", others.measure),
    "size": ("Size at rest", size.measure),
    "reading": ("Reading", reading.measure),
    "report": ("The report's page", page.measure),
    "startup": ("Starting", startup.measure),
    "conversion": ("Writing the tables", conversion.measure),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure what fittrace costs.")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="measure only this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions and smaller traces")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table into FILE, between its markers")
    given = parser.parse_args()
    sections: dict[str, str | None] = {title: None for title, _ in MEASURES.values()}
    for name in given.only or MEASURES:
        title, measure = MEASURES[name]
        load, begin = os.getloadavg()[0], time.monotonic()
        rows = measure(given.quick)
        about = f"{_circumstances(load)}{' A quick run: noisier, with smaller traces.' if given.quick else ''}"
        print(as_text(title, rows) + f"  {about}\n", flush=True)
        print(f"bench: {name} took {time.monotonic() - begin:.0f} s", file=sys.stderr)
        sections[title] = as_markdown(title, rows, about)
        if given.markdown is not None:
            # Each as it comes: what follows may fail, or be stopped.
            write_between_markers(given.markdown, sections)
    return 0


def _circumstances(load: float) -> str:
    packages = ("keras", "tensorflow", "opentelemetry-sdk", "viztracer", "pyarrow", "duckdb")
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    loads = f"{load:.1f} before and {os.getloadavg()[0]:.1f} after"
    return f"Load average {loads}, on {os.cpu_count()} cores; Python {platform.python_version()}, {versions}."


if __name__ == "__main__":
    sys.exit(main())
