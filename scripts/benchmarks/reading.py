"""Reading large traces: a million batches as a DataFrame, and a sum by phase over a hundred million spans.

The traces are made up (`tests/synthetic.py`), seven processes of a seventh each, and deleted afterwards. Each sample
is a fresh process that opens the trace, so checking the files' checksums counts; the files are in the page cache.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import processes
from .table import Row

_BY_PHASE = "SELECT phase, count(*), sum({}) FROM spans GROUP BY phase"
_COPIES = 7


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    batches, rounds = (100_000, 3) if quick else (1_000_000, 5)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        run = make_trace(Path(place), batches)
        read = [processes.answer("reading", "batches", run) for _ in range(rounds)]
        rows += _rows(f"`batches()` of {batches:,} batches", read, quick)
        spans = _multiply(run)
        for column in ("duration_ns", "self_ns"):
            sums = [processes.answer("reading", _BY_PHASE.format(column), run) for _ in range(rounds)]
            rows += _rows(f"sum of `{column}` by phase over {spans:,} spans", sums, quick)
        size = sum(file.stat().st_size for file in (run / "spans").rglob("*.parquet"))
        rows.append(Row("those spans on disk", [size / 1e6], "MB", digits=0))
        rows.append(Row("bytes per span", [size / spans], "bytes"))
    return rows


def _rows(what: str, samples: list[dict[str, float]], quick: bool) -> list[Row]:
    return [
        Row(f"{what}, from opening the trace", [one["first"] for one in samples], "s", None if quick else 1),
        Row("the same, processor time of all threads", [one["first_cpu"] for one in samples], "s"),
        Row("the same, of a trace that is open", [one["again"] for one in samples], "s"),
    ]


def make_trace(place: Path, batches: int) -> Path:
    """Make up a trace of one fit with that many batches, under `place`."""
    sys.path.insert(0, str(processes.ROOT / "tests"))
    from synthetic import Size, make

    run: Path = make(place, Size(batches, epochs=10))[0]
    return run


def _multiply(run: Path) -> int:
    """Give the run more processes, alike, and return how many spans it then has."""
    import pyarrow.parquet as pq

    for table in {file.parent.parent for file in run.rglob("*.parquet")}:
        for number in range(1, _COPIES + 1):
            shutil.copytree(table / "process=0", table / f"process={number}")
    return sum(pq.read_metadata(file).num_rows for file in (run / "spans").rglob("*.parquet"))


def _read(question: str, run: str) -> dict[str, float]:
    import fittrace.tables  # what is imported once in a program is no part of reading

    times = {}
    wall, cpu = time.perf_counter(), time.process_time()
    trace = fittrace.open(run)
    for name in ("first", "again"):
        trace.batches() if question == "batches" else trace.sql(question)
        times[name], times[name + "_cpu"] = time.perf_counter() - wall, time.process_time() - cpu
        wall, cpu = time.perf_counter(), time.process_time()
    return times


if __name__ == "__main__":
    print(json.dumps(_read(*sys.argv[1:])))
