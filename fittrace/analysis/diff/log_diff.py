"""What differs in the logs of two fits: keys that one lacks, and values, from the first batch at which they part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .difference import LATER_NAMES, ComparedFit, Difference


def log_differences(number: int, a: ComparedFit, b: ComparedFit, tolerance: float) -> Iterator[Difference]:
    """The differences in logs of the pair of fits `number`; values count as equal within a relative `tolerance`."""
    logs_a, logs_b = _prepared(a.logs), _prepared(b.logs)
    keys_a, keys_b = _keys(logs_a), _keys(logs_b)
    for hook in sorted(keys_a.keys() & keys_b.keys()):
        for one, other, lacks, kind in ((keys_a, keys_b, "B", "lost"), (keys_b, keys_a, "A", "added")):
            missing = sorted(one[hook] - other[hook])
            if missing:
                yield Difference("logs", kind, number, f"{hook} is given no {', '.join(missing)} in {lacks}")
    yield from _missing(number, a, b, logs_a, logs_b)
    place = ["hook", "key", "stage", "epoch", "batch", "turn"]
    both = logs_a.merge(logs_b, on=place, suffixes=("_a", "_b"))
    for (hook, key), rows in both.groupby(["hook", "key"]):
        values_a, values_b = (rows[f"value_{one}"].to_numpy(float) for one in "ab")
        off = ~np.isclose(values_a, values_b, rtol=tolerance, atol=0, equal_nan=True)
        text_a, text_b = (rows[f"text_{one}"] for one in "ab")
        # What a tensor is worth is not in the trace.
        opaque = (text_a.isna() != text_b.isna()).to_numpy() & (_is_described(text_a) | _is_described(text_b))
        off = (off | (text_a.fillna("") != text_b.fillna("")).to_numpy()) & ~opaque
        if opaque.any():
            first = rows[opaque].iloc[0]
            told = ["a number" if pd.isna(first[f"text_{one}"]) else first[f"text_{one}"] for one in "ab"]
            yield Difference("logs", "type", number, f"{key} of {hook} is {told[0]} in A, {told[1]} in B")
        if off.any():
            yield _parted(number, str(hook), str(key), rows[off], len(rows), values_a, values_b)


def _parted(
    number: int, hook: str, key: str, rows: pd.DataFrame, count: int, a: np.ndarray, b: np.ndarray
) -> Difference:
    first = rows.iloc[0]
    epoch, batch = (None if first[unit] < 0 else int(first[unit]) for unit in ("epoch", "batch"))
    told = [first[f"text_{one}"] if pd.notna(first[f"text_{one}"]) else f"{first[f'value_{one}']:.9g}" for one in "ab"]
    message = f"{key} of {hook} differs: {told[0]} in A, {told[1]} in B, then {len(rows):,} of {count:,} times"
    with np.errstate(all="ignore"):
        largest = np.nanmax(np.append(np.abs(a - b) / np.maximum(np.abs(a), np.abs(b)), 0.0))
    if largest > 0:
        message += f", by up to {100 * largest:.3g} %"
    return Difference("logs", "value", number, message, epoch, batch)


def _missing(
    number: int, a: ComparedFit, b: ComparedFit, logs_a: pd.DataFrame, logs_b: pd.DataFrame
) -> Iterator[Difference]:
    """Keys that a hook is given in both, but in one of them not at every place where the other has it."""
    places = [_places(fit.hooks) for fit in (a, b)]
    common = places[0] & places[1]
    given = [_given(logs, common) for logs in (logs_a, logs_b)]
    for one, other, lacks in ((given[0], given[1], "B"), (given[1], given[0], "A")):
        for hook, key in sorted(one.keys() & other.keys()):
            missing = sorted(one[hook, key] - other[hook, key])
            if missing:
                _, epoch, batch = missing[0]
                message = f"{hook} is given no {key} in {lacks}, {len(missing):,} of {len(one[hook, key]):,} times"
                at_epoch, at_batch = (None if unit < 0 else unit for unit in (epoch, batch))
                yield Difference("logs", "missing", number, message, at_epoch, at_batch)


Place = tuple[str, int, int]
"""A stage, an epoch and a batch, the numbers -1 where there is none."""


def _places(hooks: pd.DataFrame) -> set[tuple[str, Place]]:
    named = hooks["hook"].astype(str).map(lambda hook: LATER_NAMES.get(hook, hook))
    columns = (hooks["stage"].astype(str), hooks["epoch"].fillna(-1), hooks["batch"].fillna(-1))
    return set(zip(named, zip(*(column.tolist() for column in columns), strict=True), strict=True))


def _given(logs: pd.DataFrame, places: set[tuple[str, Place]]) -> dict[tuple[str, str], set[Place]]:
    """At which of `places` each hook was given each key."""
    found: dict[tuple[str, str], set[Place]] = {}
    columns = (logs[name].tolist() for name in ("hook", "key", "stage", "epoch", "batch"))
    for hook, key, *place in zip(*columns, strict=True):
        at = (str(place[0]), int(place[1]), int(place[2]))
        if (hook, at) in places:
            found.setdefault((hook, key), set()).add(at)
    return found


def _is_described(texts: pd.Series) -> np.ndarray:
    """Whether each text says what an object is, and not what it is worth."""
    return texts.fillna("").str.startswith("<").to_numpy(bool)


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
