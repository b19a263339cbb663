"""Rules on the keys of the logs: those that are missing, that a callback waits for, and that not all are given."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import pandas as pd

from ..callback_settings import settings_of
from ..hook_calls import passed_on
from .rule import Finding, is_whole, keras, number, rule, tensorflow

_BATCH_ENDS = ("on_train_batch_end", "on_batch_end")


@rule(
    "key-missing",
    effect="a callback that monitors it does nothing, or raises",
    remedy="see to it that the key is in the logs of every epoch",
)
def key_missing(process: pd.Series, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A key of an epoch's logs that all epochs before had; what validation gives is not asked for."""
    if not is_whole(process):
        return
    ends = hooks[hooks["hook"] == "on_epoch_end"]
    known: set[str] | None = None
    for epoch, calls in ends.groupby("epoch"):
        last = {key for key in calls.iloc[-1]["logs_after"] if not key.startswith("val_")}
        missing = sorted((known or set()) - last)
        if missing:
            yield Finding(
                f"{', '.join(missing)} is missing, which all epochs before had", int(epoch), hook="on_epoch_end"
            )
        known = last if known is None else known & last


@rule(
    "monitor-missing",
    effect="the callback cannot judge in the whole fit: EarlyStopping never stops, ModelCheckpoint never saves or, in "
    "newer versions of Keras, saves whatever comes",
    remedy="monitor a key that is there; a callback that adds it must come before in the list",
    threads=[keras(13689)],
)
def monitor_missing(fit: pd.Series, process: pd.Series, hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A callback that monitors a key which the logs never had where it looks: at an epoch's end, or at a batch's."""
    if not is_whole(process):
        return
    for one in settings_of(hooks, values):
        key, attributes = one.attributes.get("monitor"), one.attributes
        # A ModelCheckpoint that saves every time does not ask how good it was.
        if not isinstance(key, str) or attributes.get("save_best_only") == 0:
            continue
        every = attributes.get("save_freq")
        in_batches = isinstance(every, float) or (one.overrides is not None and not one.has("on_epoch_end"))
        where = _BATCH_ENDS if in_batches else ("on_epoch_end",)
        ends = hooks[hooks["hook"].isin(where).to_numpy(bool)]
        mine = ends[(ends["callback"] == one.callback).to_numpy(bool)]
        given: set[str] = set().union(*mine["logs_before"])
        if not given or key in given:
            continue
        # What was broken off might have been validated later.
        if fit["status"] != "ok" and key.startswith("val_") and not any(name.startswith("val_") for name in given):
            continue
        hook = str(mine["hook"].iloc[0])
        remedy = None
        if in_batches:
            why = f"is in no batch's logs{f' (save_freq={every:g})' if isinstance(every, float) else ''}"
            remedy = 'monitor a key of the batches, such as loss, or save with save_freq="epoch"'
        else:
            why = _why(key, given, mine, ends)
        yield Finding(f"monitors {key}, which {why}", callback=one.callback, hook=hook, remedy=remedy)


def _why(key: str, given: set[str], mine: pd.DataFrame, ends: pd.DataFrame) -> str:
    """Why a callback, whose calls are `mine`, was not given a key."""
    adding = ends[[key in changed for changed in ends["changed"]]]
    if adding.empty:
        return f"is in none of its logs{_hint(key, given)}"
    if adding["parent"].isin(mine["parent"]).any():
        return f"{adding['callback'].iloc[0]} adds only after it"
    return f"{adding['callback'].iloc[0]} adds to logs of its own"


def _hint(key: str, given: set[str]) -> str:
    """What may be meant by a key that is not there."""
    if key.startswith("val_") and not any(one.startswith("val_") for one in given):
        return ": nothing was validated"
    near = get_close_matches(key, sorted(given), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""


@rule(
    "key-unseen",
    effect="callbacks that come later, the History and the progress bar never see it",
    remedy="pass the very logs on, not a copy of them",
    threads=[tensorflow(41851), tensorflow(45895)],
)
def key_unseen(hooks: pd.DataFrame, spans: pd.DataFrame) -> Iterator[Finding]:
    """A key that a callback adds to logs which are not those that the other callbacks of the same hook are given."""
    told: set[tuple[str, str]] = set()
    for outer, inner in _passed_on(hooks, spans):
        for _, call in inner.iterrows():
            unseen = [key for key in call["changed"] if key in call["logs_after"] and key not in outer["logs_after"]]
            new = [key for key in unseen if (call["callback"], key) not in told]
            if new:
                told.update((call["callback"], key) for key in new)
                message = f"adds {', '.join(new)} to logs of its own, unseen by what comes after {outer['callback']}"
                yield _of_call(call, message)


@rule(
    "values-differ",
    effect="they judge by different numbers, and only one of them is the engine's",
    remedy="pass the very logs on, not a copy of them",
    threads=[tensorflow(41851), tensorflow(45895)],
)
def values_differ(hooks: pd.DataFrame, spans: pd.DataFrame) -> Iterator[Finding]:
    """A key whose value is not the same for the callbacks of one hook, though none of them has changed it for all."""
    told: set[str] = set()
    for outer, inner in _passed_on(hooks, spans):
        for _, call in inner.iterrows():
            for key, value in call["logs_after"].items():
                other = outer["logs_after"].get(key)
                if key not in told and _differ(value, other):
                    told.add(key)
                    message = f"sees {key} {value:.6g}; what comes after {outer['callback']} sees {other:.6g}"
                    yield _of_call(call, message)


def _differ(one: object, other: object) -> bool:
    """Whether two values are numbers that differ; what is not a number is one with itself."""
    numbers = isinstance(one, float) and isinstance(other, float)
    return numbers and one != other and not (one != one and other != other)


def _of_call(call: pd.Series, message: str) -> Finding:
    return Finding(
        message, number(call["epoch"]), number(call["batch"]), call["callback"], call["hook"], int(call["span"])
    )


def _passed_on(hooks: pd.DataFrame, spans: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
    """Each call of a callback that passes its hook on to callbacks of its own, and their calls."""
    for span, calls in passed_on(hooks, spans).groupby("outer"):
        outer = hooks[hooks["span"] == span].iloc[0]
        same = calls[calls["hook"].astype(str) == str(outer["hook"])]
        if len(same):
            yield outer, same


KEYS = (key_missing, monitor_missing, key_unseen, values_differ)
