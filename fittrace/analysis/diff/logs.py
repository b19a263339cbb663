"""What differs in the logs of two fits: keys that one lacks, and values, from the first batch at which they part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .model import LATER_NAMES, Difference, Fit


def log_differences(number: int, a: Fit, b: Fit, tolerance: float) -> Iterator[Difference]:
    """The differences in logs of the pair of fits `number`; values count as equal within a relative `tolerance`."""
    logs_a, logs_b = _prepared(a.logs), _prepared(b.logs)
    keys_a, keys_b = _keys(logs_a), _keys(logs_b)
    for hook in sorted(keys_a.keys() & keys_b.keys()):
        for one, other, lacks, kind in ((keys_a, keys_b, "B", "lost"), (keys_b, keys_a, "A", "added")):
            missing = sorted(one[hook] - other[hook])
            if missing:
                yield Difference("logs", kind, number, f"{hook} is given no {', '.join(missing)} in {lacks}")
    place = ["hook", "key", "stage", "epoch", "batch", "turn"]
    both = logs_a.merge(logs_b, on=place, suffixes=("_a", "_b"))
    for (hook, key), rows in both.groupby(["hook", "key"]):
        values_a, values_b = (rows[f"value_{one}"].to_numpy(float) for one in "ab")
        off = ~np.isclose(values_a, values_b, rtol=tolerance, atol=0, equal_nan=True)
        off |= (rows["text_a"].fillna("") != rows["text_b"].fillna("")).to_numpy()
        if off.any():
            yield _parted(number, str(hook), str(key), rows[off], len(rows), values_a, values_b)


def _parted(
    number: int, hook: str, key: str, rows: pd.DataFrame, count: int, a: np.ndarray, b: np.ndarray
) -> Difference:
    first = rows.iloc[0]
    epoch, batch = (None if first[unit] < 0 else int(first[unit]) for unit in ("epoch", "batch"))
    told = [first[f"text_{one}"] if pd.notna(first[f"text_{one}"]) else f"{first[f'value_{one}']:.9g}" for one in "ab"]
    with np.errstate(all="ignore"):
        largest = np.nanmax(np.append(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)), 0.0))
    message = (
        f"{key} of {hook} differs: {told[0]} in A, {told[1]} in B, then {len(rows):,} of {count:,} times, by up to "
        f"{100 * largest:.3g} %"
    )
    return Difference("logs", "value", number, message, epoch, batch)


def _keys(logs: pd.DataFrame) -> dict[str, set[str]]:
    return {str(hook): set(rows["key"]) for hook, rows in logs.groupby("hook")}


def _prepared(logs: pd.DataFrame) -> pd.DataFrame:
    """`logs` in order, with what cannot be missing when two are merged; `turn` tells dicts apart at one place."""
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
    turn = plain.groupby(["hook", "key", "stage", "epoch", "batch"]).cumcount()
    numbered: pd.DataFrame = plain.assign(turn=turn)
    return numbered
