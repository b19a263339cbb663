"""The figures of a summary, each from one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..analysis.fit_key import key_of
from ..analysis.verdict import FitFigures, Verdict, figures_of, verdict
from ..schema.batches_to_sample import OFF
from ..schema.tables import BATCH_PHASES
from ..store.tensorflow.ops import RECEIVES
from ..tables import TraceTables
from ..tables.database import row_dicts
from ..tables.sql_literals import literal
from .shown_fits import Row, selecting, shown_fits

MANY_RETRACED = 3
"""Retraced batches, without the first of each stage, from which on the summary mentions them."""

_MOST_OPS = 5
"""Ops in the summary."""


@dataclass(frozen=True)
class FitSummary:
    """The figures of one fit. Durations are in nanoseconds."""

    facts: Row
    """Its row of `fits`."""
    figures: FitFigures
    """The figures of its verdict."""
    verdict: Verdict
    """What it was bound by."""
    phases: list[Row]
    """The phases with their count, total and spread, the costliest first."""
    hooks: list[Row]
    """The hooks of its callbacks, as the phases."""
    inner: list[Row]
    """The fits that its hooks called: a row for each method and hook."""
    first_batch: Row | None
    """The first batch compared with the others. None if there are no others."""
    stop: Row | None
    """The change of `stop_training` that ended it early. None if it was not stopped."""
    sampled: Row | None
    """Sums over the sampled batches. The first batch counts only if it is alone. None if no batch was sampled."""
    ops: list[Row]
    """The slowest ops of those batches."""
    retraced: Row | None
    """How many batches were retraced. None if they are fewer than `MANY_RETRACED`."""
    memory: Row | None
    """The memory of its process as it began and ended, and the most. None if it was not read."""


@dataclass(frozen=True)
class Figures:
    """The figures of a trace. `gather` runs all queries, so that printing needs none."""

    trace: TraceTables
    fits: list[FitSummary]
    """The fits that are shown in full."""
    all_fits: list[Row]
    """If there are more fits, sums over all fits, a row for those that are alike."""
    notes: list[Row]
    """The notes of the trace, each with how often it occurs."""
    endings: list[str]
    """How its processes ended."""
    is_unsampled: bool
    """Whether a fit trained and no run was asked to sample a batch."""


def gather(trace: TraceTables) -> Figures:
    """Query the figures of `trace`."""
    shown = shown_fits(trace)
    chosen = " OR ".join(f"({selecting(fit)})" for fit in shown.in_full)
    figures = figures_of(trace, chosen) if shown.in_full else {}
    return Figures(
        trace,
        [_of_fit(trace, fit, figures[key_of(fit)]) for fit in shown.in_full],
        shown.all_fits,
        row_dicts(
            trace.relation("SELECT kind, message, count(*) AS times FROM notes GROUP BY ALL ORDER BY kind, message")
        ),
        [row["ending"] for row in row_dicts(trace.relation("SELECT DISTINCT ending FROM processes ORDER BY ending"))],
        bool(row_dicts(trace.relation(_TRAINED))[0]["trained"]) and all(_is_unsampled(run.facts) for run in trace.runs),
    )


def slowest_ops(trace: TraceTables, chosen: str, most: int) -> list[Row]:
    """The `most` slowest ops of the sampled batches that count (see `FitSummary.sampled`).

    `chosen` is SQL that selects the fit's rows.
    """
    return row_dicts(trace.relation(_OPS.format(chosen=chosen, most=most)))


def _of_fit(trace: TraceTables, fit: Row, figures: FitFigures) -> FitSummary:
    chosen = selecting(fit)
    first = row_dicts(trace.relation(_FIRST_BATCH.format(chosen=chosen)))
    phases = row_dicts(trace.relation(_PHASES.format(chosen=chosen)))
    stop = row_dicts(trace.relation(_STOP.format(chosen=chosen)))
    sampled = row_dicts(trace.relation(_SAMPLED.format(chosen=chosen)))
    retraced = row_dicts(trace.relation(_RETRACED.format(chosen=chosen)))
    memory = row_dicts(trace.relation(_MEMORY.format(chosen=chosen)))
    for row in phases:
        row["p50"], row["p99"] = row.pop("quantiles") or (None, None)
    return FitSummary(
        fit,
        figures,
        verdict(figures),
        phases,
        row_dicts(trace.relation(_HOOKS.format(chosen=chosen))),
        row_dicts(trace.relation(_INNER.format(chosen=chosen, parent=chosen.replace("fit = ", "parent_fit = ")))),
        first[0] if first and first[0]["others"] else None,
        stop[0] if stop and stop[0]["value"] != "False" else None,
        sampled[0] if sampled[0]["batches"] else None,
        slowest_ops(trace, chosen, _MOST_OPS),
        retraced[0] if retraced[0]["retraced"] >= MANY_RETRACED else None,
        memory[0] if memory[0]["readings"] > 1 else None,
    )


def _is_unsampled(facts: dict[str, Any]) -> bool:
    settings = facts.get("settings")
    return isinstance(settings, dict) and settings.get("run_metadata") == OFF


# A span inside a span of its own phase, such as a callback's call inside `CallbackList.on_*`, is not counted again.
_PHASES = """
    WITH mine AS (SELECT *, callback IS NULL AND nested IS NOT TRUE AS counted FROM spans WHERE {chosen})
    SELECT phase, stage,
        count(*) FILTER (counted) AS count,
        coalesce(sum(duration_ns) FILTER (counted), 0) AS total,
        sum(self_ns) AS self,
        avg(duration_ns) FILTER (counted) AS mean,
        quantile_disc(duration_ns, [0.5, 0.99]) FILTER (counted) AS quantiles
    FROM mine
    GROUP BY phase, stage ORDER BY self DESC, phase, stage
"""

_INNER = """
    SELECT method, s.name AS hook, count(*) AS count, sum(f.batches) AS batches, sum(f.duration_ns) AS total
    FROM (SELECT * FROM fits WHERE {parent}) f
    LEFT JOIN (SELECT span, name FROM spans WHERE {chosen}) s ON s.span = f.parent_span
    GROUP BY ALL ORDER BY total DESC, method, hook
"""

_HOOKS = """
    SELECT hook, callback, position,
        count(*) AS count, sum(duration_ns) AS total, avg(duration_ns) AS mean,
        quantile_disc(duration_ns, 0.99) AS p99, max(duration_ns) AS slowest
    FROM hooks WHERE {chosen}
    GROUP BY hook, callback, position ORDER BY total DESC, hook, position LIMIT 10
"""

# `stop_training` may change several times; only its last value counts.
_STOP = "SELECT value, epoch, batch, hook, callback FROM stops WHERE {chosen} ORDER BY span DESC LIMIT 1"

_FIRST_BATCH = """
    WITH mine AS (SELECT * FROM batches WHERE {chosen}),
    first AS (SELECT min(start_ns) AS start_ns, arg_min(stage, start_ns) AS stage FROM mine)
    SELECT any_value(stage) AS stage,
        count(*) FILTER (b.start_ns > first.start_ns) AS others,
        any_value(duration_ns) FILTER (b.start_ns = first.start_ns) AS duration_ns,
        median(duration_ns) FILTER (b.start_ns > first.start_ns) AS median_ns,
        {phases}
    FROM mine b JOIN first USING (stage)
""".replace(
    "{phases}",
    ", ".join(
        f"any_value({phase}_ns) FILTER (b.start_ns = first.start_ns)"
        f" - median({phase}_ns) FILTER (b.start_ns > first.start_ns) AS {phase}"
        for phase in BATCH_PHASES
    ),
)

_TRAINED = "SELECT EXISTS (FROM fits WHERE method = 'fit') AS trained"

# The first batch includes the building or tracing of the graph, so it is not typical of the others.
_SHOWN = """
    WITH mine AS (SELECT * FROM sampled_batches WHERE {chosen}),
    shown AS (
        SELECT * FROM mine
        WHERE (SELECT count(*) FROM mine) = 1 OR span > (SELECT min(span) FROM mine)
    )
"""

_SAMPLED = (
    _SHOWN
    + """
    SELECT count(*) AS batches, sum(ops) AS ops, (SELECT count(*) FROM mine) - count(*) AS first,
        sum(duration_ns) AS function, sum(data_wait_ns) AS data_wait, sum(host_ns) AS host, sum(device_ns) AS device
    FROM shown JOIN (SELECT span, duration_ns FROM spans WHERE {chosen} AND phase = 'function') USING (span)
"""
)

_OPS = (
    _SHOWN
    + f"""
    SELECT name, type, CASE WHEN on_device THEN device END AS device, count(*) AS count, sum(self_ns) AS self,
        avg(duration_ns) AS mean
    FROM ops WHERE {{chosen}} AND span IN (SELECT span FROM shown)
    -- A receiving op only waits for the sending op, which is in the table itself.
    AND (type NOT IN ({", ".join(literal(op) for op in sorted(RECEIVES))}) OR kernel IS NOT NULL)
    GROUP BY ALL ORDER BY self DESC, name LIMIT {{most}}
"""
)

_RETRACED = """
    SELECT count(*) FILTER (retraced) AS retraced, count(*) AS batches
    FROM (
        SELECT retraced, row_number() OVER (PARTITION BY stage ORDER BY start_ns) AS nth
        FROM batches WHERE {chosen}
    ) WHERE nth > 1
"""

_MEMORY = """
    SELECT count(*) AS readings, arg_min(resident_bytes, time_ns) AS first, arg_max(resident_bytes, time_ns) AS last,
        max(resident_bytes) AS most
    FROM memory WHERE {chosen}
"""
