"""Bytes per batch at rest: a real fit with two callbacks and three log keys, by table and column."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq

from . import processes
from .table import Row

_SHOWN = 12


def measure(quick: bool) -> list[Row]:
    """The rows of this measure."""
    batches = 5_000 if quick else 20_000
    sizes = processes.answer("size", batches)
    rows = [Row("a batch at rest, 2 callbacks, 3 log keys", [sum(sizes.values()) / batches], "bytes", 100, digits=1)]
    tables = Counter[str]()
    for column, size in sizes.items():
        tables[column.split(".")[0]] += size
    rows += [Row(f"table {name}", [size / batches], "bytes", digits=1) for name, size in tables.most_common(4)]
    for column, size in sorted(sizes.items(), key=lambda item: -item[1])[:_SHOWN]:
        rows.append(Row(f"column {column}", [size / batches], "bytes", digits=1))
    return rows


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of each column of each table; `<table>.(frame)` is the rest of its files."""
    sizes: Counter[str] = Counter()
    for file in sorted(folder.rglob("*.parquet")):
        table = file.relative_to(folder).parts[0]
        metadata = pq.read_metadata(file)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        for chunk in (group.column(number) for group in groups for number in range(group.num_columns)):
            sizes[f"{table}.{chunk.path_in_schema}"] += chunk.total_compressed_size
        inside = sum(chunk for name, chunk in sizes.items() if name.split(".")[0] == table)
        sizes[f"{table}.(frame)"] += file.stat().st_size - inside
    return dict(sizes)


def _record(batches: int) -> dict[str, int]:
    import fittrace

    from . import workload

    training = workload.Training()
    model = training.network(("accuracy", "mae"))
    callbacks = [training.callback(), training.callback()]
    with tempfile.TemporaryDirectory() as out:
        with fittrace.trace(out=out, run_metadata="off") as run:
            workload.fit(model, *workload.data(1_000), callbacks, epochs=max(1, batches // 1_000))
        return _sizes(run.path)


if __name__ == "__main__":
    print(json.dumps(_record(int(sys.argv[1]))))
