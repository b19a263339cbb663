"""Rules on what happens inside an epoch: a stop, an evaluate, the progress bar."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from .logs import running_means
from .model import KERAS_OWN, Finding, is_whole, keras, rule, tensorflow


def who_stopped(hooks: pd.DataFrame, epoch: int, batch: int) -> list[str]:
    """The callbacks that may have set `stop_training` in a batch: those whose hooks ran last in it, but for Keras' own,
    of which only one ever does."""
    last = hooks[(hooks["epoch"] == epoch) & (hooks["batch"] == batch) & (hooks["stage"] == "train")]
    last = last[last["hook"].isin(["on_train_batch_end", "on_batch_end"])]
    return [name for name in last["callback"] if name not in KERAS_OWN or name == "TerminateOnNaN"]


@rule(
    "validation-skipped",
    effect="the last epoch's logs have no val_ keys: ModelCheckpoint and EarlyStopping miss the epoch",
    remedy="set stop_training in on_epoch_end, or call model.evaluate after fit",
    threads=[keras(12268)],
)
def validation_skipped(
    fit: pd.Series, process: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame
) -> Iterator[Finding]:
    """A last epoch that was left early and not validated, where all epochs before were."""
    if fit["status"] != "ok" or not is_whole(process):
        return
    train = batches[batches["stage"] == "train"]
    counts = train.groupby("epoch").size()
    validated = set(batches.loc[batches["stage"] == "test", "epoch"].dropna())
    if len(counts) < 2:
        return
    *before, last = counts.index
    left_early = counts[last] < counts[before].max()
    if left_early and last not in validated and set(before) <= validated:
        final = train[train["epoch"] == last].iloc[-1]
        epoch, batch = int(last), int(final["batch"])
        names = who_stopped(hooks, epoch, batch)
        by = f", stopped by {' or '.join(names)}" if names else ""
        message = f"left after batch {batch}{by}, and not validated, as the {len(before)} before it were"
        yield Finding(message, epoch, batch, names[0] if len(names) == 1 else None, span=int(final["span"]))


@rule(
    "metrics-reset",
    effect="the metrics begin anew: the epoch's loss is that of the data evaluated and of the batches after it",
    remedy="evaluate in on_epoch_end, or with a second model that shares the layers",
    threads=[keras(16526), keras(12959), tensorflow(42994)],
)
def metrics_reset(inner: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """An evaluate that a callback calls inside an epoch, where batches log running means."""
    evaluates = inner[inner["method"].astype(str).str.startswith("evaluate")]
    if evaluates.empty or not running_means(hooks):
        return
    called = evaluates.merge(hooks, left_on="parent_span", right_on="span", suffixes=("", "_of_hook"))
    called = called[called["hook"].isin(["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"])]
    for (callback, hook), calls in called.groupby(["callback", "hook"], observed=True):
        first = calls.iloc[0]
        epoch, batch = int(first["epoch"]), first["batch"]
        message = f"calls evaluate inside the epoch; calls in all: {len(calls):,}"
        yield Finding(
            message, epoch, None if batch is pd.NA else int(batch), callback, hook, int(first["span_of_hook"])
        )


@rule(
    "mean-of-means",
    effect="the progress bar (verbose=1) shows a loss that is none: the mean of the means that it was given",
    remedy="believe the History, or upgrade to Keras 3.15 or later",
    threads=[keras(21301)],
)
def mean_of_means(fit: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """The progress bar of Keras 3 before 3.15, which averages running means once more."""
    version = re.match(r"(\d+)\.(\d+)", str(fit["engine_version"]))
    if fit["engine"] != "keras-3" or version is None or (int(version[1]), int(version[2])) >= (3, 15):
        return
    bar = hooks[(hooks["callback"] == "ProgbarLogger") & (hooks["hook"] == "on_train_batch_end")]
    if "loss" not in running_means(hooks):
        return
    for epoch, calls in bar.groupby("epoch"):
        means = [logs["loss"] for logs in calls["logs_before"] if "loss" in logs]
        if len(means) > 1:
            shown, true = sum(means) / len(means), means[-1]
            message = f"shows about {shown:.6g} for a loss of {true:.6g}"
            yield Finding(message, int(epoch), int(calls["batch"].iloc[-1]), "ProgbarLogger", "on_train_batch_end")
            return


BATCH_LOOP = (validation_skipped, metrics_reset, mean_of_means)
