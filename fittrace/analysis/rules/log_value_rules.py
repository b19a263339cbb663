"""Rules on the logs that hooks are given."""

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
"""Names of callbacks that collect what each batch has lost."""
_MOST_SAMPLES = 8
"""Samples of a batch that are named."""


def running_means(hooks: pd.DataFrame) -> set[str]:
    """The keys of the logs at a training batch's end that are means since the epoch began: at the last batch of every
    epoch they are what the epoch's end is given."""
    found: set[str] | None = None
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
        if epoch not in epochs or last_batch == batch:
            continue
        # Of a value that never changes nothing can be told.
        alike = {key for key, value in last.items() if epochs[epoch].get(key) == value != first.get(key)}
        found = alike if found is None else found & alike
    return found or set()


@rule(
    "running-means",
    effect="what the callback takes for a batch's own value changes ever more slowly as the epoch goes on",
    remedy="compute the batch's own value in train_step, or unroll the mean: n * mean[n] - (n - 1) * mean[n - 1]",
    threads=[tensorflow(58098), keras(13530)],
)
def means_taken_for_own_values(hooks: pd.DataFrame) -> Iterator[Finding]:
    """A callback that, after its name or the key that it adds, wants each batch's own value, and is given means."""
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
    return all(logs.get(key) == logs.get(original) is not None for logs in calls["logs_after"])


@rule(
    "logs-altered",
    effect="callbacks after it, the History and the progress bar see its value and not the engine's",
    remedy="add a key of your own instead",
)
def logs_altered(hooks: pd.DataFrame) -> Iterator[Finding]:
    """A callback that alters or removes what the engine, or another callback, has put into the logs."""
    # Keras' own do: BaseLogger makes the means of an epoch.
    is_changing = np.array([bool(changed) for changed in hooks["changed"]], bool)
    if not is_changing.any():
        return
    changing = hooks[is_changing & ~hooks["callback"].isin(KERAS_OWN).to_numpy(bool)]
    for (callback, hook), calls in changing.groupby(["callback", "hook"], observed=True):
        told: set[str] = set()
        for before, after, changed, epoch, batch in _columns(calls):
            for key in changed:
                if key in before and key not in told:
                    told.add(key)
                    now = _shown(after[key]) if key in after else "nothing"
                    yield Finding(f"makes {key} {now}, which was {_shown(before[key])}", epoch, batch, callback, hook)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


@rule(
    "not-finite",
    effect="the weights are lost from this batch on",
    remedy="lower the learning rate, clip gradients, or look at the batch's data; TerminateOnNaN stops the training",
)
def not_finite(hooks: pd.DataFrame, batch_samples: Callable[..., np.ndarray | None]) -> Iterator[Finding]:
    """The first value in the logs that is no finite number, the first callback that was given it, and the samples of
    that batch, where the engine tells them."""
    columns = ("logs_before", "callback", "hook", "stage", "epoch", "batch", "span")
    for before, callback, hook, stage, epoch, batch, span in zip(*(hooks[name] for name in columns), strict=True):
        bad = {key: value for key, value in before.items() if isinstance(value, float) and not math.isfinite(value)}
        if bad:
            told = ", ".join(f"{key} is {value}" for key, value in sorted(bad.items()))
            place = number(epoch), number(batch)
            samples = None if place[1] is None else batch_samples(str(stage), *place)
            of = "" if samples is None else f"; {_listed(samples)}"
            yield Finding(f"{told}; the first to see it{of}", *place, callback, hook, int(span))
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
    """A val_loss that is the loss of the last validation batch, in Keras 2.3, whose batches log their own."""
    if fit["engine"] != "keras-2.2":
        return
    ends = hooks[hooks["hook"] == "on_test_batch_end"]
    for epoch, calls in ends.groupby("epoch"):
        losses = calls.drop_duplicates("batch")["logs_before"].map(lambda logs: logs.get("loss")).dropna().tolist()
        after = hooks[(hooks["hook"] == "on_epoch_end") & (hooks["epoch"] == epoch)]
        told = after.iloc[-1]["logs_after"].get("val_loss") if len(after) else None
        if len(losses) > 1 and told == losses[-1] and len(set(losses)) > 1:
            mean = sum(losses) / len(losses)
            message = f"val_loss {told:.6g} is that of the last of {len(losses)} batches; their mean is {mean:.6g}"
            yield Finding(message, int(epoch), hook="on_epoch_end")
            return


def _columns(
    calls: pd.DataFrame,
) -> Iterator[tuple[dict[str, float | str], dict[str, float | str], list[str], int | None, int | None]]:
    names = ("logs_before", "logs_after", "changed", "epoch", "batch")
    for before, after, changed, epoch, batch in zip(*(calls[name] for name in names), strict=True):
        yield before, after, changed, number(epoch), number(batch)


LOGS = (
    means_taken_for_own_values,
    logs_altered,
    not_finite,
    last_batch_for_all,
)
