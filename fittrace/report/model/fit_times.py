"""The figures of one fit that the verdict is made of, as queries on a trace."""

from __future__ import annotations

from ...tables import TraceTables
from ...tables.database import row_dicts
from ...tables.sql_literals import literal
from ...views.summary_figures import FitSummary, selecting
from .verdict import FitTimes


def fit_times(trace: TraceTables, summary: FitSummary) -> FitTimes:
    """The figures for the verdict on the fit that `summary` sums up."""
    chosen = selecting(summary.facts)
    building = row_dicts(trace.relation(_BUILDING.format(chosen=chosen)))
    fetches_inside = _fetches_inside(trace, summary)
    sampled = summary.sampled
    tells_waiting = fetches_inside and sampled is not None and sampled["batches"] > 1 and sampled["function"] > 0
    return FitTimes(
        method=summary.facts["method"],
        phases=summary.phases,
        hooks=summary.hooks,
        building_ns={row["stage"]: float(row["building_ns"]) for row in building},
        fetches_inside=fetches_inside,
        waiting=float(sampled["data_wait"] / sampled["function"]) if sampled and tells_waiting else None,
    )


def _fetches_inside(trace: TraceTables, summary: FitSummary) -> bool:
    """Whether the backend's function fetches the data itself: Keras on `tf.data`."""
    facts = summary.facts
    if facts["engine"] != "keras-3":
        return bool(facts["engine"] == "tf-keras")
    of_process = " AND ".join(f"{key} = {literal(facts[key])}" for key in ("run", "process") if key in facts)
    query = rf"SELECT 1 FROM sites WHERE {of_process} AND regexp_matches(file, 'backend.tensorflow') LIMIT 1"
    return bool(row_dicts(trace.relation(query)))


# What the function took in the first batch of each stage above the median of the others.
_BUILDING = """
    SELECT stage,
        any_value(function_ns) FILTER (nth = 1) - median(function_ns) FILTER (nth > 1) AS building_ns
    FROM (
        SELECT stage, function_ns, row_number() OVER (PARTITION BY stage ORDER BY start_ns) AS nth
        FROM batches WHERE {chosen}
    ) GROUP BY stage HAVING count(*) > 1
"""
