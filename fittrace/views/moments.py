"""The hooks and the logs at one step of a fit, from the trace's tables. `fit` is the SQL condition for the fit."""

from __future__ import annotations

from rich.table import Table

from ..analysis.units import duration
from ..replay.step import Step
from ..tables import TraceTables
from ..tables.database import row_tuples
from .replay_steps import value_text
from .terminal import table


def hooks_table(trace: TraceTables, fit: str, step: Step) -> Table | None:
    """The hooks of the batch of `step`, or of its epoch outside of batches; None where there are none."""
    query = (
        f"SELECT hook, position, callback, duration_ns, status FROM spans WHERE {_moment(fit, step)}"
        " AND callback IS NOT NULL ORDER BY start_ns, position"
    )
    rows = row_tuples(trace.relation(query))
    if not rows:
        return None
    cells = [[hook, str(position), callback, duration(ns), status] for hook, position, callback, ns, status in rows]
    return table(["hook", "position", "callback", "duration", "status"], cells, {"hook", "callback", "status"})


def logs_table(trace: TraceTables, fit: str, step: Step) -> Table | None:
    """The logs of the batch of `step`, or of its epoch outside of batches; None where there are none."""
    query = f"SELECT hook, key, value, text FROM logs WHERE {_moment(fit, step)} ORDER BY span"
    rows = row_tuples(trace.relation(query))
    if not rows:
        return None
    cells = [[hook, key, value_text(value if text is None else text)] for hook, key, value, text in rows]
    return table(["hook", "key", "value"], cells, {"hook", "key", "value"})


def _moment(fit: str, step: Step) -> str:
    """The SQL condition that selects the rows of the step's batch, or of its epoch outside of batches."""
    numbers = (("epoch", step.epoch), ("batch", step.batch))
    conditions = [f"{name} IS NULL" if number is None else f"{name} = {int(number)}" for name, number in numbers]
    # Train and test batches of an epoch have the same numbers, so a batch needs its stage. Outside of batches, all
    # stages of the epoch are shown.
    stage = [f"stage = '{step.stage}'"] if step.batch is not None and step.stage in ("train", "test", "predict") else []
    return " AND ".join([fit, *conditions, *stage])
