"""The report's page: its size, and how long it takes to make and to open.

One page is of a reference trace, one of a million made-up batches (`tests/synthetic.py`) without control flow. Each
sample is a fresh process that makes the page. A browser with a fresh profile then opens it from disk.
"""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from . import processes
from .reading import make_trace
from .table import Row

_REFERENCE = processes.ROOT / "traces" / "reference-keras-3"


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    batches, rounds = (100_000, 2) if quick else (1_000_000, 3)
    with tempfile.TemporaryDirectory() as place:
        long = make_trace(Path(place), batches)
        rows = _rows("the digits run", _REFERENCE, Path(place), rounds, 1)
        return rows + _rows(f"{batches:,} batches", long, Path(place), rounds, None if quick else 4, not quick)


def _rows(
    what: str, trace: Path, place: Path, rounds: int, most_mb: float | None, has_goals: bool = False
) -> list[Row]:
    """The rows of one trace. `most_mb`: the goal for the size. `has_goals`: whether the times have goals."""
    page = place / "page.html"
    made = [processes.answer("page", trace, page) for _ in range(rounds)]
    rows = [
        Row(f"page of {what}", [page.stat().st_size / 1e6], "MB", most_mb),
        Row("making it, from opening the trace", [sample["s"] for sample in made], "s", 20 if has_goals else None),
        Row("memory of that process, at most", [sample["mb"] for sample in made], "MB", digits=0),
    ]
    chromium = shutil.which("chromium")
    if chromium is None:
        return rows
    opened = [_open(chromium, page) for _ in range(rounds)]
    return [*rows, Row("opening it in Chromium, until it is ready", opened, "s", 2 if has_goals else None)]


def _open(chromium: str, page: Path) -> float:
    """Seconds from asking a running browser for the page until it is ready."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        begin = time.perf_counter()
        opened.goto(page.resolve().as_uri())
        opened.wait_for_selector("[data-ready]")
        seconds = time.perf_counter() - begin
        browser.close()
    return seconds


def _make(trace: str, output: str) -> dict[str, Any]:
    import fittrace.open_trace  # what is imported once in a program is no part of making a page
    import fittrace.report

    begin = time.perf_counter()
    html = fittrace.report.page(fittrace.report.document(fittrace.open_trace.Trace.open(trace)))
    Path(output).write_text(html, "utf-8")
    seconds = time.perf_counter() - begin
    return {"s": seconds, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}


if __name__ == "__main__":
    print(json.dumps(_make(*sys.argv[1:])))
