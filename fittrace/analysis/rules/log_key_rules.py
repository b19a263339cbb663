"""Rules on the keys of logs: missing keys, monitored keys, and keys or values that only some callbacks see."""

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
    remedy="make sure that the key is in the logs of every epoch",
)
def key_missing(process: pd.Series, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A key of an epoch's logs that all epochs before had. Keys of validation may be missing in some epochs."""
    if not is_whole(process):
        return
    ends = hooks[hooks["hook"] == "on_epoch_end"]
    known: set[str] | None = None
    for epoch, calls in ends.groupby("epoch"):
        keys = {key for key in calls.iloc[-1]["logs_after"] if not key.startswith("val_")}
        missing = sorted((known or set()) - keys)
        if missing:
            yield Finding(
                f"{', '.join(missing)} is missing, which all epochs before had", int(epoch), hook="on_epoch_end"
            )
        known = keys if known is None else known & keys


@rule(
    "monitor-missing",
    effect="the callback never gets its value: EarlyStopping never stops, ModelCheckpoint never saves or, in newer "
    "versions of Keras, saves every time",
    remedy="monitor a key that is there; a callback that adds it must come before in the list",
    threads=[keras(13689)],
)
def monitor_missing(fit: pd.Series, process: pd.Series, hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A callback that monitors a key which is never in the logs that it reads: those of an epoch's or a batch's end."""
    if not is_whole(process):
        return
    for settings in settings_of(hooks, values):
        key, attributes = settings.attributes.get("monitor"), settings.attributes
        # A ModelCheckpoint that saves every time does not read the key.
        if not isinstance(key, str) or attributes.get("save_best_only") == 0:
            continue
        every = attributes.get("save_freq")
        # A numeric `save_freq` counts batches. A callback without `on_epoch_end` can only read the logs of batches.
        in_batches = isinstance(every, float) or (settings.overrides is not None and not settings.has("on_epoch_end"))
        hooks_that_read = _BATCH_ENDS if in_batches else ("on_epoch_end",)
        ends = hooks[hooks["hook"].isin(hooks_that_read).to_numpy(bool)]
        own = ends[(ends["callback"] == settings.callback).to_numpy(bool)]
        keys: set[str] = set().union(*own["logs_before"])
        if not keys or key in keys:
            continue
        # An interrupted fit might have validated later.
        if fit["status"] != "ok" and key.startswith("val_") and not _is_validated(keys):
            continue
        hook = str(own["hook"].iloc[0])
        remedy = None
        if in_batches:
            why = f"is in no batch's logs{f' (save_freq={every:g})' if isinstance(every, float) else ''}"
            remedy = 'monitor a key of the batches, such as loss, or save with save_freq="epoch"'
        else:
            why = _why_missing(key, keys, own, ends)
        yield Finding(f"monitors {key}, which {why}", callback=settings.callback, hook=hook, remedy=remedy)


def _is_validated(keys: set[str]) -> bool:
    return any(key.startswith("val_") for key in keys)


def _why_missing(key: str, keys: set[str], own: pd.DataFrame, ends: pd.DataFrame) -> str:
    """Why a callback does not get a key.

    - `key`: the key that it monitors.
    - `keys`: the keys that it gets.
    - `own`: the calls of its hook.
    - `ends`: the calls of the same hook of all callbacks.
    """
    adding = ends[[key in changed for changed in ends["changed"]]]
    if adding.empty:
        return f"is in none of its logs{_hint(key, keys)}"
    # With the same parent, both were called in one pass, with one dict.
    if adding["parent"].isin(own["parent"]).any():
        return f"{adding['callback'].iloc[0]} adds only after it"
    return f"{adding['callback'].iloc[0]} adds to logs of its own"


def _hint(key: str, keys: set[str]) -> str:
    """A hint why `key` is not among `keys`, or what may be meant."""
    if key.startswith("val_") and not _is_validated(keys):
        return ": nothing was validated"
    near = get_close_matches(key, sorted(keys), 1, 0.5)
    return f"; did you mean {near[0]}?" if near else ""


@rule(
    "key-unseen",
    effect="callbacks that come later, the History and the progress bar never see it",
    remedy="pass on the same dict of logs, not a copy",
    threads=[tensorflow(41851), tensorflow(45895)],
)
def key_unseen(hooks: pd.DataFrame, spans: pd.DataFrame) -> Iterator[Finding]:
    """A key that a callback adds to a copy of the logs, so that callbacks after it do not get it."""
    reported: set[tuple[str, str]] = set()
    for outer, inner in _passed_on(hooks, spans):
        for _, call in inner.iterrows():
            unseen = [key for key in call["changed"] if key in call["logs_after"] and key not in outer["logs_after"]]
            new = [key for key in unseen if (call["callback"], key) not in reported]
            if new:
                reported.update((call["callback"], key) for key in new)
                message = f"adds {', '.join(new)} to logs of its own, unseen by what comes after {outer['callback']}"
                yield _of_call(call, message)


@rule(
    "values-differ",
    effect="they judge by different numbers, and only one of them is the engine's",
    remedy="pass on the same dict of logs, not a copy",
    threads=[tensorflow(41851), tensorflow(45895)],
)
def values_differ(hooks: pd.DataFrame, spans: pd.DataFrame) -> Iterator[Finding]:
    """A key with different values for the callbacks of one hook, though none of them changed it for all."""
    reported: set[str] = set()
    for outer, inner in _passed_on(hooks, spans):
        for _, call in inner.iterrows():
            for key, value in call["logs_after"].items():
                other = outer["logs_after"].get(key)
                if key not in reported and _differ(value, other):
                    reported.add(key)
                    message = f"sees {key} {value:.6g}; what comes after {outer['callback']} sees {other:.6g}"
                    yield _of_call(call, message)


def _differ(a: object, b: object) -> bool:
    """Whether two values are numbers that differ; two NaNs do not."""
    are_numbers = isinstance(a, float) and isinstance(b, float)
    return are_numbers and a != b and not (a != a and b != b)


def _of_call(call: pd.Series, message: str) -> Finding:
    return Finding(
        message, number(call["epoch"]), number(call["batch"]), call["callback"], call["hook"], int(call["span"])
    )


def _passed_on(hooks: pd.DataFrame, spans: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
    """Each call of a callback that passes its hook on to callbacks of its own, with the calls of these."""
    for span, calls in passed_on(hooks, spans).groupby("outer"):
        outer = hooks[hooks["span"] == span].iloc[0]
        same = calls[calls["hook"].astype(str) == str(outer["hook"])]
        if len(same):
            yield outer, same


KEYS = (key_missing, monitor_missing, key_unseen, values_differ)
