"""Conversion: seconds in which the journal of a million batches becomes Parquet.

The journal is recorded from the engine's own loop with a train function that trains nothing, two callbacks and three
log keys: the records are what a real fit leaves, and come quickly.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from . import processes
from .table import Row


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    batches = 20_000 if quick else 100_000
    with tempfile.TemporaryDirectory() as folder:
        recorded = processes.answer("conversion", "record", folder, batches)
        taken = [processes.answer("conversion", "convert", folder) for _ in range(2 if quick else 3)]
    share = 1_000_000 / batches
    return [
        Row("journal to Parquet, per 1,000,000 batches", [share * one["seconds"] for one in taken], "s", digits=1),
        Row("the memory at most that this takes", [one["bytes"] / 1e6 for one in taken], "MB", digits=0),
        Row("the journal, per batch", [recorded["bytes"] / batches], "bytes", digits=0),
    ]


def _record(folder: str, batches: int) -> dict[str, float]:
    from fittrace.capture import Session
    from fittrace.schema.capture_settings import Settings

    from . import workload

    training = workload.Training()
    model = training.loop(("accuracy", "mae"))
    session = Session(folder, Settings(run_metadata="off"))
    session.start()
    workload.fit(model, *workload.data(1_000), [training.callback(), training.callback()], epochs=batches // 1_000)
    session.close()
    return {"bytes": sum(file.stat().st_size for file in Path(folder).rglob("*.journal"))}


def _convert(folder: str) -> dict[str, float]:
    import resource

    from fittrace.store.conversion import convert
    from fittrace.store.run_files import journals

    with tempfile.TemporaryDirectory() as into:
        begin = time.perf_counter()
        convert(journals(Path(folder)), "benchmark", Path(into), running=False)
        taken = time.perf_counter() - begin
    return {"seconds": taken, "bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


if __name__ == "__main__":
    if sys.argv[1] == "record":
        print(json.dumps(_record(sys.argv[2], int(sys.argv[3]))))
    else:
        print(json.dumps(_convert(sys.argv[2])))
