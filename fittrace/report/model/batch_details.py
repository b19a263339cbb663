"""The spans of single batches, and of the time before each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...tables import TraceTables
from ...tables.database import read, row_dicts
from ...tables.hook_logs import of_hooks
from .batch_columns import BatchColumns, Floats, integers_of
from .buckets import UNIT, windows

MOST_SPANS = 40_000
"""Spans of a fit in the page: each costs some 15 bytes."""

STATUS_NUMBERS = {"ok": 0, "error": 1, "unfinished": 2}
"""The numbers of statuses in the page."""

Logs = tuple[tuple[str, float | str], ...]
"""The logs at a hook: keys and values."""


@dataclass(frozen=True)
class HookName:
    """A hook of a callback: the callback's class name and position in the callback list, and the hook."""

    callback: str
    position: int
    hook: str


@dataclass(frozen=True)
class BatchDetails:
    """The spans of some batches. See `BatchDetails` in `page/document.d.ts`."""

    windows: list[tuple[int, int]]
    limits: list[str]
    span: Floats
    parent: npt.NDArray[np.int32]
    ordinal: npt.NDArray[np.int32]
    inside: npt.NDArray[np.uint8]
    start: Floats
    duration: Floats
    name: npt.NDArray[np.int32]
    phase: npt.NDArray[np.uint8]
    thread: npt.NDArray[np.uint16]
    hook: npt.NDArray[np.int32]
    status: npt.NDArray[np.uint8]
    before: npt.NDArray[np.int32]
    after: npt.NDArray[np.int32]
    names: list[str]
    phases: list[str]
    threads: list[str]
    hooks: list[HookName]
    logs: list[Logs] = field(default_factory=list)


def batch_details(trace: TraceTables, columns: BatchColumns, wanted: Sequence[int]) -> BatchDetails:
    """The spans of as many batches of a fit as `MOST_SPANS` allows.

    - `columns`: the batches of the fit.
    - `wanted`: the ordinals of the batches to begin with, the most important first.
    """
    whole, last_span = row_dicts(trace.relation(f"SELECT count(*), max(span) FROM spans WHERE {columns.where}"))[
        0
    ].values()
    if not columns.count or whole <= MOST_SPANS:
        chosen = [(0, columns.count - 1)] if columns.count else []
        return _details(trace, columns, chosen, "true", [])
    chosen, spans = _within_budget(columns, wanted, whole, last_span)
    batches = sum(last - first + 1 for first, last in chosen)
    limit = f"Of {columns.count:,} batches, {batches:,} have their spans in the page."
    # One pass over the spans, with a hash table of their numbers. A range for each window would take many times longer.
    ranges = " UNION ALL ".join(f"SELECT unnest(range({begin}, {end})) AS span" for begin, end in spans)
    return _details(trace, columns, chosen, f"span IN (SELECT span FROM ({ranges}))", [limit])


def _within_budget(
    columns: BatchColumns, wanted: Sequence[int], whole: int, last_span: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Windows of batches, and the numbers of the spans in them and before each batch: first, and last plus one.

    - `whole`: how many spans the fit has.
    - `last_span`: the number of the last one.
    """
    # The number of a span is lower than those of its children, and the batches of a fit are opened one after the other.
    numbers = np.r_[columns.integers("span"), last_span + 1]
    budget = MOST_SPANS * columns.count // whole
    while True:
        chosen = windows(columns.count, wanted, max(budget, UNIT))
        spans = [
            (int(numbers[first - 1]) + 1 if first else 0, int(numbers[columns.after(first, last)]))
            for first, last in chosen
        ]
        if budget <= UNIT or sum(end - begin for begin, end in spans) <= 1.5 * MOST_SPANS:
            return chosen, spans
        budget //= 2


def _details(
    trace: TraceTables, columns: BatchColumns, chosen: list[tuple[int, int]], condition: str, limits: list[str]
) -> BatchDetails:
    query = f"""
        SELECT process, span, parent, start_ns, duration_ns, name, phase, thread, status, callback, position, hook
        FROM spans WHERE {columns.where} AND {condition}
    """
    rows = read(trace.relation(query))
    starts = columns.since_start(integers_of(rows["start_ns"]))
    ordinals, inside = columns.current_or_next(starts)
    kept = np.flatnonzero(_is_in(ordinals, chosen, columns.count))
    kept = kept[np.lexsort((integers_of(rows["span"])[kept], starts[kept]))]
    rows, starts, ordinals, inside = rows.take(pa.array(kept)), starts[kept], ordinals[kept], inside[kept]
    name, names = _codes(rows["name"])
    phase, phases = _codes(rows["phase"])
    thread, threads = _codes(rows["thread"])
    hook, hooks = _hooks(rows)
    before, after, logs = _logs(trace, columns, rows, hook)
    return BatchDetails(
        windows=chosen,
        limits=limits,
        span=integers_of(rows["span"]).astype(np.float64),
        parent=_parents(rows),
        ordinal=ordinals.astype(np.int32),
        inside=inside.astype(np.uint8),
        start=starts,
        duration=integers_of(rows["duration_ns"]).astype(np.float64),
        name=name.astype(np.int32),
        phase=phase.astype(np.uint8),
        thread=thread.astype(np.uint16),
        hook=hook,
        status=np.array([STATUS_NUMBERS.get(status, 0) for status in rows["status"].to_pylist()], np.uint8),
        before=before,
        after=after,
        names=names,
        phases=phases,
        threads=threads,
        hooks=hooks,
        logs=logs,
    )


def _is_in(ordinals: npt.NDArray[np.int64], chosen: list[tuple[int, int]], count: int) -> npt.NDArray[np.bool_]:
    """Which ordinals are in a window. What comes after the last batch is there if the last batch is."""
    is_in = np.zeros(count + 1, bool)
    for first, last in chosen:
        is_in[first : last + 1] = True
    is_in[count] = not count or is_in[count - 1]
    return is_in[ordinals]


def _parents(rows: pa.Table) -> npt.NDArray[np.int32]:
    """The row of each span's parent; -1 where it is not among `rows`."""
    index = {span: row for row, span in enumerate(rows["span"].to_pylist())}
    return np.array([index.get(parent, -1) for parent in rows["parent"].to_pylist()], np.int32)


def _codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[str]]:
    """A column of texts as indices of a list."""
    texts = column.cast(pa.string()).to_pylist()
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    return np.array([numbers[text] for text in texts], np.int64), [str(text) for text in numbers]


def _hooks(rows: pa.Table) -> tuple[npt.NDArray[np.int32], list[HookName]]:
    """The callback's hook that each span is, as an index of a list; -1 if it is none."""
    found: dict[HookName, int] = {}
    numbers = []
    columns = (rows[name].to_pylist() for name in ("callback", "position", "hook"))
    for callback, position, hook in zip(*columns, strict=True):
        is_hook = callback is not None
        numbers.append(found.setdefault(HookName(callback, position, hook), len(found)) if is_hook else -1)
    return np.array(numbers, np.int32), list(found)


def _logs(
    trace: TraceTables, columns: BatchColumns, rows: pa.Table, hook: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], list[Logs]]:
    """The logs before and after each hook, as indices of a list; -1 if a span is no hook."""
    before, after = np.full(len(hook), -1, np.int32), np.full(len(hook), -1, np.int32)
    of_hook = np.flatnonzero(hook >= 0)
    if not len(of_hook):
        return before, after, []
    hooks = rows.take(pa.array(of_hook)).select(["process", "parent", "position"])
    containers = np.unique(integers_of(hooks["parent"].drop_null()))
    stored = trace.stored_logs(f"{columns.where} AND span IN ({', '.join(map(str, containers.tolist())) or 'NULL'})")
    states = of_hooks(hooks, stored)
    found: dict[Any, int] = {}
    logs: list[Logs] = []
    for indices, dicts in ((before, states.before), (after, states.after)):
        for row, state in zip(of_hook.tolist(), dicts.tolist(), strict=True):
            # The texts tell NaN, which is not equal to itself, from NaN.
            key = tuple((name, repr(value)) for name, value in state.items())
            if key not in found:
                found[key] = len(logs)
                logs.append(tuple(state.items()))
            indices[row] = found[key]
    return before, after, logs
