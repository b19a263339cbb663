"""Rows of the tables that rules look at, written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

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


def batches(epochs: int = 3, each: int = 50, **columns: Sequence[float]) -> pd.DataFrame:
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
    return table.assign(**columns)


def hook(name: str, callback: str = "Mine", epoch: int | None = 0, batch: int | None = None, **more: object) -> dict:
    row = {"hook": name, "callback": callback, "position": 0, "epoch": epoch, "batch": batch, "stage": "train"}
    row |= {"thread": "MainThread", "start_ns": 0, "duration_ns": 1000, "span": 7, "parent": 6}
    row |= {"logs_before": {}, "logs_after": {}, "changed": []}
    return row | more


def hooks(rows: Iterable[dict]) -> pd.DataFrame:
    return pd.DataFrame(list(rows)).astype({"epoch": "Int64", "batch": "Int64"})


def logged(callback: str, losses: Sequence[float], epoch_end: float, **more: object) -> pd.DataFrame:
    rows = [
        hook("on_train_batch_end", callback, 0, batch, logs_before={"loss": loss}, logs_after={"loss": loss}, **more)
        for batch, loss in enumerate(losses)
    ]
    return hooks([*rows, hook("on_epoch_end", callback, logs_before={"loss": epoch_end})])


def value(key: str, value: float | None = None, text: str | None = None, span: int = 0) -> dict:
    return {"span": span, "key": key, "value": value, "text": text}


NO_INNER = pd.DataFrame({"fit": [], "method": [], "parent_span": [], "duration_ns": [], "batches": []})


def settings(callback: str, position: int = 1, **attributes: object) -> tuple[dict, list[dict]]:
    """The `on_train_begin` of a callback, and what `values` tells of its settings; `hooks` are those it overrides."""
    overridden = attributes.pop("hooks", ())
    given = dict.fromkeys(overridden, True) | attributes  # type: ignore[attr-defined]
    rows = [
        value(
            f"callbacks[{position}].{name}",
            None if isinstance(one, str) else float(one),
            one if isinstance(one, str) else None,
            3,
        )  # type: ignore[arg-type]
        for name, one in given.items()
    ]
    return hook("on_train_begin", callback, parent=3, position=position), rows


def stop(value: str, callback: str | None = "Mine", hook: str = "on_epoch_end", **more: object) -> dict:
    row = {"fit": 0, "stage": "train", "epoch": 0, "batch": None, "value": value, "callback": callback, "hook": hook}
    return row | {"span": 5, "start_ns": 0, "thread": "MainThread"} | more


def stops(*rows: dict) -> pd.DataFrame:
    columns = list(stop("True"))
    return pd.DataFrame(list(rows), columns=columns).astype({"epoch": "Int64", "batch": "Int64"})


def told(findings: Iterable[Finding]) -> list[str]:
    return [finding.message for finding in findings]
