"""Rules on the values of logs: running means, altered values, NaN and infinity."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from .rule import KERAS_OWN, Finding, keras, number, rule, tensorflow

_EXPECTS_OWN = re.compile(
    r"(lr|learning_?rate)_?(range|find|test)|batch_?(loss|history|logger)|loss_?history|per_?batch", re.I
)
"""Names of callbacks that collect the loss of each batch."""
_MOST_SAMPLES = 8
"""A finding lists at most so many samples of a batch."""


def running_means(hooks: pd.DataFrame) -> set[str]:
    """The keys of a training batch's logs that are running means, means since the epoch began.

    A key is one if in every epoch its value at the last batch is the value at the epoch's end.
    """
    keys: set[str] | None = None
    is_end = hooks["hook"].isin(["on_train_batch_end", "on_batch_end"]) & (hooks["stage"] == "train")
    ends = hooks[["epoch", "batch", "logs_after"]][is_end.to_numpy(bool)]
    if ends.empty:
        return set()
    of_epochs = hooks[(hooks["hook"] == "on_epoch_end").to_numpy(bool)].drop_duplicates("epoch")
    epochs = dict(zip(of_epochs["epoch"].tolist(), of_epochs["logs_before"], strict=True))
    ends = ends.drop_duplicates(["epoch", "batch"])
    firsts, lasts = (ends.drop_duplicates("epoch", keep=keep) for keep in ("first", "last"))
    columns = (edge[name].tolist() for edge in (firsts, lasts) for name in ("epoch", "batch", "logs_after"))
    for epoch, batch, first, _, last_batch, last in zip(*columns, strict=True):
        # In an epoch of one batch, a mean equals the batch's own value.
        if epoch not in epochs or last_batch == batch:
            continue
        # A value that is the same at the first batch may be a constant, so it proves nothing.
        equal = {key for key, value in last.items() if epochs[epoch].get(key) == value != first.get(key)}
        keys = equal if keys is None else keys & equal
    return keys or set()


@rule(
    "running-means",
    effect="what the callback takes for a batch's own value changes ever more slowly as the epoch goes on",
    remedy="compute the batch's own value in train_step, or unroll the mean: n * mean[n] - (n - 1) * mean[n - 1]",
    threads=[tensorflow(58098), keras(13530)],
)
def means_taken_for_own_values(hooks: pd.DataFrame) -> Iterator[Finding]:
    """A callback that gets running means but, by its name or by a key that it adds, expects each batch's own value."""
    means = running_means(hooks) & {"loss"}
    if not means:
        return
    ends = hooks[hooks["hook"] == "on_train_batch_end"]
    for callback, calls in ends.groupby("callback", observed=True):
        first = calls.iloc[0]
        copied = [key for key in first["changed"] if "batch" in key and _copies(calls, key, "loss")]
        if copied:
            why = f"copies loss as {copied[0]}"
        elif _EXPECTS_OWN.search(callback):
            why = "is called as if it collected each batch's loss"
        else:
            continue
        yield Finding(
            f"{why}, but loss is the mean since the epoch began",
            epoch=int(first["epoch"]),
            batch=int(first["batch"]),
            callback=callback,
            hook="on_train_batch_end",
        )


def _copies(calls: pd.DataFrame, key: str, original: str) -> bool:
    """Whether `key` always has the value of `original`."""
    return all(logs.get(key) == logs.get(original) is not None for logs in calls["logs_after"])


@rule(
    "logs-altered",
    effect="callbacks after it, the History and the progress bar see its value and not the engine's",
    remedy="add a key of your own instead",
)
def logs_altered(hooks: pd.DataFrame) -> Iterator[Finding]:
    """A callback that alters or removes a value of the engine or of another callback."""
    is_changing = np.array([bool(changed) for changed in hooks["changed"]], bool)
    if not is_changing.any():
        return
    # Keras' own callbacks do so on purpose: BaseLogger writes the means of an epoch.
    changing = hooks[is_changing & ~hooks["callback"].isin(KERAS_OWN).to_numpy(bool)]
    for (callback, hook), calls in changing.groupby(["callback", "hook"], observed=True):
        reported: set[str] = set()
        for before, after, changed, epoch, batch in _log_changes(calls):
            for key in changed:
                if key in before and key not in reported:
                    reported.add(key)
                    now = _formatted(after[key]) if key in after else "nothing"
                    message = f"makes {key} {now}, which was {_formatted(before[key])}"
                    yield Finding(message, epoch, batch, callback, hook)


def _formatted(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


@rule(
    "not-finite",
    effect="the weights are lost from this batch on",
    remedy="lower the learning rate, clip gradients, or look at the batch's data; TerminateOnNaN stops the training",
)
def not_finite(hooks: pd.DataFrame, batch_samples: Callable[..., np.ndarray | None]) -> Iterator[Finding]:
    """The first value in the logs that is NaN or infinite, with the first callback that gets it and the samples of that
    batch, if they are known."""
    columns = ("logs_before", "callback", "hook", "stage", "epoch", "batch", "span")
    for before, callback, hook, stage, epoch, batch, span in zip(*(hooks[name] for name in columns), strict=True):
        bad = {key: value for key, value in before.items() if isinstance(value, float) and not math.isfinite(value)}
        if bad:
            values = ", ".join(f"{key} is {value}" for key, value in sorted(bad.items()))
            epoch, batch = number(epoch), number(batch)
            samples = None if batch is None else batch_samples(str(stage), epoch, batch)
            of_samples = "" if samples is None else f"; {_listed(samples)}"
            yield Finding(f"{values}; the first to see it{of_samples}", epoch, batch, callback, hook, int(span))
            return


def _listed(samples: np.ndarray) -> str:
    """The samples of a batch in a few words.

    >>> _listed(np.array([24, 25, 26])), _listed(np.array([17, 803, 4]))
    ('samples 24 to 26', 'samples 17, 803, 4')
    """
    if len(samples) > 2 and bool((np.diff(samples) == 1).all()):
        return f"samples {samples[0]} to {samples[-1]}"
    more = f", ... ({len(samples)} in all)" if len(samples) > _MOST_SAMPLES else ""
    return f"samples {', '.join(map(str, samples[:_MOST_SAMPLES]))}{more}"


@rule(
    "last-batch-for-all",
    effect="EarlyStopping and ModelCheckpoint(monitor='val_loss') judge by one batch",
    remedy="validate on arrays, or use Keras 2.2.5 or tf.keras",
    threads=[keras(13469), keras(13780)],
)
def last_batch_for_all(fit: pd.Series, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A val_loss that is the loss of the last validation batch, as Keras 2.3 logs it if batches log their own loss."""
    if fit["engine"] != "keras-2.2":
        return
    ends = hooks[hooks["hook"] == "on_test_batch_end"]
    for epoch, calls in ends.groupby("epoch"):
        # All callbacks get the same logs, so one call of each batch is enough.
        losses = calls.drop_duplicates("batch")["logs_before"].map(lambda logs: logs.get("loss")).dropna().tolist()
        after = hooks[(hooks["hook"] == "on_epoch_end") & (hooks["epoch"] == epoch)]
        val_loss = after.iloc[-1]["logs_after"].get("val_loss") if len(after) else None
        # With equal losses, the last is the mean too.
        if len(losses) > 1 and val_loss == losses[-1] and len(set(losses)) > 1:
            mean = sum(losses) / len(losses)
            message = f"val_loss {val_loss:.6g} is that of the last of {len(losses)} batches; their mean is {mean:.6g}"
            yield Finding(message, int(epoch), hook="on_epoch_end")
            return


def _log_changes(
    calls: pd.DataFrame,
) -> Iterator[tuple[dict[str, float | str], dict[str, float | str], list[str], int | None, int | None]]:
    """For each call: the logs before and after, the keys that it changed, epoch and batch."""
    names = ("logs_before", "logs_after", "changed", "epoch", "batch")
    for before, after, changed, epoch, batch in zip(*(calls[name] for name in names), strict=True):
        yield before, after, changed, number(epoch), number(batch)


LOGS = (
    means_taken_for_own_values,
    logs_altered,
    not_finite,
    last_batch_for_all,
)
