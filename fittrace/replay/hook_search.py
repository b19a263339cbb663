"""Finds in the tables the hooks at which a breakpoint may stop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.sql_literals import literal
from .breakpoints import LOCATION_NAMES, Breakpoint
from .recorded_flow import Ints, RecordedFlow

_COLUMNS = frozenset({"epoch", "batch", "stage", "hook", "callback", "position"})
"""The names in conditions that are columns of `spans`."""

_ONLY_OF_STEPS = frozenset({"taken", "function", "line", "depth", "phase", "logs", "logs_before", "changed"})
"""The names in conditions that the tables do not have. A condition with one of them is evaluated step by step."""

_MOST_IN_QUERY = 10_000
"""How many spans a query may list."""


def hook_spans(recording: RecordedFlow, where: Breakpoint) -> Ints | None:
    """The numbers of the spans of the hooks at which `where` may stop, in order.

    None if it may also stop at steps that call no hook.
    """
    test = where.test
    names = frozenset() if test is None else test.names
    log_keys = {name.removeprefix("logs.") for name in names - LOCATION_NAMES}
    if where.hook is None and where.callback is None and not log_keys:
        return None
    conditions = [f"fit = {recording.fit}", "callback IS NOT NULL"]
    if where.hook is not None:
        conditions.append(f"hook IN ({', '.join(map(literal, sorted(where.hooks)))})")
    if where.callback is not None:
        conditions.append(f"callback = {literal(where.callback)}")
    keys = sorted(log_keys - _COLUMNS)
    states = None
    if test is not None and keys and not names & _ONLY_OF_STEPS:
        states = _log_states(recording, keys)
        if not names & _COLUMNS:
            # Evaluated on the logs alone, the condition mostly leaves few hooks to read.
            states = states[test.holds_in(states)]
            if len(states) <= _MOST_IN_QUERY:
                conditions.append(f"parent IN ({', '.join(map(str, states['parent'].unique())) or 'NULL'})")
    columns = ", ".join(["span", "parent", *sorted(names & _COLUMNS)])
    found = recording.rows("spans", columns, " AND ".join(conditions)).to_pandas()
    if test is not None and states is not None:
        rows = found.merge(states, on="parent", how="inner")
        found = rows[test.holds_in(rows)].drop_duplicates("span")
    return np.sort(np.asarray(found["span"].to_numpy(), dtype=np.int64))


def _log_states(recording: RecordedFlow, keys: list[str]) -> pd.DataFrame:
    """The logs of each call of `CallbackList.on_*`: a column for each of `keys`, and a row for each state of the logs.

    `parent` is the number of the span of the call. The logs have one state as the call got them, and one after each
    callback that changed them.
    """
    wanted = f"fit = {recording.fit} AND key IN ({', '.join(map(literal, keys))})"
    columns = "span AS parent, position, key, value, text, removed"
    stored = recording.rows("stored.logs", columns, wanted)
    if not stored.num_rows or (stored["text"].null_count == stored.num_rows and pc.max(stored["position"]).as_py() < 0):
        return _unchanged_numbers(stored, keys)
    logs = stored.to_pandas()
    logs["value"] = logs["value"].where(logs["text"].isna(), logs["text"])
    index = ["parent", "position"]
    states = logs.pivot_table(index=index, columns="key", values="value", aggfunc="last", dropna=False)
    if (logs["position"] >= 0).any():
        # A key that a callback did not change keeps its value. One that it removed keeps the value before.
        states = states.groupby(level="parent").ffill()
    result: pd.DataFrame = states.reset_index(level="position", drop=True).reset_index()
    return result


def _unchanged_numbers(logs: pa.Table, keys: list[str]) -> pd.DataFrame:
    """`_log_states` for logs that hold only numbers and that no callback changed. It takes a tenth of the time."""
    parents, row = np.unique(logs["parent"].to_numpy(), return_inverse=True)
    columns = {"parent": parents}
    for key in keys:
        of_key = np.flatnonzero(pc.equal(logs["key"], key).to_numpy())
        columns[key] = np.full(len(parents), np.nan)
        columns[key][row[of_key]] = logs["value"].to_numpy()[of_key]
    states: pd.DataFrame = pd.DataFrame(columns)
    return states
