"""Finding the step where a breakpoint stops, without visiting all steps between.

What a breakpoint says of the place in the source is asked of the kinds of turns, of which there are few; what it says
of hooks and logs is asked of the tables. What is left is looked at step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..tables.sql_literals import literal
from .breakpoints import PLACE, Breakpoint
from .recorded_flow import Ints
from .turn_conditions import Windows
from .walk import Visit

if TYPE_CHECKING:
    from .cursor import Replay


def find(replay: Replay, where: Breakpoint, backwards: bool, spans: Ints | None) -> int | None:
    """The index of the nearest step after the current one, or before it, at which `where` stops; None without one.

    `spans` are those of `hooks`.
    """
    candidates = _of_visits(replay, where, backwards) if spans is None else _of_spans(replay, spans, backwards)
    for index in candidates:
        if where.matches(replay[index], enters=_enters(replay, index), opens=_opens(replay, index)):
            return index
    return None


_COLUMNS = frozenset({"epoch", "batch", "stage", "hook", "callback", "position"})
"""What the tables tell of a hook under the names that conditions use."""

_OF_A_STEP = frozenset({"taken", "function", "line", "depth", "phase", "logs", "logs_before", "changed"})
"""What only a step tells: conditions that name such are asked of steps alone."""


def _of_visits(replay: Replay, where: Breakpoint, backwards: bool) -> Iterator[int]:
    """The steps whose place in the source is the breakpoint's, the nearest first."""
    graphs = replay.recording.program.graphs

    def matches(visit: Visit, index: int) -> bool:
        if where.phase is not None and visit.phase != where.phase:
            return False
        if visit.function is None or visit.node is None:
            return where.line is None and where.function is None
        graph = graphs[visit.function]
        node = graph.nodes[visit.node]
        is_there = where.is_in(graph.name) and where.is_on(graph.file, node.line, node.end_line)
        return is_there and (where.function is None or _enters(replay, index))

    if where.test is not None:
        yield from Windows(replay, where.test, replay.matching(matches)).candidates(backwards)
        return
    search = replay.searching(matches)
    index = search(replay.position, backwards)
    while index is not None:
        yield index
        index = search(index, backwards)


def _of_spans(replay: Replay, spans: Ints, backwards: bool) -> Iterator[int]:
    """The steps that open these spans, the nearest first."""
    # Spans are numbered in the order in which steps open them.
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        index = replay.first_in(int(spans[middle]))
        before = index is not None and (index < replay.position if backwards else index <= replay.position)
        low, high = (middle + 1, high) if before else (low, middle)
    for span in spans[:low][::-1] if backwards else spans[low:]:
        index = replay.first_in(int(span))
        if index is not None:
            yield index


def hooks(replay: Replay, where: Breakpoint) -> Ints | None:
    """The spans of the hooks at which `where` may stop, in order; None where it may stop elsewhere too."""
    names = frozenset() if where.test is None else where.test.names
    of_logs = {name.removeprefix("logs.") for name in names - PLACE}
    if where.hook is None and where.callback is None and not of_logs:
        return None
    conditions = [f"fit = {replay.recording.fit}", "callback IS NOT NULL"]
    if where.hook is not None:
        conditions.append(f"hook IN ({', '.join(map(literal, sorted(where.hooks)))})")
    if where.callback is not None:
        conditions.append(f"callback = {literal(where.callback)}")
    keys = sorted(of_logs - _COLUMNS)
    states = None
    if where.test is not None and keys and not names & _OF_A_STEP:
        states = _states(replay, keys)
        if not names & _COLUMNS:
            # The logs alone decide, and mostly leave few.
            states = states[where.test.over(states)]
            if len(states) <= _FEW:
                conditions.append(f"parent IN ({', '.join(map(str, states['parent'].unique())) or 'NULL'})")
    columns = ", ".join(["span", "parent", *sorted(names & _COLUMNS)])
    found = replay.recording.rows("spans", columns, " AND ".join(conditions)).to_pandas()
    if where.test is not None and states is not None:
        rows = found.merge(states, on="parent", how="inner")
        found = rows[where.test.over(rows)].drop_duplicates("span")
    return np.sort(np.asarray(found["span"].to_numpy(), dtype=np.int64))


_FEW = 10_000
"""Spans that a query can name."""


def _states(replay: Replay, keys: list[str]) -> Any:
    """By the span (`parent`) of each `CallbackList.on_*`: the values of some keys of its logs, a row for each state."""
    wanted = f"fit = {replay.recording.fit} AND key IN ({', '.join(map(literal, keys))})"
    columns = "span AS parent, position, key, value, text, removed"
    stored = replay.recording.rows("stored.logs", columns, wanted)
    if not stored.num_rows or (stored["text"].null_count == stored.num_rows and pc.max(stored["position"]).as_py() < 0):
        return _as_given(stored, keys)
    logs = stored.to_pandas()
    logs["value"] = logs["value"].where(logs["text"].isna(), logs["text"])
    index = ["parent", "position"]
    states = logs.pivot_table(index=index, columns="key", values="value", aggfunc="last", dropna=False)
    if (logs["position"] >= 0).any():
        # A key that a callback left alone is as it was; what it removed is as it was before.
        states = states.groupby(level="parent").ffill()
    return states.reset_index(level="position", drop=True).reset_index()


def _as_given(logs: pa.Table, keys: list[str]) -> pd.DataFrame:
    """The same where all values are numbers and no callback changed any, which takes a tenth of the time."""
    parents, row = np.unique(logs["parent"].to_numpy(), return_inverse=True)
    columns = {"parent": parents}
    for key in keys:
        mine = np.flatnonzero(pc.equal(logs["key"], key).to_numpy())
        columns[key] = np.full(len(parents), np.nan)
        columns[key][row[mine]] = logs["value"].to_numpy()[mine]
    states: pd.DataFrame = pd.DataFrame(columns)
    return states


def _enters(replay: Replay, index: int) -> bool:
    """Whether a step is the first of its call."""
    visit = replay.visit(index)[2]
    before = replay.before(index, visit.depth)
    if before is None:
        return True
    other = replay.visit(before)[2]
    if other.depth < visit.depth or other.function != visit.function:
        return True
    if visit.function is None or visit.node is None or other.node is None:
        return False
    # Called again at once: from where the last call ended, control goes nowhere.
    nodes = replay.recording.program.graphs[visit.function].nodes
    return visit.node not in _statements_after(nodes, other.node) and visit.node in _statements_after(nodes, 0)


def _statements_after(nodes: Any, start: int) -> set[int]:
    """The statements that may follow a node, with nothing but sites between."""
    found: set[int] = set()
    seen = {start}
    pending = [*nodes[start].next, *nodes[start].raises]
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if nodes[node].line:
            found.add(node)
        else:
            pending += [*nodes[node].next, *nodes[node].raises]
    return found


def _opens(replay: Replay, index: int) -> bool:
    """Whether a step is the first of its phase."""
    return index == 0 or replay.visit(index - 1)[2].phase != replay.visit(index)[2].phase


Search = Callable[[int, bool], int | None]
"""The nearest step after an index, or before it, of some kind; None where there is none."""
