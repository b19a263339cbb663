"""Marks of the timeline: batches at which something happened. The page makes those of epochs and findings itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...analysis.units import duration
from ...tables import TraceTables
from ...tables.database import row_dicts
from .batch_columns import BatchColumns

MOST_MARKS = 200
"""Marks of one kind. More would hide each other; a kind that is at every batch is no mark."""
LEAST_SAVE_NS = 1_000_000
"""A hook of a checkpoint that takes less has not written weights: it only looked whether it should."""


@dataclass(frozen=True)
class Mark:
    """Something that happened at a batch.

    - `kind`: `first`, `retraced`, `checkpoint`, `stop` or `error`.
    - `ordinal`: the batch, or the last one before it.
    - `label`: what happened.
    """

    kind: str
    ordinal: int
    label: str


def marks_of(trace: TraceTables, columns: BatchColumns, facts: Mapping[str, Any], stood: str | None) -> list[Mark]:
    """The marks of a fit, in order of batches.

    - `facts`: the fit's row of `fits`.
    - `stood`: how and where it ended, if it did not return.
    """
    if not columns.count:
        return []
    firsts = _firsts(columns)
    marks = [*firsts, *_retraced(columns, {mark.ordinal for mark in firsts})]
    marks += _checkpoints(trace, columns) + _stops(trace, columns)
    marks += _errors(columns, facts, stood)
    return sorted(marks, key=lambda mark: mark.ordinal)


def _firsts(columns: BatchColumns) -> list[Mark]:
    stages, names = columns.texts("stage")
    return [
        Mark("first", int(np.argmax(stages == number)), f"first {name} batch")
        for number, name in enumerate(names)
        if (stages == number).any()
    ]


def _retraced(columns: BatchColumns, firsts: set[int]) -> list[Mark]:
    ordinals = np.flatnonzero(columns.integers("retraced") > 0).tolist()
    return [Mark("retraced", ordinal, "retraced") for ordinal in ordinals if ordinal not in firsts][:MOST_MARKS]


def _checkpoints(trace: TraceTables, columns: BatchColumns) -> list[Mark]:
    rows = row_dicts(
        trace.relation(f"""
            SELECT callback, hook, start_ns, duration_ns FROM spans
            WHERE {columns.where} AND callback IS NOT NULL AND duration_ns >= {LEAST_SAVE_NS}
            AND (callback LIKE '%Checkpoint%' OR callback = 'BackupAndRestore')
            AND hook IN ('on_epoch_end', 'on_train_batch_end')
            ORDER BY duration_ns DESC LIMIT {MOST_MARKS}
        """)
    )
    return [
        Mark("checkpoint", ordinal, f"{row['callback']}.{row['hook']} ({duration(row['duration_ns'])})")
        for row, ordinal in zip(rows, _at(columns, rows), strict=True)
    ]


def _stops(trace: TraceTables, columns: BatchColumns) -> list[Mark]:
    rows = row_dicts(
        trace.relation(f"""
            SELECT value, callback, hook, start_ns
            FROM (SELECT * FROM stops WHERE {columns.where})
            JOIN (SELECT span, start_ns FROM spans WHERE {columns.where}) USING (span)
            ORDER BY start_ns LIMIT {MOST_MARKS}
        """)
    )
    return [
        Mark("stop", ordinal, f"stop_training = {row['value']}, {_origin(row)}")
        for row, ordinal in zip(rows, _at(columns, rows), strict=True)
    ]


def _origin(row: Mapping[str, Any]) -> str:
    return f"{row['callback']}.{row['hook']}" if row["callback"] else f"before {row['hook']}"


def _errors(columns: BatchColumns, facts: Mapping[str, Any], stood: str | None) -> list[Mark]:
    statuses, names = columns.texts("status")
    is_bad = np.isin(statuses, [number for number, name in enumerate(names) if name != "ok"])
    marks = [
        Mark("error", ordinal, names[statuses[ordinal]]) for ordinal in np.flatnonzero(is_bad)[:MOST_MARKS].tolist()
    ]
    last = columns.count - 1
    if facts["status"] == "ok" or (marks and marks[-1].ordinal == last and stood is None):
        return marks
    label = ": ".join(text for text in (stood, facts["error"]) if text) or facts["status"]
    return [mark for mark in marks if mark.ordinal != last] + [Mark("error", last, label)]


def _at(columns: BatchColumns, rows: list[dict[str, Any]]) -> list[int]:
    starts: npt.NDArray[np.int64] = np.array([row["start_ns"] for row in rows], np.int64)
    ordinals: list[int] = columns.current_or_last(columns.since_start(starts)).tolist()
    return ordinals
