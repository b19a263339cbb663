"""Which fits of a trace are shown in full, and the sums over all of them where these are not all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..tables import TraceTables
from ..tables.database import row_dicts
from ..tables.sql_literals import literal

Row = dict[str, Any]

MOST_FITS = 3
"""Fits that are shown in full. If there are more, a table sums up all fits."""


@dataclass(frozen=True)
class ShownFits:
    """The fits that are shown.

    - `in_full`: rows of `fits`, in the order in which they began: the `MOST_FITS` longest.
    - `all_fits`: if there are more fits than these, sums over all fits, a row for those that are alike.
    """

    in_full: list[Row]
    all_fits: list[Row]


def shown_fits(trace: TraceTables) -> ShownFits:
    """Choose the fits of `trace`. A fit that a hook calls is counted with that hook, so it is not shown itself."""
    outermost = row_dicts(trace.relation("SELECT * FROM fits WHERE parent_fit IS NULL ORDER BY start_ns, process, fit"))
    longest = sorted(outermost, key=lambda fit: -fit["duration_ns"])[:MOST_FITS]
    all_fits = row_dicts(trace.relation(_ALL_FITS)) if len(outermost) > MOST_FITS else []
    return ShownFits([fit for fit in outermost if fit in longest], all_fits)


def selecting(fit: Row) -> str:
    """SQL that selects the rows of `fit`, a row of `fits`.

    >>> selecting({"process": 0, "fit": 2, "method": "fit"})
    'process = 0 AND fit = 2'
    """
    return " AND ".join(f"{key} = {literal(fit[key])}" for key in ("run", "process", "fit") if key in fit)


# A row for each kind of fit, ordered by when its first fit began.
_ALL_FITS = """
    SELECT * EXCLUDE (start_ns) FROM (
        SELECT method, caller_file, caller_line, engine, engine_version, status, min(start_ns) AS start_ns,
            count(*) AS count, sum(epochs) AS epochs, sum(batches) AS batches, sum(duration_ns) AS total,
            median(duration_ns) AS median
        FROM fits WHERE parent_fit IS NULL GROUP BY ALL
    ) ORDER BY start_ns, method, caller_file, caller_line, engine, engine_version, status
"""
