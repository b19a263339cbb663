"""The tables of a trace, computed by SQL from its stored tables: `hooks`, the column `self_ns`, and the rest.

The stored tables are in the SQL schema `stored`. Their columns are `run`, `process` and those of
`fittrace.schema.tables`. Every join groups the joined table by its key first. DuckDB then knows that the join keeps the
number of rows, and skips it if a query does not use its columns.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..schema.memory_keys import BLOCKS, LIMIT, PREFIX, RESIDENT


@dataclass(frozen=True)
class View:
    """One table of a trace.

    - `name`: its name.
    - `stored`: the names of the stored tables that it is derived from.
    - `sql`: the `SELECT` that derives it.
    - `order`: the names of the columns that sort its rows by time.
    """

    name: str
    stored: tuple[str, ...]
    sql: str
    order: tuple[str, ...]


def _as_stored(table: str, *order: str) -> View:
    return View(table, (table,), f"SELECT * FROM stored.{table}", ("run", *order))


_IN_TIME = ("run", "start_ns", "process", "span")

# The sum of `self_ns` over a fit's spans is the fit's duration. So a span on another thread than its fit's must have
# none. It is stored with all of its time in children.
SPANS = View(
    "spans",
    ("spans",),
    """
    SELECT * EXCLUDE (children_ns, thread, status, callback, position, hook, site, nested),
        duration_ns - children_ns AS self_ns, thread, status, callback, position, hook, site, nested
    FROM stored.spans
    """,
    _IN_TIME,
)

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
    FROM ( -- a damaged trace may have a callback without a hook
        SELECT *,
            row_number() OVER (PARTITION BY run, process, fit ORDER BY start_ns, position, span) - 1 AS seq
        FROM stored.spans WHERE callback IS NOT NULL AND hook IS NOT NULL
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

LOGS_COLUMNS = ("run", "process", "fit", "stage", "epoch", "batch", "hook", "key", "value", "text", "span")
"""The columns of the table `logs`."""

# A key of the logs counts if no later callback of the hook changed it. Few rows are callbacks' changes, so the inner
# query is small.
LOGS = View(
    "logs",
    ("logs",),
    f"""
    SELECT {", ".join(f"l.{column}" for column in LOGS_COLUMNS)}
    FROM stored.logs l
    WHERE NOT l.removed AND NOT EXISTS (
        SELECT 1 FROM stored.logs c
        WHERE c.position >= 0 AND c.position > l.position
        AND c.run = l.run AND c.process = l.process AND c.span = l.span AND c.key = l.key
    )
    """,
    ("run", "process", "span"),
)

# `Trace.run_metadata` reads the protobufs in `data`, and the clocks' readings that align its times.
SAMPLED_BATCHES = View(
    "sampled_batches",
    ("sampled_batches",),
    """
    SELECT * EXCLUDE (clock_ns, reference_ns, shift_ns, data), octet_length(data) AS data_bytes
    FROM stored.sampled_batches
    """,
    ("run", "process", "fit", "epoch", "batch"),
)

# `record/process_memory.py` reads the memory before the first callback of a hook, in the span of the callback list, and
# after each callback, in that callback's own span.
MEMORY = View(
    "memory",
    ("spans", "values"),
    f"""
    SELECT s.run, s.process, s.fit, s.stage, s.epoch, s.batch, s.hook, s.callback, s.position,
        CASE WHEN s.callback IS NULL THEN s.start_ns ELSE s.start_ns + s.duration_ns END AS time_ns,
        v.resident_bytes, v.blocks, v.limit_bytes, s.span
    FROM stored.spans s
    JOIN (
        SELECT run, process, span,
            TRY_CAST(max(value) FILTER (key = '{RESIDENT}') AS BIGINT) AS resident_bytes,
            TRY_CAST(max(value) FILTER (key = '{BLOCKS}') AS BIGINT) AS blocks,
            TRY_CAST(max(value) FILTER (key = '{LIMIT}') AS BIGINT) AS limit_bytes
        FROM stored.values WHERE starts_with(key, '{PREFIX}') AND isfinite(value) AND value >= 0 GROUP BY ALL
    ) v ON v.run = s.run AND v.process = s.process AND v.span = s.span
    """,
    ("run", "time_ns", "process", "span"),
)

MEMORY_NULLABLE = ("blocks", "limit_bytes")
"""The whole numbers of `MEMORY` that may be missing. No stored table has these columns."""

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        _as_stored("fits", "start_ns", "process", "fit"),
        SPANS,
        _as_stored("batches", "start_ns", "process", "span"),
        HOOKS,
        LOGS,
        _as_stored("samples", "process", "fit", "epoch"),
        _as_stored("stops", "process", "span"),
        MEMORY,
        SAMPLED_BATCHES,
        _as_stored("ops", "start_ns", "process", "span"),
        _as_stored("data_pipeline", "start_ns", "process", "span"),
        _as_stored("processes", "process"),
        _as_stored("sites", "process", "site"),
        _as_stored("notes", "process"),
        _as_stored("values", "process", "span"),
        _as_stored("functions", "process", "function"),
        _as_stored("nodes", "process", "function", "node"),
        _as_stored("sources", "process"),
        _as_stored("paths", "process", "path"),
        _as_stored("flow", "process", "thread", "span"),
    )
}
"""All tables of a trace, by name."""
