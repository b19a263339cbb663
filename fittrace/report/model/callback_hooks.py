"""The hooks of a fit's callbacks: how often each was called, and how long it took."""

from __future__ import annotations

from dataclasses import dataclass

from ...tables import TraceTables
from ...tables.database import row_dicts

MOST_ROWS = 5_000
"""Hooks that the page has: those of 200 callbacks with 25 hooks each."""


@dataclass(frozen=True)
class HookRow:
    """The calls of one hook of one callback. Times are nanoseconds.

    - `callback`: the class name of the callback.
    - `position`: its index in the callback list.
    - `hook`: the hook, such as `on_epoch_end`.
    - `count`: how often it was called.
    - `total`, `mean`, `p99`, `slowest`: what the calls took.
    """

    callback: str
    position: int
    hook: str
    count: int
    total: int
    mean: float
    p99: int
    slowest: int


@dataclass(frozen=True)
class CallbackHooks:
    """The hooks of all callbacks of a fit.

    - `hooks`: the names of the hooks, in the order in which they were first called.
    - `rows`: the hooks by callback, the slowest first.
    - `limit`: what is left out, in a sentence; None if nothing.
    """

    hooks: list[str]
    rows: list[HookRow]
    limit: str | None


def callback_hooks(trace: TraceTables, chosen: str) -> CallbackHooks:
    """The hooks of a fit's callbacks. `chosen` is SQL that selects the fit's rows."""
    rows = row_dicts(trace.relation(_HOOKS.format(chosen=chosen)))
    kept = rows[:MOST_ROWS]
    first_calls: dict[str, int] = {}
    for row in kept:
        first_call = row.pop("first_call")
        first_calls[row["hook"]] = min(first_call, first_calls.get(row["hook"], first_call))
    limit = None
    if len(rows) > MOST_ROWS:
        limit = f"The {MOST_ROWS:,} slowest of {len(rows):,} hooks are shown."
    return CallbackHooks(sorted(first_calls, key=first_calls.__getitem__), [HookRow(**row) for row in kept], limit)


_HOOKS = """
    SELECT callback, position, hook, count(*) AS count, sum(duration_ns)::BIGINT AS total, avg(duration_ns) AS mean,
        quantile_disc(duration_ns, 0.99) AS p99, max(duration_ns) AS slowest, min(start_ns) AS first_call
    FROM spans WHERE {chosen} AND callback IS NOT NULL
    GROUP BY callback, position, hook ORDER BY total DESC, position, hook
"""
