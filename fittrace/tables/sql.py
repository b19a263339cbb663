"""The tables that a trace shows, as SQL over the tables that it stores.

A stored table lies in the schema `stored`, with the columns of `fittrace.schema.tables` after `run` and `process`.
Every join here groups the joined table by its key first: the database then knows that it cannot change the number of
rows, and skips it where a query does not use its columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..schema import tables as stored


@dataclass(frozen=True)
class View:
    """One table of a trace: its `name`, the `stored` tables it is made from, the `sql` that makes it, and the columns
    in whose `order` its rows have happened."""

    name: str
    stored: tuple[str, ...]
    sql: str
    order: tuple[str, ...]


def _as_stored(table: stored.Table, *order: str) -> View:
    return View(table.name, (table.name,), f"SELECT * FROM stored.{table.name}", ("run", *order))


_IN_TIME = ("run", "start_ns", "process", "span")

# A span on another thread runs beside its fit: it takes none of the fit's time, so that the sum of `self_ns` over a
# fit's spans is the fit's duration. Where the file of the fits is gone, that is not known.
_SPANS = """
    SELECT s.* EXCLUDE (children_ns, thread, status, callback, position, hook, site),
        CASE WHEN s.thread = {thread} THEN s.duration_ns - s.children_ns
            WHEN {thread} IS NOT NULL THEN 0 END AS self_ns,
        s.thread, s.status, s.callback, s.position, s.hook, s.site
    FROM stored.spans s
"""

SPANS = View(
    "spans",
    ("spans", "fits"),
    _SPANS.format(thread="f.thread")
    + """
    LEFT JOIN (
        SELECT run, process, fit, any_value(thread) AS thread FROM stored.fits GROUP BY run, process, fit
    ) f ON f.run = s.run AND f.process = s.process AND f.fit = s.fit
    """,
    _IN_TIME,
)


def spans_of_fits_on(thread: str) -> str:
    """The SQL of `SPANS` where all fits ran on one `thread`, as they mostly do: half the work without the join."""
    return _SPANS.format(thread="'" + thread.replace("'", "''") + "'")


# `states` holds, for every `CallbackList.on_*` span, what its logs were after each position at which they changed.
HOOKS = View(
    "hooks",
    ("spans", "logs"),
    """
    SELECT s.run, s.process, s.fit, s.seq, s.stage, s.epoch, s.batch, s.callback, s.position, s.hook,
        s.start_ns, s.duration_ns, s.thread,
        coalesce(list_last(list_filter(c.states, lambda x: x.position < s.position)).logs, MAP {}) AS logs_before,
        coalesce(list_last(list_filter(c.states, lambda x: x.position <= s.position)).logs, MAP {}) AS logs_after,
        coalesce(list_last(list_filter(c.states, lambda x: x.position = s.position)).changed, []) AS changed,
        s.status, s.span, s.parent
    FROM (
        SELECT *,
            row_number() OVER (PARTITION BY run, process, fit ORDER BY start_ns, position, span) - 1 AS seq
        FROM stored.spans WHERE callback IS NOT NULL
    ) s
    LEFT JOIN (
        SELECT run, process, span, list({position: position, logs: logs, changed: changed} ORDER BY position) AS states
        FROM (
            SELECT run, process, span, position,
                map_from_entries(list({k: key, v: last.value} ORDER BY key) FILTER (NOT last.removed)) AS logs,
                list(key ORDER BY key) FILTER (last.position = position) AS changed
            FROM (
                SELECT p.run, p.process, p.span, p.position, l.key,
                    arg_max({position: l.position, value: l.value, removed: l.removed}, l.position) AS last
                FROM (SELECT DISTINCT run, process, span, position FROM stored.logs) p
                JOIN stored.logs l
                ON l.run = p.run AND l.process = p.process AND l.span = p.span AND l.position <= p.position
                GROUP BY ALL
            ) GROUP BY ALL
        ) GROUP BY run, process, span
    ) c ON c.run = s.run AND c.process = s.process AND c.span = s.parent
    """,
    ("run", "start_ns", "process", "position", "span"),
)

# What no later callback changed again. Changes are few beside what the engines give, so the inner side is small.
LOGS = View(
    "logs",
    ("logs",),
    """
    SELECT l.run, l.process, l.fit, l.stage, l.epoch, l.batch, l.hook, l.key, l.value, l.text, l.span
    FROM stored.logs l
    WHERE NOT l.removed AND NOT EXISTS (
        SELECT 1 FROM stored.logs c
        WHERE c.position >= 0 AND c.position > l.position
        AND c.run = l.run AND c.process = l.process AND c.span = l.span AND c.key = l.key
    )
    """,
    ("run", "process", "span"),
)

# What TensorFlow told is for `Trace.run_metadata` to read, with what sets its clock right.
SAMPLES = View(
    "samples",
    ("samples",),
    "SELECT * EXCLUDE (clock_ns, reference_ns, shift_ns, data), octet_length(data) AS data_bytes FROM stored.samples",
    ("run", "process", "fit", "epoch", "batch"),
)

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        _as_stored(stored.FITS, "start_ns", "process", "fit"),
        SPANS,
        _as_stored(stored.BATCHES, "start_ns", "process", "span"),
        HOOKS,
        LOGS,
        SAMPLES,
        _as_stored(stored.OPS, "start_ns", "process", "span"),
        _as_stored(stored.DATA_PIPELINE, "start_ns", "process", "span"),
        _as_stored(stored.PROCESSES, "process"),
        _as_stored(stored.SITES, "process", "site"),
        _as_stored(stored.NOTES, "process"),
    )
}
"""All tables of a trace, by name."""
