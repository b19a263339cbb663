"""The time of the slowest hooks at each batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...tables import TraceTables
from ...tables.database import reading
from ...tables.sql_literals import literal
from .batch_columns import BatchColumns, integers_of
from .buckets import Buckets, Series


@dataclass(frozen=True)
class HookSeries:
    """The time of one hook of one callback at each batch: in the batch, and before it.

    - `callback`, `position`, `hook`: whose hook it is.
    - `times`: the time.
    - `after_ns`: its time after the last batch.
    """

    callback: str
    position: int
    hook: str
    times: Series
    after_ns: float


def hook_series(
    trace: TraceTables, columns: BatchColumns, hooks: Sequence[Mapping[str, Any]], buckets: Buckets
) -> list[HookSeries]:
    """A series for each of `hooks`, which are rows with `callback`, `position` and `hook`."""
    if not hooks or not columns.count:
        return []
    times = _times(trace, columns, hooks)
    result = []
    for row, values in zip(hooks, times, strict=True):
        name = f"{row['callback']}.{row['hook']}"
        series = buckets.series(name, f"time in {name}, in the batch and before it", values[:-1], rounded=True)
        result.append(HookSeries(row["callback"], row["position"], row["hook"], series, float(values[-1])))
    return result


def _times(
    trace: TraceTables, columns: BatchColumns, hooks: Sequence[Mapping[str, Any]]
) -> list[npt.NDArray[np.float32]]:
    """The time of each hook by ordinal, and after the last batch."""
    chosen = ", ".join(
        f"({literal(row['callback'])}, {literal(row['position'])}, {literal(row['hook'])}, {number})"
        for number, row in enumerate(hooks)
    )
    # DuckDB numbers the hooks: to hand over millions of texts would take most of the time.
    query = f"""
        SELECT number, start_ns, duration_ns
        FROM (SELECT callback, position, hook, start_ns, duration_ns FROM spans
              WHERE {columns.where} AND callback IS NOT NULL)
        JOIN (VALUES {chosen}) chosen(callback, position, hook, number) USING (callback, position, hook)
    """
    result = [np.zeros(columns.count + 1, np.float32) for _ in hooks]
    with reading(trace.relation(query)) as pieces:
        for piece in pieces:
            numbers, starts, durations = (integers_of(piece.column(index)) for index in range(3))
            ordinals, _ = columns.current_or_next(columns.since_start(starts))
            for number, times in enumerate(result):
                # A batch may have a hook several times.
                np.add.at(times, ordinals[numbers == number], durations[numbers == number].astype(np.float32))
    return result
