"""Rules on what happens to means inside an epoch: an evaluate, the progress bar."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from .logs import running_means
from .model import Finding, keras, rule, tensorflow


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


BATCH_LOOP = (metrics_reset, mean_of_means)
