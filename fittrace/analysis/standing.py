"""Where the fits of a run are that goes on, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..tables import TraceTables
from ..tables.database import row_dicts
from ..tables.sql_literals import literal


@dataclass(frozen=True)
class Standing:
    """A fit that goes on.

    - `process`: its row of `processes`.
    - `fit`: its row of `fits`; its columns `at_*` say what it is in.
    - `since_ns`: when that began, in Unix nanoseconds.
    - `median_ns`: how long the same took before, in nanoseconds; None if it is the first time.
    - `batch_ended_ns`: when the last batch ended, in Unix nanoseconds; None if none has.
    - `batches`: how many have ended.
    """

    process: Mapping[str, Any]
    fit: Mapping[str, Any]
    since_ns: int
    median_ns: float | None
    batch_ended_ns: int | None
    batches: int


def standing(trace: TraceTables) -> list[Standing]:
    """The fits of a run that go on, the outermost of each process first. A process that is in no fit has none."""
    running = {row["process"]: row for row in row_dicts(trace.relation(_RUNNING))}
    found = []
    for fit in row_dicts(trace.relation(_UNFINISHED)):
        if fit["process"] in running and fit["at_span"] is not None:
            (row,) = row_dicts(trace.relation(_AT.format(**{name: literal(fit[name]) for name in _KEYS})))
            ended = row["batch_ended_ns"]
            since = fit["start_ns"] if row["since_ns"] is None else row["since_ns"]
            found.append(Standing(running[fit["process"]], fit, since, row["median_ns"], ended, row["batches"]))
    return found


_KEYS = ("process", "fit", "at_span")
_RUNNING = "SELECT * FROM processes WHERE ending = 'running' ORDER BY process"
_UNFINISHED = "SELECT * FROM fits WHERE status = 'unfinished' ORDER BY process, fit"

# What is open has no end, and does not count. A span is like another if it is the same phase of the same stage, and the
# same hook of the same callback.
_AT = """
    WITH here AS (SELECT * FROM spans WHERE process = {process} AND span = {at_span} LIMIT 1)
    SELECT
        (SELECT start_ns FROM here) AS since_ns,
        (
            SELECT median(s.duration_ns) FROM spans s, here
            WHERE s.process = {process} AND s.fit = {fit} AND s.status <> 'unfinished' AND s.phase = here.phase
            AND s.stage = here.stage AND s.hook IS NOT DISTINCT FROM here.hook
            AND s.callback IS NOT DISTINCT FROM here.callback
        ) AS median_ns,
        count(*) AS batches, max(start_ns + duration_ns) AS batch_ended_ns
    FROM batches WHERE process = {process} AND fit = {fit} AND status <> 'unfinished'
"""
