"""What the logs were at each hook, from what is stored of them.

A `CallbackList.on_*` span hands one dict from callback to callback. Stored is the dict as the engine made it, and for
each callback the keys that it changed. Tables here are Arrow; `logs` is as stored, in the order of writing.

`derived_tables` computes the same in SQL, for queries and for traces larger than memory. Its maps hold numbers only,
sorted by key. The dicts here are made for Python: they keep the engine's order of the keys and the recorded texts, and
hooks share them, which takes less memory and half the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from .data_frames import single

Logs = dict[str, Any]
Ints = npt.NDArray[np.int64]
Objects = npt.NDArray[np.object_]


def final(logs: pa.Table) -> pa.Table:
    """The rows of `logs` that no later callback changed again: each dict as the last callback left it."""
    positions, removed = _numbers(logs["position"]), _flags(logs["removed"])
    if positions.max(initial=-1) < 0:
        return logs
    containers, _ = _containers(logs, None)
    keys = _numbers(single(logs["key"].dictionary_encode()).indices)
    # The last of each key in each dict; a stable sort, so that of two rows alike the later one counts.
    order = np.lexsort((positions, keys, containers))
    same = (containers[order][1:] == containers[order][:-1]) & (keys[order][1:] == keys[order][:-1])
    last = np.sort(order[np.r_[~same, True]])
    return logs.take(pa.array(last[~removed[last]]))


@dataclass(frozen=True)
class HookLogs:
    """For each of a table of hooks: its logs `before`, its logs `after`, and the list of the keys that it `changed`.

    Rows that show the same state share the dict.
    """

    before: Objects
    after: Objects
    changed: Objects


def of_hooks(hooks: pa.Table, logs: pa.Table) -> HookLogs:
    """What each row of `hooks` saw in its logs and left there: floats, or the recorded text of what is no number."""
    containers, owners = _containers(logs, hooks)
    positions = _numbers(logs["position"])
    order = np.lexsort((positions, containers))  # stable: a dict keeps the order of its keys
    containers, positions, logs = containers[order], positions[order], logs.take(pa.array(order))
    keys, values, removed = single(logs["key"]).to_pylist(), _values(logs), _flags(logs["removed"])

    starts = np.flatnonzero(np.r_[True, containers[1:] != containers[:-1]][: len(containers)])
    ends = np.r_[starts[1:], len(containers)].astype(np.int64)[: len(starts)]
    given_until = starts + np.add.reduceat(positions < 0, starts) if len(starts) else starts
    given = _objects(len(starts), None)
    for row, (start, end) in enumerate(zip(starts.tolist(), given_until.tolist(), strict=True)):
        given[row] = dict(zip(keys[start:end], values[start:end], strict=True))

    rows = hooks.num_rows
    found = HookLogs(before=_objects(rows, {}), after=_objects(rows, {}), changed=_objects(rows, []))
    number = np.searchsorted(containers[starts], owners)
    known = np.flatnonzero(np.r_[containers[starts], -1][number] == owners)
    number = number[known]
    # Most dicts pass through all callbacks as they came; those are dealt out all together.
    found.before[known] = found.after[known] = given[number]

    hook_positions = _numbers(hooks["position"].fill_null(-1))
    states: dict[int, list[_State]] = {}
    is_changed = given_until[number] < ends[number]
    for row, container in zip(known[is_changed].tolist(), number[is_changed].tolist(), strict=True):
        if container not in states:
            steps = slice(int(given_until[container]), int(ends[container]))
            states[container] = _states(
                given[container], positions[steps].tolist(), keys[steps], values[steps], removed[steps].tolist()
            )
        for state in states[container]:
            if state.position < hook_positions[row]:
                found.before[row] = found.after[row] = state.logs
            elif state.position == hook_positions[row]:
                found.after[row], found.changed[row] = state.logs, state.changed
    return found


@dataclass(frozen=True)
class _State:
    """The logs as the callback at `position` left them, and the keys that it changed."""

    position: int
    logs: Logs
    changed: list[str]


def _states(given: Logs, positions: list[int], keys: list[str], values: list[Any], removed: list[bool]) -> list[_State]:
    states: list[_State] = []
    for position, key, value, gone in zip(positions, keys, values, removed, strict=True):
        if not states or states[-1].position != position:
            states.append(_State(position, dict(states[-1].logs if states else given), []))
        states[-1].changed.append(key)
        if gone:
            states[-1].logs.pop(key, None)
        else:
            states[-1].logs[key] = value
    return states


def _containers(logs: pa.Table, hooks: pa.Table | None) -> tuple[Ints, Ints]:
    """The `CallbackList.on_*` span of each row of both tables, as a number unique over runs and processes."""
    tables = [logs] if hooks is None else [logs, hooks]
    spans = np.concatenate([_numbers(t["span" if t is logs else "parent"].fill_null(-1)) for t in tables])
    owners = np.concatenate([_numbers(table["process"]) for table in tables])
    if all("run" in table.column_names for table in tables):
        chunks = [chunk.cast(pa.string()) for table in tables for chunk in table["run"].chunks]
        runs = pa.chunked_array(chunks, pa.string())
        owners += _numbers(single(runs.dictionary_encode()).indices) * (owners.max(initial=0) + 1)
    numbers = owners * (spans.max(initial=0) + 2) + spans + 1
    return numbers[: logs.num_rows], numbers[logs.num_rows :]


def _values(logs: pa.Table) -> list[Any]:
    values: list[Any] = single(logs["value"]).to_numpy(zero_copy_only=False).tolist()
    texts = single(logs["text"])
    for row in np.flatnonzero(texts.is_valid().to_numpy(zero_copy_only=False)).tolist():
        values[row] = texts[row].as_py()
    return values


def _numbers(column: pa.ChunkedArray | pa.Array) -> Ints:
    return np.asarray(column.to_numpy(), dtype=np.int64)


def _flags(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.asarray(single(column).to_numpy(zero_copy_only=False), dtype=bool)


def _objects(count: int, value: Any) -> Objects:
    array = np.empty(count, dtype=object)
    array.fill(value)
    return array
