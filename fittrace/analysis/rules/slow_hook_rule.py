"""The rule on hooks that take a large share of the time, in each batch, in some of them, or in each epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .regular_intervals import interval, standing_out
from .rule import Finding, rule

SHARE = 0.2
"""From this share of the batches' time on a hook of batches is slow."""
LEAST_NS = 300_000
"""A hook of batches that takes less is not worth a word."""
SHARE_OF_FIT = 0.3
"""From this share of the fit's time on a hook of epochs is slow."""
LEAST_OF_FIT_NS = 500_000_000
"""Hooks of epochs that take less in the whole fit are not worth a word."""
_MOST = 0.8
"""From this share of a hook's time on, the calls that stand out are what it takes its time for."""

_OF_STAGE = {
    f"on_{name}_{when}": stage
    for name, stage in (("batch", "train"), *((f"{stage}_batch", stage) for stage in ("train", "test", "predict")))
    for when in ("begin", "end")
}
_OF_EPOCHS = ("on_epoch_begin", "on_epoch_end")
_COLUMNS = ["callback", "position", "hook", "start_ns", "duration_ns", "epoch", "batch", "span"]
_TURNS = ["stage", "start_ns", "duration_ns"]


@rule(
    "slow-callback",
    effect="the training waits for it; Keras warns of the sum of all callbacks at most",
    remedy="do the work in on_epoch_end, or every so many batches",
)
def slow_callback(fit: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame, inner: pd.DataFrame) -> Iterator[Finding]:
    """A hook that takes a large share of the batches' time, or of the fit's where it is one of epochs."""
    mine = (hooks["thread"] == fit["thread"]) & hooks["hook"].isin([*_OF_STAGE, *_OF_EPOCHS])
    own = hooks[_COLUMNS][mine.to_numpy(bool)]
    if own.empty:
        return
    turns = dict(list(batches[_TURNS].groupby("stage", observed=True)))
    for (callback, _, hook), calls in own.groupby(["callback", "position", "hook"], observed=True, sort=False):
        if hook in _OF_EPOCHS:
            yield from _in_epochs(fit, str(callback), str(hook), calls, inner)
        elif _OF_STAGE[hook] in turns:
            yield from _in_batches(str(callback), str(hook), calls, turns[_OF_STAGE[hook]])


def _in_batches(callback: str, hook: str, calls: pd.DataFrame, batches: pd.DataFrame) -> Iterator[Finding]:
    # Without the first batch, in which functions are built.
    begins = batches["start_ns"].to_numpy()[1:]
    if len(begins) < 2:
        return
    times, at = calls["duration_ns"].to_numpy(float), calls["start_ns"].to_numpy()
    times = times[at >= begins[0]]
    if len(times) < 3:
        return
    # Without the longest call, in which the system may have done something else.
    total, others = times.sum() - times.max(), len(times) - 1
    rest = batches["duration_ns"].to_numpy()[1:].sum() - times.max()
    if rest <= 0 or total <= SHARE * rest or total <= LEAST_NS * others:
        return
    calls = calls[at >= begins[0]]
    share = f"takes {100 * total / rest:.0f} % of the batches' time"
    long = standing_out(times, LEAST_NS)
    if len(long) < 2 or times[long].sum() < _MOST * times.sum():
        yield Finding(f"{share}, {total / others / 1e6:.2f} ms a call", callback=callback, hook=hook)
        return
    first, each = calls.iloc[long[0]], f"{np.median(times[long]) / 1e6:.2f} ms"
    apart = interval(np.searchsorted(begins, calls["start_ns"].to_numpy()[long]))
    how_often = f"in {len(long):,} of {len(times):,} batches" if apart is None else f"every {_ordinal(apart)} batch"
    message = f"{share}, {each} {how_often}, {np.median(np.delete(times, long)) / 1e6:.2f} ms in the others"
    remedy = "do it less often, or hand the work to another thread or process"
    place = int(first["epoch"]), int(first["batch"])
    yield Finding(message, *place, callback, hook, int(first["span"]), remedy=remedy)


def _in_epochs(fit: pd.Series, callback: str, hook: str, calls: pd.DataFrame, inner: pd.DataFrame) -> Iterator[Finding]:
    times = calls["duration_ns"].to_numpy(float)
    if len(times) < 3:
        return
    # Without the longest call, in which functions may have been built.
    total, rest = times.sum() - times.max(), fit["duration_ns"] - times.max()
    if total <= LEAST_OF_FIT_NS or total <= SHARE_OF_FIT * rest:
        return
    message = f"takes {100 * total / rest:.0f} % of the fit, {total / (len(times) - 1) / 1e6:.0f} ms an epoch"
    made = inner[inner["parent_span"].isin(calls["span"]).to_numpy(bool)]
    if made["duration_ns"].sum() > _MOST * times.sum():
        each = made["batches"].sum() / len(times)
        message += f", in {' and '.join(made['method'].astype(str).unique())} of {each:,.0f} batches"
    remedy = "do it every few epochs, on less data, with larger batches, or after the fit"
    yield Finding(message, int(calls["epoch"].iloc[0]), None, callback, hook, int(calls["span"].iloc[0]), remedy=remedy)


def _ordinal(number: int) -> str:
    """
    >>> _ordinal(20), _ordinal(3), _ordinal(11)
    ('20th', '3rd', '11th')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
