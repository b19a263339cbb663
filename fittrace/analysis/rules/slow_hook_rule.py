"""The rule `slow-callback`: hooks that take a large share of the time of batches or of the fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..units import duration
from .regular_intervals import interval, standing_out
from .rule import Finding, rule

SHARE = 0.2
"""A batch hook is slow above this share of the batches' time."""
LEAST_NS = 300_000
"""A batch hook with a shorter mean call is never reported."""
SHARE_OF_FIT = 0.3
"""An epoch hook is slow above this share of the fit's time."""
LEAST_OF_FIT_NS = 500_000_000
"""An epoch hook that takes less in the whole fit is never reported."""
_MAIN_SHARE = 0.8
"""The calls that stand out are the cause if they take at least this share of the hook's time."""

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
    effect="the training waits for it; Keras at most warns of all callbacks together",
    remedy="do the work in on_epoch_end, or every so many batches",
)
def slow_callback(fit: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame, inner: pd.DataFrame) -> Iterator[Finding]:
    """A batch hook that takes a large share of the batches' time, or an epoch hook that takes one of the fit's."""
    is_own = (hooks["thread"] == fit["thread"]) & hooks["hook"].isin([*_OF_STAGE, *_OF_EPOCHS])
    own = hooks[_COLUMNS][is_own.to_numpy(bool)]
    if own.empty:
        return
    turns = dict(list(batches[_TURNS].groupby("stage", observed=True)))
    for (callback, _, hook), calls in own.groupby(["callback", "position", "hook"], observed=True, sort=False):
        if hook in _OF_EPOCHS:
            yield from _in_epochs(fit, str(callback), str(hook), calls, inner)
        elif _OF_STAGE[hook] in turns:
            yield from _in_batches(str(callback), str(hook), calls, turns[_OF_STAGE[hook]])


def _in_batches(callback: str, hook: str, calls: pd.DataFrame, batches: pd.DataFrame) -> Iterator[Finding]:
    # The first batch is left out: functions are built in it.
    begins = batches["start_ns"].to_numpy()[1:]
    if len(begins) < 2:
        return
    calls = calls[(calls["start_ns"] >= begins[0]).to_numpy(bool)]
    times = calls["duration_ns"].to_numpy(float)
    if len(times) < 3:
        return
    # The longest call is left out: the system may have been busy with something else.
    total, count = times.sum() - times.max(), len(times) - 1
    batch_time = batches["duration_ns"].to_numpy()[1:].sum() - times.max()
    if batch_time <= 0 or total <= SHARE * batch_time or total <= LEAST_NS * count:
        return
    share = f"takes {100 * total / batch_time:.0f} % of the batches' time"
    # Either all calls are slow, or those that stand out take most of the time: these get another message and remedy.
    long = standing_out(times, LEAST_NS)
    if len(long) < 2 or times[long].sum() < _MAIN_SHARE * times.sum():
        yield Finding(f"{share}, {duration(total / count)} a call", callback=callback, hook=hook)
        return
    first, each = calls.iloc[long[0]], duration(np.median(times[long]))
    gap = interval(np.searchsorted(begins, calls["start_ns"].to_numpy()[long]))
    how_often = f"in {len(long):,} of {len(times):,} batches" if gap is None else f"every {_ordinal(gap)} batch"
    message = f"{share}, {each} {how_often}, {duration(np.median(np.delete(times, long)))} in the others"
    remedy = "do it less often, or hand the work to another thread or process"
    epoch, batch = int(first["epoch"]), int(first["batch"])
    yield Finding(message, epoch, batch, callback, hook, int(first["span"]), remedy=remedy)


def _in_epochs(fit: pd.Series, callback: str, hook: str, calls: pd.DataFrame, inner: pd.DataFrame) -> Iterator[Finding]:
    times = calls["duration_ns"].to_numpy(float)
    if len(times) < 3:
        return
    # The longest call is left out: functions may have been built in it.
    total, fit_time = times.sum() - times.max(), fit["duration_ns"] - times.max()
    if total <= LEAST_OF_FIT_NS or total <= SHARE_OF_FIT * fit_time:
        return
    message = f"takes {100 * total / fit_time:.0f} % of the fit, {duration(total / (len(times) - 1))} an epoch"
    # If the hook's time is that of an evaluate or predict in it, the message says so.
    inner_calls = inner[inner["parent_span"].isin(calls["span"]).to_numpy(bool)]
    if inner_calls["duration_ns"].sum() > _MAIN_SHARE * times.sum():
        each = inner_calls["batches"].sum() / len(times)
        message += f", in {' and '.join(inner_calls['method'].astype(str).unique())} of {each:,.0f} batches"
    remedy = "do it every few epochs, on less data, with larger batches, or after the fit"
    yield Finding(message, int(calls["epoch"].iloc[0]), None, callback, hook, int(calls["span"].iloc[0]), remedy=remedy)


def _ordinal(number: int) -> str:
    """
    >>> _ordinal(20), _ordinal(3), _ordinal(11)
    ('20th', '3rd', '11th')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
