"""Rules on the callbacks of a fit together: one given twice, one that works against another, one of an earlier fit."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..callback_settings import CallbackSettings, settings_of
from ..stopped import sets_stop
from .monitored import Monitored, monitored, numbers, reductions, stops_early
from .rule import Finding, is_whole, keras, rule

_RATE_KEYS = ("learning_rate", "lr")
"""The keys under which callbacks log the learning rate."""
ROUNDING = 1e-3
"""Learning rates are alike up to this relative difference."""


@rule(
    "callback-twice",
    effect="each of its hooks is called twice, so what it counts, changes or writes is done twice",
    remedy="give the callback once",
)
def callback_twice(hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """One callback object that is in the list of callbacks twice."""
    for settings in settings_of(hooks, values):
        first = settings.attributes.get("same_as")
        if isinstance(first, float):
            message = f"is in the list twice, at positions {first:.0f} and {settings.position}, as one object"
            yield Finding(message, callback=settings.callback)


@rule(
    "learning-rate-overwritten",
    effect="the learning rate stays where the schedule has it, however long the training makes no progress",
    remedy="use one of the two, or give the scheduler a function of (epoch, lr) that keeps a lower lr",
    threads=[keras(8829)],
)
def learning_rate_overwritten(process: pd.Series, hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A `ReduceLROnPlateau` that lowers the learning rate, which a `LearningRateScheduler` then sets back."""
    if not is_whole(process):
        return
    callbacks = list(settings_of(hooks, values))
    if not any(settings.callback == "LearningRateScheduler" for settings in callbacks):
        return
    for settings in callbacks:
        seen = monitored(settings, hooks)
        found = numbers(settings, ("factor", "patience", "min_delta", "cooldown", "min_lr"))
        if seen is None or found is None:
            continue
        factor, patience, min_delta, cooldown, min_lr = found
        rates = _learning_rates(hooks)
        for epoch in reductions(seen, patience, min_delta, cooldown):
            before, after = rates.get(epoch), rates.get(epoch + 1)
            lowered = max(before * factor, min_lr) if before is not None else None
            if lowered is not None and after is not None and after > lowered * (1 + ROUNDING):
                message = (
                    f"lowers the learning rate to {lowered:.6g}, and LearningRateScheduler sets it to {after:.6g} "
                    f"as epoch {epoch + 1} begins"
                )
                yield Finding(message, epoch, None, settings.callback, "on_epoch_end")
                break


def _learning_rates(hooks: pd.DataFrame) -> dict[int, float]:
    """The learning rate of each epoch, as the last callback of its end that has it."""
    ends = hooks[((hooks["hook"] == "on_epoch_end") & hooks["epoch"].notna()).to_numpy(bool)]
    rates = {}
    for epoch, logs in zip(ends["epoch"].tolist(), ends["logs_after"].tolist(), strict=True):
        for key in _RATE_KEYS:
            if isinstance(logs.get(key), float):
                rates[int(epoch)] = logs[key]
    return rates


@rule(
    "best-of-another-fit",
    effect="the callback compares with a value that this fit has never had: it stops too early, or never saves",
    remedy="make a new callback for each fit; newer versions of Keras reset EarlyStopping as a fit begins",
    threads=[keras(20256), keras(20521)],
)
def best_of_another_fit(
    fit: pd.Series, process: pd.Series, hooks: pd.DataFrame, values: pd.DataFrame, stops: pd.DataFrame
) -> Iterator[Finding]:
    """A callback that has served an earlier fit, and still compares with the best value of that fit."""
    if fit["fit"] == 0 or not is_whole(process):
        return
    for settings in settings_of(hooks, values):
        seen = monitored(settings, hooks)
        if seen is None:
            continue
        if "patience" in settings.attributes and "factor" not in settings.attributes:
            yield from _stopped_too_early(settings, seen, stops)
        elif settings.attributes.get("save_best_only") == 1:
            yield from _never_saved(settings, seen)


def _stopped_too_early(settings: CallbackSettings, seen: Monitored, stops: pd.DataFrame) -> Iterator[Finding]:
    """An `EarlyStopping` that stopped a fit, where a new one would not have."""
    own = stops[(stops["callback"] == settings.callback).to_numpy(bool)]
    own = own[(sets_stop(own) & own["epoch"].notna()).to_numpy(bool)]
    found = numbers(settings, ("patience", "min_delta"))
    if own.empty or found is None or settings.attributes.get("baseline", "None") != "None":
        return
    epoch, start = int(own.iloc[0]["epoch"]), settings.attributes.get("start_from_epoch", 0.0)
    judged = Monitored(seen.key, seen.sign, [pair for pair in seen.values if pair[0] >= float(start)])
    earliest = stops_early(judged, *found)
    if not judged.values or (earliest is not None and earliest <= epoch):
        return
    message = (
        f"stops at epoch {epoch}, though a new one would not: the best {seen.key} of this fit is {judged.best():.6g}"
    )
    yield Finding(message + _earlier_best(settings), epoch, None, settings.callback, "on_epoch_end")


def _earlier_best(settings: CallbackSettings) -> str:
    best = settings.attributes.get("best")
    return f"; it compares with {best:.6g}, of an earlier fit" if isinstance(best, float) else ""


def _never_saved(settings: CallbackSettings, seen: Monitored) -> Iterator[Finding]:
    """A `ModelCheckpoint` that saves the best only, and began a fit with a value that no epoch of it beats."""
    best = settings.attributes.get("best")
    # A program may ask for it: then it gives the value to begin with.
    is_asked = settings.attributes.get("initial_value_threshold", "None") != "None"
    if not isinstance(best, float) or abs(best) == float("inf") or is_asked:
        return
    if not any(seen.improves(value, best) for _, value in seen.values):
        message = f"saves nothing: the best {seen.key} of this fit is {seen.best():.6g}{_earlier_best(settings)}"
        yield Finding(message, None, None, settings.callback, "on_epoch_end")


CALLBACK_LISTS = (callback_twice, learning_rate_overwritten, best_of_another_fit)
