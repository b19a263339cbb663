"""The logs at each hook, against dicts that really were handed from callback to callback."""

from __future__ import annotations

from random import Random
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from fittrace.tables import hook_logs

Logs = dict[str, float | str]
Edits = list[tuple[str, float | str | None]]
"""Keys with their new values; None removes the key."""

KEYS = st.sampled_from(["loss", "acc", "lr", "f1"])
VALUES = st.one_of(st.floats(allow_nan=False), st.sampled_from(["Tensor(...)", "None"]))
LOGS = st.dictionaries(KEYS, VALUES)
EDITS = st.lists(st.tuples(KEYS, st.one_of(st.none(), VALUES)), max_size=3)


@given(st.lists(st.tuples(LOGS, st.lists(EDITS, min_size=1, max_size=4)), max_size=4), st.randoms())
def test_states_are_what_the_callbacks_saw(containers: list[tuple[Logs, list[Edits]]], shuffler: Random) -> None:
    rows, hooks = [], []
    final = []
    for number, (given_logs, edits) in enumerate(containers):
        logs = dict(given_logs)
        rows += [_row(number, -1, key, value) for key, value in logs.items()]
        for position, edit in enumerate(edits):
            before = dict(logs)
            for key, value in edit:
                if value is None:
                    logs.pop(key, None)
                else:
                    logs[key] = value
            touched = [key for key in before | logs if before.get(key) != logs.get(key)]
            rows += [_row(number, position, key, logs.get(key)) for key in touched]
            hooks.append((number, position, before, dict(logs), set(touched)))
        final += [(number, key, value) for key, value in logs.items()]
    shuffler.shuffle(hooks)
    table = pa.table(
        {
            "process": pa.array([0] * len(hooks), pa.int32()),
            "parent": pa.array([hook[0] for hook in hooks], pa.int64()),
            "position": pa.array([hook[1] for hook in hooks], pa.int32()),
        }
    )
    stored = pa.Table.from_pylist(rows, SCHEMA)
    found = hook_logs.of_hooks(table, stored)
    assert found.before.tolist() == [hook[2] for hook in hooks]
    assert found.after.tolist() == [hook[3] for hook in hooks]
    assert [set(keys) for keys in found.changed] == [hook[4] for hook in hooks]
    last = hook_logs.final(stored).to_pylist()
    ended = [(r["span"], r["key"], r["text"] if r["value"] is None else r["value"]) for r in last]
    assert sorted(ended, key=str) == sorted(final, key=str)


SCHEMA = pa.schema(
    {
        "process": pa.int32(),
        "span": pa.int64(),
        "position": pa.int32(),
        "key": pa.string(),
        "value": pa.float64(),
        "text": pa.string(),
        "removed": pa.bool_(),
    }
)


def _row(container: int, position: int, key: str, value: object) -> dict[str, Any]:
    number, text = (value, None) if isinstance(value, float) else (None, value)
    place = {"process": 0, "span": container, "position": position, "key": key}
    return place | {"value": number, "text": text, "removed": value is None}
