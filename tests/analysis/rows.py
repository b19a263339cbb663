"""Rows of the tables that rules look at, written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fittrace.analysis.rules import Finding

MS = 1_000_000
FIT = pd.Series(
    {
        "fit": 0,
        "span": 0,
        "thread": "MainThread",
        "engine": "keras-3",
        "engine_version": "3.15.1",
        "status": "ok",
        "duration_ns": 60_000 * MS,
    }
)
PROCESS = pd.Series({"dropped_batches": 0, "damaged_bytes": 0})
LOSSY = pd.Series({"dropped_batches": 3, "damaged_bytes": 0})
RNG = np.random.default_rng(4)
NO_VALUES = pd.DataFrame({"span": [], "key": [], "value": [], "text": []})


def batches(epochs: int = 3, each: int = 50, **columns: ArrayLike) -> pd.DataFrame:
    """Training batches of 5 ms, of which `function` takes 4; `columns` replace theirs."""
    count = epochs * each
    table = pd.DataFrame(
        {
            "stage": "train",
            "epoch": np.repeat(np.arange(epochs), each),
            "batch": np.tile(np.arange(each), epochs),
            "last_batch": np.tile(np.arange(each), epochs),
            "span": np.arange(count) * 10,
            "start_ns": np.arange(count) * 6 * MS,
            "duration_ns": (5 * MS * RNG.uniform(0.9, 1.1, count)).astype(int),
            "slice_ns": 10_000,
            "function_ns": (4 * MS * RNG.uniform(0.9, 1.1, count)).astype(int),
            "hooks_ns": 100_000,
            "data_wait_ns": pd.array([pd.NA] * count, "Int64"),
            "retraced": pd.array([pd.NA] * count, "boolean"),
            "status": "ok",
        }
    )
    replaced: pd.DataFrame = table.assign(**columns)
    return replaced


def hook(
    name: str, callback: str = "Mine", epoch: int | None = 0, batch: int | None = None, **more: object
) -> dict[str, Any]:
    row = {"hook": name, "callback": callback, "position": 0, "epoch": epoch, "batch": batch, "stage": "train"}
    row |= {"thread": "MainThread", "start_ns": 0, "duration_ns": 1000, "span": 7, "parent": 6}
    row |= {"logs_before": {}, "logs_after": {}, "changed": []}
    return row | more


def hooks(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    table: pd.DataFrame = pd.DataFrame(list(rows)).astype({"epoch": "Int64", "batch": "Int64"})
    return table


def logged(callback: str, losses: Sequence[float], epoch_end: float, **more: object) -> pd.DataFrame:
    rows = [
        hook("on_train_batch_end", callback, 0, batch, logs_before={"loss": loss}, logs_after={"loss": loss}, **more)
        for batch, loss in enumerate(losses)
    ]
    return hooks([*rows, hook("on_epoch_end", callback, logs_before={"loss": epoch_end})])


def value(key: str, value: float | None = None, text: str | None = None, span: int = 0) -> dict[str, Any]:
    return {"span": span, "key": key, "value": value, "text": text}


NO_INNER = pd.DataFrame({"fit": [], "method": [], "parent_span": [], "duration_ns": [], "batches": []})


def settings(
    callback: str, position: int = 1, hooks: Sequence[str] = (), **attributes: str | float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The `on_train_begin` of a callback, and what `values` tells of its settings; `hooks` are those it overrides."""
    rows = [
        value(
            f"callbacks[{position}].{name}",
            None if isinstance(setting, str) else float(setting),
            setting if isinstance(setting, str) else None,
            3,
        )
        for name, setting in (dict.fromkeys(hooks, True) | attributes).items()
    ]
    return hook("on_train_begin", callback, parent=3, position=position), rows


def stop(value: str, callback: str | None = "Mine", hook: str = "on_epoch_end", **more: object) -> dict[str, Any]:
    row = {"fit": 0, "stage": "train", "epoch": 0, "batch": None, "value": value, "callback": callback, "hook": hook}
    return row | {"span": 5, "start_ns": 0, "thread": "MainThread"} | more


def stops(*rows: dict[str, Any]) -> pd.DataFrame:
    columns = list(stop("True"))
    table: pd.DataFrame = pd.DataFrame(list(rows), columns=columns).astype({"epoch": "Int64", "batch": "Int64"})
    return table


def told(findings: Iterable[Finding]) -> list[str]:
    return [finding.message for finding in findings]
