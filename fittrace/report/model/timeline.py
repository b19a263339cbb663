"""The timeline: the time and the logs of all batches of a fit, and what happened at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...schema.tables import PHASES
from ...tables import TraceTables
from ...views.summary_figures import FitSummary
from .batch_columns import BatchColumns, Floats
from .batch_details import BatchDetails, batch_details
from .batch_runs import BatchRun, batch_runs
from .buckets import Buckets, Series
from .hook_series import HookSeries, hook_series
from .interesting import interesting_batches
from .log_series import EpochLogs, LogSeries, logs_of
from .marks import Mark, marks_of

OWN_STAGES = {"fit": "train", "evaluate": "test", "predict": "predict"}
"""The stage of each method's own batches."""


@dataclass(frozen=True)
class Timeline:
    """Values of all batches. See `Timeline` in `page/document.d.ts`."""

    batches: int
    every: int
    windows: list[tuple[int, int]]
    phases: list[Series]
    total: Series
    after_ns: float
    logs: list[LogSeries]
    hooks: list[HookSeries]
    starts: Floats
    window_starts: Floats
    runs: list[BatchRun]
    epochs: EpochLogs
    marks: list[Mark]
    limits: list[str]


def batch_sections(
    trace: TraceTables, summary: FitSummary, stood: str | None, wanted: Sequence[int] = ()
) -> tuple[Timeline, BatchDetails]:
    """The timeline and the single batches of the fit that `summary` sums up.

    - `stood`: how and where it ended, if it did not return.
    - `wanted`: batches that findings are about. A long fit shows them one by one.
    """
    columns = BatchColumns(trace, summary.facts)
    times = columns.times()
    runs = batch_runs(columns)
    marks = marks_of(trace, columns, summary.facts, stood)
    interesting = interesting_batches(times, runs, marks, wanted)
    timeline = _timeline(trace, columns, summary, times, runs, marks, Buckets.of(columns.count, interesting))
    return timeline, batch_details(trace, columns, interesting)


def _timeline(
    trace: TraceTables,
    columns: BatchColumns,
    summary: FitSummary,
    times: Mapping[str, Floats],
    runs: list[BatchRun],
    marks: list[Mark],
    buckets: Buckets,
) -> Timeline:
    facts = summary.facts
    total = sum(times.values(), np.zeros(columns.count))
    phases = [
        buckets.series(phase, _title(phase), values, rounded=True) for phase, values in times.items() if values.any()
    ]
    logs = logs_of(trace, columns, OWN_STAGES.get(facts["method"], ""), buckets)
    return Timeline(
        batches=columns.count,
        every=buckets.every,
        windows=buckets.windows,
        phases=phases,
        total=buckets.series("total", "time of the batch, and before it", total, rounded=True),
        after_ns=max(float(facts["duration_ns"]) - columns.ends.max(initial=0), 0.0),
        logs=logs.series,
        hooks=hook_series(trace, columns, summary.hooks, buckets),
        starts=buckets.firsts(columns.starts),
        window_starts=buckets.in_windows(columns.starts),
        runs=runs,
        epochs=logs.epochs,
        marks=marks,
        limits=_limits(buckets) + logs.limits,
    )


def _title(phase: str) -> str:
    titles = {
        "between": "the time since the batch before, or since the start of the fit",
        "other": "the rest of the batch",
    }
    return titles.get(phase) or PHASES[phase].replace("`", "")


def _limits(buckets: Buckets) -> list[str]:
    if buckets.every == 1:
        return []
    shown = sum(last - first + 1 for first, last in buckets.windows)
    return [
        f"The timeline sums up {buckets.batches:,} batches in groups of {buckets.every:,}: their mean, a shade up to "
        "the slowest, and a thin line at the fastest. "
        f"{shown:,} batches are shown one by one: the first and last ones, the slowest, and those around findings."
    ]
