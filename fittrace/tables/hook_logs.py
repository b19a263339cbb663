"""The logs at each hook, computed from the stored logs.

A `CallbackList.on_*` span passes one dict from callback to callback. The stored logs have the dict as the engine made
it, at a negative position, and the keys that each callback changed, at the callback's position. The tables here are
Arrow tables. `logs` is the stored table, in the order in which it was written.

`computed_tables` computes the same in SQL, for queries and for traces larger than memory. Its maps hold only numbers,
sorted by key. The dicts here keep the engine's order of the keys and the recorded texts. Hooks share them, which takes
less memory and half the time.
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
    """The rows of `logs` that no later callback changed: each dict as the last callback left it."""
    positions, removed = _numbers(logs["position"]), _flags(logs["removed"])
    if positions.max(initial=-1) < 0:
        return logs
    containers, _ = _containers(logs, None)
    keys = _numbers(single(logs["key"].dictionary_encode()).indices)
    # Take the last row of each key in each dict. The sort is stable, so of two rows at one position the later counts.
    order = np.lexsort((positions, keys, containers))
    same = (containers[order][1:] == containers[order][:-1]) & (keys[order][1:] == keys[order][:-1])
    last = np.sort(order[np.r_[~same, True]])
    return logs.take(pa.array(last[~removed[last]]))


@dataclass(frozen=True)
class HookLogs:
    """The logs at each row of a table of hooks. Rows with the same logs share a dict.

    - `before`: the dicts before the hook.
    - `after`: the dicts after the hook.
    - `changed`: the lists of keys that the hook changed.
    """

    before: Objects
    after: Objects
    changed: Objects


def of_hooks(hooks: pa.Table, logs: pa.Table) -> HookLogs:
    """The logs at each row of `hooks`. A value is a float, or the recorded text if it is not a number."""
    containers, owners = _containers(logs, hooks)
    positions = _numbers(logs["position"])
    order = np.lexsort((positions, containers))  # stable: a dict keeps the order of its keys
    containers, positions, logs = containers[order], positions[order], logs.take(pa.array(order))
    keys, values, removed = single(logs["key"]).to_pylist(), _values(logs), _flags(logs["removed"])

    starts = np.flatnonzero(np.r_[True, containers[1:] != containers[:-1]][: len(containers)])
    ends = np.r_[starts[1:], len(containers)].astype(np.int64)[: len(starts)]
    # The rows of a dict come first as the engine made it (positions below 0), then as callbacks changed it.
    initial_ends = starts + np.add.reduceat(positions < 0, starts) if len(starts) else starts
    initial = _objects(len(starts), None)
    for row, (start, end) in enumerate(zip(starts.tolist(), initial_ends.tolist(), strict=True)):
        initial[row] = dict(zip(keys[start:end], values[start:end], strict=True))

    rows = hooks.num_rows
    result = HookLogs(before=_objects(rows, {}), after=_objects(rows, {}), changed=_objects(rows, []))
    number = np.searchsorted(containers[starts], owners)
    known = np.flatnonzero(np.r_[containers[starts], -1][number] == owners)
    number = number[known]
    # Callbacks leave most dicts unchanged, so all hooks get the initial dict first, in one step.
    result.before[known] = result.after[known] = initial[number]

    hook_positions = _numbers(hooks["position"].fill_null(-1))
    states: dict[int, list[_State]] = {}
    is_changed = initial_ends[number] < ends[number]
    for row, container in zip(known[is_changed].tolist(), number[is_changed].tolist(), strict=True):
        if container not in states:
            steps = slice(int(initial_ends[container]), int(ends[container]))
            states[container] = _states(
                initial[container], positions[steps].tolist(), keys[steps], values[steps], removed[steps].tolist()
            )
        for state in states[container]:
            if state.position < hook_positions[row]:
                result.before[row] = result.after[row] = state.logs
            elif state.position == hook_positions[row]:
                result.after[row], result.changed[row] = state.logs, state.changed
    return result


@dataclass(frozen=True)
class _State:
    """The logs as the callback at `position` left them, and the keys that it changed."""

    position: int
    logs: Logs
    changed: list[str]


def _states(
    initial: Logs, positions: list[int], keys: list[str], values: list[Any], removed: list[bool]
) -> list[_State]:
    """Apply the changes of callbacks to the `initial` dict: a state for each callback that changed it.

    The lists have an element for each change, sorted by position.
    """
    states: list[_State] = []
    for position, key, value, is_removed in zip(positions, keys, values, removed, strict=True):
        if not states or states[-1].position != position:
            states.append(_State(position, dict(states[-1].logs if states else initial), []))
        states[-1].changed.append(key)
        if is_removed:
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
