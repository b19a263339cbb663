"""Runs written by hand, small enough to know every number in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fittrace.schema import run_facts as schema_run
from fittrace.store.parquet.partition_writer import PartitionWriter

Tables = dict[str, dict[str, list[Any]]]
"""For each table its columns."""

START = 1_760_000_000_000_000_000


def write_run(
    directory: Path, name: str = "a1", tables: Tables | None = None, processes: int = 1, **facts: Any
) -> Path:
    """A run under `directory` whose processes all have the given rows; `facts` go into its run.json."""
    folder = directory / name
    folder.mkdir(parents=True)
    new = schema_run.new(str(folder), name, ["train.py"], "python", "0.1.0")
    schema_run.end(str(folder), new, exit_code=0, signal=None)
    schema_run.write(str(folder), new | {"start_ns": START, "end_ns": START + 5_000_000_000} | facts)
    for process in range(processes):
        with PartitionWriter(folder, name, process) as writer:
            for table, rows in (small_tables() if tables is None else tables).items():
                writer.append(table, rows)
    return folder


def small_tables() -> Tables:
    """One fit of two batches with the callbacks A and B; the second batch's hooks run on another thread."""
    fit = {"epoch": None, "batch": None}
    epoch = {"epoch": 0, "batch": None}
    first, second = {"epoch": 0, "batch": 0}, {"epoch": 0, "batch": 1}
    end = "on_train_batch_end"
    a = {"callback": "A", "position": 0, "hook": end, "name": f"A.{end}"}
    b = {"callback": "B", "position": 1, "hook": end, "name": f"B.{end}"}
    pool = {"thread": "pool-0"}
    spans = [
        fit | _span(0, None, "fit", 0, 1000, 900),
        epoch | _span(1, 0, "epoch", 50, 900, 750),
        first | _span(2, 1, "batch", 100, 400, 300),
        first | _span(3, 2, "function", 110, 200, 0),
        first | _span(4, 2, "hooks", 320, 100, 80) | {"name": f"CallbackList.{end}"},
        first | _span(5, 4, "hooks", 325, 50, 0) | a,
        first | _span(6, 4, "hooks", 380, 30, 0) | b,
        second | _span(7, 1, "batch", 550, 350, 150),
        second | _span(8, 7, "function", 560, 150, 0),
        second | _span(9, None, "hooks", 720, 500, 500) | {"name": f"CallbackList.{end}"} | pool,
        second | _span(10, 9, "hooks", 730, 300, 300) | a | pool | {"status": "error"},
        second | _span(11, 9, "hooks", 1040, 150, 150) | b | pool,
    ]
    logs = [
        _log(4, 0, -1, "loss", 1.0),
        _log(4, 0, -1, "acc", 0.5),
        _log(4, 0, -1, "note", None, text="<b>big</b>"),
        _log(4, 0, 0, "loss", 2.0),
        _log(4, 0, 0, "lr", 0.1),
        _log(4, 0, 1, "acc", None, removed=True),
        _log(9, 1, -1, "loss", float("nan")),
        _log(9, 1, -1, "acc", 0.75),
    ]
    batch = {"fit": 0, "stage": "train", "epoch": 0, "size": 32, "to_dense_ns": 0, "logs_ns": 0, "slice_ns": 0}
    batches = [
        batch | {"batch": 0, "last_batch": 0, "span": 2, "start_ns": START + 100, "duration_ns": 400}
        | {"function_ns": 200, "hooks_ns": 100, "status": "ok", "logs.loss": 2.0, "logs.acc": None},
        batch | {"batch": 1, "last_batch": 1, "span": 7, "start_ns": START + 550, "duration_ns": 350, "size": None}
        | {"function_ns": 150, "hooks_ns": 0, "status": "ok", "logs.loss": float("nan"), "logs.acc": 0.75},
    ]  # fmt: skip
    fits = [
        {"fit": 0, "method": "fit", "engine": "keras-3", "engine_version": "3.15.1", "start_ns": START}
        | {"duration_ns": 1000, "epochs": 1, "batches": 2, "status": "error", "error": "ValueError: no"}
        | {"thread": "MainThread", "span": 0}
    ]  # fmt: skip
    processes = [
        {"pid": 12, "parent_pid": 1, "host": "here", "python": "3.11.7", "executable": "python", "argv": "[]"}
        | {"start_ns": START, "end_ns": START + 2000, "ending": "closed"}
        | {"dropped_detail": 0, "dropped_batches": 0, "damaged_bytes": 0}
    ]  # fmt: skip
    notes = [{"kind": "engine", "message": "keras 9.0 is newer than all that were checked"}]
    rows = {"spans": spans, "logs": logs, "batches": batches, "fits": fits, "processes": processes, "notes": notes}
    return {table: columns(of) for table, of in rows.items()}


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; what a row leaves out is missing there."""
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}


def _span(span: int, parent: int | None, phase: str, start: int, duration: int, children: int) -> dict[str, Any]:
    times = {"start_ns": START + start, "duration_ns": duration, "children_ns": children}
    same = {"fit": 0, "stage": "train", "thread": "MainThread", "status": "ok", "site": span}
    return {"span": span, "parent": parent, "phase": phase, "name": phase} | times | same


def _log(
    span: int, batch: int, position: int, key: str, value: float | None, text: str | None = None, removed: bool = False
) -> dict[str, Any]:
    place = {"fit": 0, "stage": "train", "epoch": 0, "batch": batch, "hook": "on_train_batch_end", "span": span}
    return place | {"position": position, "key": key, "value": value, "text": text, "removed": removed}
