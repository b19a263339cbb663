"""The numbers in the logs: at the end of each batch, and at the end of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...tables import TraceTables
from ...tables.database import read
from ...tables.hook_logs import final
from .batch_columns import BatchColumns, Ints, integers_of
from .buckets import Buckets, Floats32, Series

MOST_LOG_SERIES = 16
"""Keys of the batches' logs: each costs as much of the page as a phase, and a reader compares few at a time."""
MOST_EPOCH_KEYS = 32
"""Keys of the epochs' logs: `loss` and metrics, and `val_` of each."""
MOST_EPOCHS = 4_096
"""Epochs that have their logs in the page, evenly spread: more would stand less than a pixel apart."""
MOST_NOT_FINITE = 100
"""Stretches of batches with NaN or infinity that a key has: the first ones tell where it began."""

_NO_METRICS = frozenset(["batch", "size"])
"""Keys that older engines put into the logs of batches beside the metrics."""


@dataclass(frozen=True)
class NotFinite:
    """Batches one after the other with NaN or infinity.

    - `first`, `until`: the first and the last ordinal.
    - `value`: the first one's value.
    """

    first: int
    until: int
    value: float


@dataclass(frozen=True)
class LogSeries:
    """A key of the logs at each batch's end.

    - `key`: the key; `val_` and the key for batches of the validation.
    - `stage`: the stage of its batches.
    - `values`: the finite values.
    - `not_finite`: the others.
    """

    key: str
    stage: str
    values: Series
    not_finite: list[NotFinite]


@dataclass(frozen=True)
class EpochLogs:
    """The logs at the ends of epochs, a row for each epoch. See `EpochLogs` in `page/document.d.ts`."""

    epoch: list[int]
    ordinal: list[int]
    keys: list[str]
    values: list[Floats32]


@dataclass(frozen=True)
class Logs:
    """The logs of a fit.

    - `series`: keys by batch.
    - `epochs`: keys by epoch.
    - `limits`: what the page leaves out, in sentences.
    """

    series: list[LogSeries]
    epochs: EpochLogs
    limits: list[str]


def logs_of(trace: TraceTables, columns: BatchColumns, own_stage: str, buckets: Buckets) -> Logs:
    """The logs of a fit, whose own batches have the stage `own_stage`."""
    keys = _in_order(columns.log_keys())
    series, left_out = _series(columns, keys, own_stage, buckets)
    epochs, limits = _epoch_logs(trace, columns)
    if left_out:
        limits.insert(0, f"Of the keys in the logs of batches, {MOST_LOG_SERIES} are shown; {left_out:,} are not.")
    return Logs(series, epochs, limits)


def _in_order(keys: Sequence[str]) -> list[str]:
    """The keys in the order in which the page shows them: the loss, other losses, metrics, and what is neither."""
    return sorted(keys, key=lambda key: (key in _NO_METRICS, key != "loss", not key.endswith("loss")))


def _series(
    columns: BatchColumns, keys: Sequence[str], own_stage: str, buckets: Buckets
) -> tuple[list[LogSeries], int]:
    """The series of the keys, and how many the page leaves out."""
    stages, stage_names = columns.texts("stage")
    result: list[LogSeries] = []
    left_out = 0
    for index, key in enumerate(keys):
        if len(result) >= MOST_LOG_SERIES:
            left_out += len(keys) - index
            break
        values, has_value = columns.numbers(f"logs.{key}")
        for number, stage in enumerate(stage_names):
            is_here = has_value & (stages == number)
            if not is_here.any():
                continue
            if len(result) >= MOST_LOG_SERIES:
                left_out += 1
                continue
            name = key if stage == own_stage else f"val_{key}" if stage == "test" else f"{stage}_{key}"
            is_finite = is_here & np.isfinite(values)
            series = buckets.series(name, f"{key} at the end of {stage} batches", np.where(is_finite, values, np.nan))
            result.append(LogSeries(name, stage, series, _not_finite(values, is_here)))
    return result, left_out


def _not_finite(values: npt.NDArray[np.float64], is_here: npt.NDArray[np.bool_]) -> list[NotFinite]:
    """The stretches of batches whose value is no finite number. Batches without a value do not end one."""
    ordinals = np.flatnonzero(is_here)
    bad = ~np.isfinite(values[ordinals])
    edges = np.diff(np.r_[False, bad, False].astype(np.int8))
    firsts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [
        NotFinite(int(ordinals[first]), int(ordinals[end - 1]), float(values[ordinals[first]]))
        for first, end in list(zip(firsts, ends, strict=True))[:MOST_NOT_FINITE]
    ]


def _epoch_logs(trace: TraceTables, columns: BatchColumns) -> tuple[EpochLogs, list[str]]:
    limits: list[str] = []
    rows = final(trace.stored_logs(f"{columns.where} AND hook = 'on_epoch_end'"))
    rows = rows.filter(pa.compute.is_valid(rows["value"]))
    if not rows.num_rows:
        return EpochLogs([], [], [], []), limits
    spans, row_of = np.unique(integers_of(rows["span"]), return_inverse=True)
    epoch_of = np.zeros(len(spans), np.int64)
    epoch_of[row_of] = integers_of(rows["epoch"])
    kept = np.unique(np.linspace(0, len(spans) - 1, min(len(spans), MOST_EPOCHS)).round().astype(np.int64))
    if len(kept) < len(spans):
        limits.append(f"Of the logs at the ends of {len(spans):,} epochs, {len(kept):,} are shown, evenly spread.")
    texts = rows["key"].cast(pa.string()).to_pylist()
    keys = _in_order(list(dict.fromkeys(texts)))
    if len(keys) > MOST_EPOCH_KEYS:
        limits.append(
            f"Of the {len(keys):,} keys in the logs at the ends of epochs, the first {MOST_EPOCH_KEYS} are shown."
        )
        keys = keys[:MOST_EPOCH_KEYS]
    numbers = {key: number for number, key in enumerate(keys)}
    key_of = np.array([numbers.get(text, -1) for text in texts])
    values = np.full((len(keys), len(spans)), np.nan, np.float32)
    shown = key_of >= 0
    with np.errstate(over="ignore"):
        values[key_of[shown], row_of[shown]] = rows["value"].to_numpy()[shown]
    ordinals = columns.current_or_last(_starts(trace, columns, spans))
    epochs = EpochLogs(epoch_of[kept].tolist(), ordinals[kept].tolist(), keys, list(values[:, kept]))
    return epochs, limits


def _starts(trace: TraceTables, columns: BatchColumns, spans: Ints) -> npt.NDArray[np.float64]:
    """When each of the spans of `CallbackList.on_epoch_end` began; 0 for one that the trace does not have."""
    query = f"SELECT span, start_ns FROM spans WHERE {columns.where} AND hook = 'on_epoch_end' AND callback IS NULL"
    rows: Any = read(trace.relation(query))
    starts = dict(zip(rows["span"].to_pylist(), columns.since_start(integers_of(rows["start_ns"])), strict=True))
    return np.array([starts.get(span, 0.0) for span in spans.tolist()])
