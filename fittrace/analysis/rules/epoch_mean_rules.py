"""Rules on the running means of an epoch: an evaluate that resets them, a progress bar that averages them again."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from .log_value_rules import running_means
from .rule import KERAS_OWN, Finding, keras, number, rule, tensorflow, version_of


@rule(
    "metrics-reset",
    effect="evaluate resets the metrics: the epoch's loss covers only the evaluated data and the batches after it",
    remedy="evaluate in on_epoch_end, or with a second model that shares the layers",
    threads=[keras(16526), keras(12959), tensorflow(42994)],
)
def metrics_reset(fit: pd.Series, inner: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A callback that calls evaluate inside an epoch, while batches log running means."""
    if inner.empty:
        return
    evaluates = inner[inner["method"].astype(str).str.startswith("evaluate").to_numpy(bool)]
    called = evaluates.merge(hooks, left_on="parent_span", right_on="span", suffixes=("", "_of_hook"))
    called = called[called["hook"].isin(["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"])]
    if called.empty or not (running_means(hooks) or _is_replaced(fit, called, hooks)):
        return
    for (callback, hook), calls in called.groupby(["callback", "hook"], observed=True):
        first = calls.iloc[0]
        message = f"calls evaluate inside the epoch; calls in all: {len(calls):,}"
        epoch, batch = number(first["epoch"]), number(first["batch"])
        yield Finding(message, epoch, batch, callback, hook, int(first["span_of_hook"]))


def _is_replaced(fit: pd.Series, called: pd.DataFrame, hooks: pd.DataFrame) -> bool:
    """Whether in every epoch an evaluate in the last batch's end replaced the loss of the epoch.

    `running_means` finds nothing then: it compares the logs of the last batch with those of the epoch's end, and these
    differ in every epoch.
    """
    # Only these engines read an epoch's logs from the metrics after the last batch's hooks.
    if fit["engine"] not in ("keras-3", "tf-keras"):
        return False
    ends = hooks[((hooks["hook"] == "on_train_batch_end") & hooks["epoch"].notna()).to_numpy(bool)]
    last = ends.drop_duplicates("epoch", keep="last").set_index("epoch")
    after = hooks[(hooks["hook"] == "on_epoch_end").to_numpy(bool)].drop_duplicates("epoch").set_index("epoch")
    evaluated = called[called["hook"] == "on_train_batch_end"].groupby("epoch")["batch"].max()
    epochs = [epoch for epoch in evaluated.index if epoch in last.index and epoch in after.index]
    replaced = [
        last.at[epoch, "batch"] == evaluated[epoch]
        and last.at[epoch, "logs_after"].get("loss") not in (None, after.at[epoch, "logs_before"].get("loss"))
        for epoch in epochs
    ]
    return bool(replaced) and all(replaced)


@rule(
    "mean-of-means",
    effect="the progress bar (verbose=1) shows a wrong loss: the mean of running means",
    remedy="read the loss in the History, or upgrade to Keras 3.15 or later",
    threads=[keras(21301)],
)
def mean_of_means(fit: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """The progress bar of Keras 3 before 3.15, which averages running means again."""
    if fit["engine"] != "keras-3" or not _bar_averages(fit):
        return
    bar = hooks[(hooks["callback"] == "ProgbarLogger") & (hooks["hook"] == "on_train_batch_end")]
    if "loss" not in running_means(hooks):
        return
    for epoch, calls in bar.groupby("epoch"):
        means = [logs["loss"] for logs in calls["logs_before"] if "loss" in logs]
        if len(means) > 1:
            # An estimate: here all calls weigh the same, while the bar weighs them by their steps.
            shown, true = sum(means) / len(means), means[-1]
            message = f"shows about {shown:.6g} for a loss of {true:.6g}"
            yield Finding(message, int(epoch), int(calls["batch"].iloc[-1]), "ProgbarLogger", "on_train_batch_end")
            return


def _bar_averages(fit: pd.Series) -> bool:
    """Whether the progress bar averages what it gets in each batch. That of Keras 3.15 and later does not."""
    return bool(fit["engine"] != "keras-3" or (3, 0) <= version_of(fit) < (3, 15))


AVERAGED = 0.01
"""The bar's average is reported if it differs from the last value by more than this share."""


@rule(
    "bar-average",
    effect="the progress bar (verbose=1) shows the average of the values since the epoch began, not the value",
    remedy="log the key at on_epoch_end, or upgrade to Keras 3.15 or later, whose bar does not average",
    threads=[tensorflow(62643)],
)
def bar_average(fit: pd.Series, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A key that a callback adds to the logs of batches, where the progress bar averages what it gets."""
    if not _bar_averages(fit):
        return
    is_end = hooks["hook"].isin(["on_train_batch_end", "on_batch_end"]).to_numpy(bool)
    bar = hooks[is_end & (hooks["callback"] == "ProgbarLogger").to_numpy(bool)]
    others = hooks[is_end & ~hooks["callback"].isin(KERAS_OWN).to_numpy(bool)]
    added = {
        key: callback
        for callback, changed, before in zip(others["callback"], others["changed"], others["logs_before"], strict=True)
        for key in changed
        if key not in before
    }
    for epoch, calls in bar.groupby("epoch"):
        for key, callback in added.items():
            values = [logs[key] for logs in calls["logs_before"] if isinstance(logs.get(key), float)]
            # An estimate: here all calls weigh the same, while the bar weighs them by their steps.
            shown, last = (sum(values) / len(values), values[-1]) if values else (0.0, 0.0)
            if len(values) > 1 and abs(shown - last) > AVERAGED * abs(last):
                message = f"shows about {shown:.6g} for {key}, whose last value is {last:.6g}, of {callback}"
                yield Finding(
                    message, int(epoch), int(calls["batch"].iloc[-1]), "ProgbarLogger", str(bar["hook"].iloc[0])
                )
                return


BATCH_LOOP = (metrics_reset, mean_of_means, bar_average)
