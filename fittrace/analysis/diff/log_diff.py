"""Differences in logs: keys that one fit lacks, and values, from the first batch at which they differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .comparison_data import LATER_NAMES, ComparedFit, Difference


def log_differences(number: int, a: ComparedFit, b: ComparedFit, tolerance: float) -> Iterator[Difference]:
    """The differences in logs of a pair of fits.

    - `number`: the number of the pair.
    - `a`: the first fit.
    - `b`: the second fit.
    - `tolerance`: the relative difference up to which values count as equal.
    """
    logs_a, logs_b = _prepared(a.logs), _prepared(b.logs)
    keys_a, keys_b = _keys(logs_a), _keys(logs_b)
    for hook in sorted(keys_a.keys() & keys_b.keys()):
        for keys, other, lacks, kind in ((keys_a, keys_b, "B", "lost"), (keys_b, keys_a, "A", "added")):
            missing = sorted(keys[hook] - other[hook])
            if missing:
                yield Difference("logs", kind, number, f"{hook} is given no {', '.join(missing)} in {lacks}")
    yield from _missing(number, a, b, logs_a, logs_b)
    both = logs_a.merge(logs_b, on=["hook", "key", "stage", "epoch", "batch", "nth"], suffixes=("_a", "_b"))
    for (hook, key), rows in both.groupby(["hook", "key"]):
        values_a, values_b = (rows[f"value_{side}"].to_numpy(float) for side in "ab")
        differs = ~np.isclose(values_a, values_b, rtol=tolerance, atol=0, equal_nan=True)
        text_a, text_b = (rows[f"text_{side}"] for side in "ab")
        # A trace has the type of a tensor, but not its value. So a tensor and a number differ in type, not in value.
        opaque = (text_a.isna() != text_b.isna()).to_numpy() & (_is_described(text_a) | _is_described(text_b))
        differs = (differs | (text_a.fillna("") != text_b.fillna("")).to_numpy()) & ~opaque
        if opaque.any():
            first = rows[opaque].iloc[0]
            types = ["a number" if pd.isna(first[f"text_{side}"]) else first[f"text_{side}"] for side in "ab"]
            yield Difference("logs", "type", number, f"{key} of {hook} is {types[0]} in A, {types[1]} in B")
        if differs.any():
            yield _value_difference(number, str(hook), str(key), rows[differs], len(rows), values_a, values_b)


def _value_difference(
    number: int, hook: str, key: str, rows: pd.DataFrame, count: int, a: np.ndarray, b: np.ndarray
) -> Difference:
    """The difference in the values of one key.

    - `number`: the number of the pair of fits.
    - `hook`: the hook that gets the key.
    - `key`: the key.
    - `rows`: the merged rows whose values differ.
    - `count`: how many rows the key has in both.
    - `a`: all its values in A.
    - `b`: all its values in B.
    """
    first = rows.iloc[0]
    epoch, batch = (None if first[unit] < 0 else int(first[unit]) for unit in ("epoch", "batch"))
    first_a, first_b = (
        first[f"text_{side}"] if pd.notna(first[f"text_{side}"]) else f"{first[f'value_{side}']:.9g}" for side in "ab"
    )
    message = f"{key} of {hook} differs: {first_a} in A, {first_b} in B, then {len(rows):,} of {count:,} times"
    # NaN, infinity and a pair of zeros give no relative difference, so their warnings and results are ignored.
    with np.errstate(all="ignore"):
        largest = np.nanmax(np.append(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)), 0.0))
    if largest > 0:
        message += f", by up to {100 * largest:.3g} %"
    return Difference("logs", "value", number, message, epoch, batch)


def _missing(
    number: int, a: ComparedFit, b: ComparedFit, logs_a: pd.DataFrame, logs_b: pd.DataFrame
) -> Iterator[Difference]:
    """Keys that a hook gets in both fits, but in one of them not in every batch or epoch in which the other has it."""
    # Where one fit does not call the hook at all, the missing call is a difference in hooks, not in logs.
    common = _hook_positions(a.hooks) & _hook_positions(b.hooks)
    positions_a, positions_b = (_key_positions(logs, common) for logs in (logs_a, logs_b))
    for positions, other, lacks in ((positions_a, positions_b, "B"), (positions_b, positions_a, "A")):
        for hook, key in sorted(positions.keys() & other.keys()):
            missing = sorted(positions[hook, key] - other[hook, key])
            if missing:
                _, epoch, batch = missing[0]
                count = len(positions[hook, key])
                message = f"{hook} is given no {key} in {lacks}, {len(missing):,} of {count:,} times"
                at_epoch, at_batch = (None if unit < 0 else unit for unit in (epoch, batch))
                yield Difference("logs", "missing", number, message, at_epoch, at_batch)


Position = tuple[str, int, int]
"""Stage, epoch and batch of a hook call; -1 outside of epochs or batches."""


def _hook_positions(hooks: pd.DataFrame) -> set[tuple[str, Position]]:
    """Each hook with the positions at which it is called."""
    named = hooks["hook"].astype(str).map(lambda hook: LATER_NAMES.get(hook, hook))
    columns = (hooks["stage"].astype(str), hooks["epoch"].fillna(-1), hooks["batch"].fillna(-1))
    return set(zip(named, zip(*(column.tolist() for column in columns), strict=True), strict=True))


def _key_positions(logs: pd.DataFrame, calls: set[tuple[str, Position]]) -> dict[tuple[str, str], set[Position]]:
    """For each hook and key, the positions among `calls` at which the hook gets the key."""
    positions: dict[tuple[str, str], set[Position]] = {}
    columns = (logs[name].tolist() for name in ("hook", "key", "stage", "epoch", "batch"))
    for hook, key, stage, epoch, batch in zip(*columns, strict=True):
        position = (str(stage), int(epoch), int(batch))
        if (hook, position) in calls:
            positions.setdefault((hook, key), set()).add(position)
    return positions


def _is_described(texts: pd.Series) -> np.ndarray:
    """Whether each text describes an object by its type, without its value."""
    return texts.fillna("").str.startswith("<").to_numpy(bool)


def _keys(logs: pd.DataFrame) -> dict[str, set[str]]:
    """The keys of each hook."""
    return {str(hook): set(rows["key"]) for hook, rows in logs.groupby("hook")}


def _prepared(logs: pd.DataFrame) -> pd.DataFrame:
    """`logs` in plain columns that can be merged: missing numbers are -1, and old hook names are replaced.

    A hook may get several dicts at one position, from an evaluate in a hook for instance. `nth` tells them apart.
    """
    plain = pd.DataFrame(
        {
            "hook": logs["hook"].astype(str).map(lambda hook: LATER_NAMES.get(hook, hook)),
            "key": logs["key"].astype(str),
            "stage": logs["stage"].astype(str),
            "epoch": logs["epoch"].fillna(-1).astype("int64"),
            "batch": logs["batch"].fillna(-1).astype("int64"),
            "value": logs["value"],
            "text": logs["text"].astype(object),
        }
    )
    nth = plain.groupby(["hook", "key", "stage", "epoch", "batch"]).cumcount()
    numbered: pd.DataFrame = plain.assign(nth=nth)
    return numbered
