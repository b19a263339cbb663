"""The figures of fits that their verdicts are made of, in a few queries for all fits of a trace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...schema.tables import OWN_STAGE
from ...tables import TraceTables
from ...tables.database import row_dicts
from ..code_line import CodeLine
from ..fit_key import FitKey, key_columns, key_of, process_columns
from ..hook_lines import HookLines, hook_lines


@dataclass(frozen=True)
class HookTime:
    """The time in one hook of one callback.

    - `callback`, `hook`: their names.
    - `self_ns`: the time on the fit's own thread.
    - `count`: how often it was called.
    - `line`: where the program defines it; None if the engine does, or if the trace does not have it.
    """

    callback: str
    hook: str
    self_ns: float
    count: int
    line: CodeLine | None = None


@dataclass(frozen=True)
class BatchTimes:
    """The batches of one stage of a fit.

    The median is that of the function, without the first batch and retraced ones; 0 if there are no others.

    - `count`: how many there are.
    - `first_ns`: what the function took in the first above the median.
    - `retraced`: how many were traced anew, without the first; `retraced_ns`: what they took above the median.
    - `retraced_epoch`, `retraced_batch`: the first of them.
    - `reopened_ns`: what the function took in the first batch of each later epoch above the median.
    - `refetched_ns`: what fetching in Python took in these above its own median.
    - `sampled`: how many were sampled, without the first; `sampled_ns`: what the function took in them;
      `waited_ns`: how long it waited for data in them.
    """

    count: int
    first_ns: float = 0.0
    retraced: int = 0
    retraced_ns: float = 0.0
    retraced_epoch: int | None = None
    retraced_batch: int | None = None
    reopened_ns: float = 0.0
    refetched_ns: float = 0.0
    sampled: int = 0
    sampled_ns: float = 0.0
    waited_ns: float = 0.0


@dataclass(frozen=True)
class FitFigures:
    """The figures of one fit. Times are nanoseconds on the fit's own thread.

    - `method`: `fit`, `evaluate` or `predict`.
    - `engine`: the engine.
    - `fetches_inside`: whether the function fetches the data itself, as on `tf.data`.
    - `phases`: by phase and stage the time in it, without the phases inside it and without callbacks.
    - `hooks`: the hooks of callbacks, in no order.
    - `batches`: the batches by stage.
    - `epochs`: how many epochs began.
    - `first_made_ns`: by stage, what making batches took in the first epoch.
    """

    method: str
    engine: str = ""
    fetches_inside: bool = False
    epochs: int = 0
    phases: Mapping[tuple[str, str], float] = field(default_factory=dict)
    hooks: list[HookTime] = field(default_factory=list)
    batches: Mapping[str, BatchTimes] = field(default_factory=dict)
    first_made_ns: Mapping[str, float] = field(default_factory=dict)

    @property
    def own_stage(self) -> str:
        """The stage of the method itself. A validation has another."""
        # The trace may come from a stranger, and have a method that is none.
        return OWN_STAGE.get(self.method, "train")

    def batches_of(self, stage: str) -> BatchTimes:
        """The batches of a stage, which may have none."""
        return self.batches.get(stage, BatchTimes(0))


def figures_of(trace: TraceTables, which: str = "true") -> dict[FitKey, FitFigures]:
    """The figures of the fits of `trace`. `which` is SQL that selects fits by `run`, `process` and `fit`."""
    keys = key_columns(trace)

    def asked(query: str) -> dict[FitKey, list[dict[str, Any]]]:
        rows: dict[FitKey, list[dict[str, Any]]] = defaultdict(list)
        for row in row_dicts(trace.relation(query.format(keys=keys, which=which))):
            rows[key_of(row)].append(row)
        return rows

    spans, batches, made = asked(_SPANS), asked(_BATCHES), asked(_FIRST_MADE)
    lines = hook_lines(trace, which)
    on_tensorflow = {
        (row.get("run"), row["process"])
        for row in row_dicts(trace.relation(_ON_TENSORFLOW.format(keys=process_columns(trace))))
    }
    return {
        key: FitFigures(
            fit["method"],
            fit["engine"],
            fit["engine"] == "tf-keras" or (fit["engine"] == "keras-3" and key[:2] in on_tensorflow),
            fit["epochs"],
            {(row["phase"], row["stage"]): _own(row) for row in spans[key] if row["callback"] is None},
            [_hook_time(row, lines.get(key, {})) for row in spans[key] if row["callback"] is not None],
            {row["stage"]: _batch_times(row) for row in batches[key]},
            {row["stage"]: _own(row) for row in made[key]},
        )
        for key, (fit,) in asked(_FITS).items()
    }


def _own(row: Mapping[str, Any]) -> float:
    # Spans of other threads overlap with the fit's, and have no time of their own here.
    return max(float(row["self_ns"] or 0), 0.0)


def _hook_time(row: Mapping[str, Any], lines: HookLines) -> HookTime:
    names = row["callback"], row["hook"] or ""
    return HookTime(*names, _own(row), row["count"], lines.get(names))


def _batch_times(row: Mapping[str, Any]) -> BatchTimes:
    times = {name: row[name] for name in BatchTimes.__dataclass_fields__}
    sums = {name: max(float(value or 0), 0.0) for name, value in times.items() if name.endswith("_ns")}
    return BatchTimes(**{**times, **sums})


# A damaged trace may have a fit twice.
_FITS = """
    SELECT {keys}, any_value(method) AS method, any_value(engine) AS engine, max(epochs) AS epochs
    FROM fits WHERE ({which}) GROUP BY {keys}
"""

# Callbacks' hooks are summed up over the stages. In order, so that sums of floats are the same each time.
_SPANS = """
    SELECT {keys}, phase, stage, callback, hook,
        sum(self_ns) AS self_ns, count(*) AS count
    FROM (
        SELECT * REPLACE (
            CASE WHEN callback IS NULL THEN stage END AS stage,
            CASE WHEN callback IS NOT NULL THEN hook END AS hook
        ) FROM spans WHERE ({which})
    )
    GROUP BY ALL ORDER BY ALL
"""

# Outside of epochs, as in `evaluate` alone, all of it is the first.
_FIRST_MADE = """
    SELECT {keys}, stage, sum(self_ns) AS self_ns
    FROM (
        SELECT *, min(epoch) OVER (PARTITION BY {keys}, stage) AS first_epoch
        FROM spans WHERE ({which}) AND phase = 'make_batches'
    ) WHERE epoch IS NULL OR epoch = first_epoch GROUP BY {keys}, stage
"""

_BATCHES = """
    WITH numbered AS (
        SELECT {keys}, stage, epoch, batch, start_ns, function_ns, slice_ns, data_wait_ns,
            row_number() OVER (PARTITION BY {keys}, stage ORDER BY start_ns) AS nth,
            row_number() OVER (PARTITION BY {keys}, stage, epoch ORDER BY start_ns) AS nth_of_epoch,
            coalesce(retraced, false) AND nth > 1 AS anew
        FROM batches WHERE ({which})
    ), typical AS (
        SELECT {keys}, stage,
            -- If every batch is traced anew, none tells what computing takes: all of it counts to the tracing.
            coalesce(
                median(function_ns) FILTER (nth > 1 AND NOT anew), CASE WHEN bool_or(anew) THEN 0 END
            ) AS function_ns,
            median(slice_ns) FILTER (nth > 1) AS slice_ns
        FROM numbered GROUP BY {keys}, stage
    )
    SELECT {keys}, stage, count(*) AS count,
        any_value(b.function_ns - t.function_ns) FILTER (nth = 1) AS first_ns,
        count(*) FILTER (anew) AS retraced,
        sum(greatest(b.function_ns - t.function_ns, 0)) FILTER (anew) AS retraced_ns,
        arg_min(epoch, start_ns) FILTER (anew) AS retraced_epoch,
        arg_min(batch, start_ns) FILTER (anew) AS retraced_batch,
        sum(greatest(b.function_ns - t.function_ns, 0)) FILTER (reopened) AS reopened_ns,
        sum(greatest(b.slice_ns - t.slice_ns, 0)) FILTER (reopened) AS refetched_ns,
        count(data_wait_ns) FILTER (nth > 1) AS sampled,
        sum(b.function_ns) FILTER (nth > 1 AND data_wait_ns IS NOT NULL) AS sampled_ns,
        sum(data_wait_ns) FILTER (nth > 1) AS waited_ns
    FROM (SELECT *, nth > 1 AND nth_of_epoch = 1 AND NOT anew AS reopened FROM numbered) b
    JOIN typical t USING ({keys}, stage)
    GROUP BY {keys}, stage
"""

_ON_TENSORFLOW = r"SELECT DISTINCT {keys} FROM sites WHERE regexp_matches(file, 'backend.tensorflow')"
