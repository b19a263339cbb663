"""Rules on time that goes to single epochs or batches, or to an engine that runs as Python."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..callback_settings import settings_of
from ..units import duration
from ..value_numbers import number_of
from .regular_intervals import PEAK
from .rule import Finding, keras, rule, tensorflow
from .steady_batches import steady

GAPS = 0.25
"""Gaps between epochs are reported above this share of the fit's time."""
LEAST_GAPS_NS = 500_000_000
"""Gaps that take less in all are never reported."""
EAGER = 0.3
"""Running eagerly is reported if the function takes at least this share of the fit's time."""
LEAST_EAGER_NS = 500_000_000
"""And this long in all."""
LEAST_PROFILED_NS = 10_000_000
"""A hook that stops the profiler in less time is not reported."""
ONCE_MORE = 0.5
"""Histograms are reported if they take at least this part of the time of the validations themselves."""


@rule(
    "gaps-between-epochs",
    effect="each epoch begins with a wait: the data are opened or shuffled anew",
    remedy="a smaller shuffle buffer, dataset.cache(), one dataset with repeat() and steps_per_epoch, or longer epochs",
    threads=[tensorflow(47090), keras(6055), tensorflow(37045)],
)
def gaps_between_epochs(fit: pd.Series, batches: pd.DataFrame) -> Iterator[Finding]:
    """First batches of later epochs that take much longer than the others."""
    train = batches[((batches["stage"] == "train") & batches["epoch"].notna()).to_numpy(bool)]
    is_first = ~train["epoch"].duplicated().to_numpy(bool)
    later, others = train[is_first].iloc[1:], train[~is_first]
    if later.empty or len(others) < 2 * len(later):
        return
    median = float(others["duration_ns"].median())
    retraced = later["retraced"].fillna(False).to_numpy(bool)
    above = (later["duration_ns"] - median).clip(lower=0).where(~retraced, 0)
    total = float(above.sum())
    if total > GAPS * fit["duration_ns"] and total > LEAST_GAPS_NS:
        first = later.iloc[0]
        message = (
            f"the first batch of an epoch takes {duration(float(later['duration_ns'].median()))}, the others "
            f"{duration(median)}: {100 * total / fit['duration_ns']:.0f} % of the fit"
        )
        yield Finding(message, int(first["epoch"]), int(first["batch"]), span=int(first["span"]))


@rule(
    "runs-eagerly",
    effect="train_step runs as Python in each batch, which is many times slower than a compiled function",
    remedy="compile the model without run_eagerly=True, and call tf.config.run_functions_eagerly(False)",
    threads=[tensorflow(30561), tensorflow(33487)],
)
def runs_eagerly(fit: pd.Series, batches: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A model that is compiled with `run_eagerly=True`, if its batches take much of the fit."""
    rows = steady(batches)
    if number_of(values, "compile.run_eagerly") != 1 or rows.empty:
        return
    total = float(rows["function_ns"].sum())
    if total > LEAST_EAGER_NS and total > EAGER * fit["duration_ns"]:
        yield Finding(f"run_eagerly=True: {duration(float(rows['function_ns'].median()))} a batch")


@rule(
    "profiled-batch",
    effect="stopping the profiler and writing its profile makes one batch slow",
    remedy="TensorBoard(profile_batch=0), unless the profile is wanted",
    threads=[tensorflow(37876), tensorflow(37543)],
)
def profiled_batch(hooks: pd.DataFrame) -> Iterator[Finding]:
    """A batch hook of `TensorBoard` that takes many times its median: it stops the profiler."""
    is_own = (hooks["callback"] == "TensorBoard") & hooks["hook"].isin(["on_train_batch_end", "on_train_batch_begin"])
    for hook, calls in hooks[is_own.to_numpy(bool)].groupby("hook", observed=True):
        times = calls["duration_ns"]
        longest = calls.iloc[int(times.to_numpy().argmax())]
        if longest["duration_ns"] > max(PEAK * times.median(), LEAST_PROFILED_NS):
            message = (
                f"takes {duration(float(longest['duration_ns']))}, {duration(float(times.median()))} in the others"
            )
            epoch, batch = int(longest["epoch"]), int(longest["batch"])
            yield Finding(message, epoch, batch, "TensorBoard", str(hook), int(longest["span"]))
            return


@rule(
    "histograms-validate-again",
    effect="TensorBoard runs the validation data once more in each epoch, for histograms",
    remedy="TensorBoard(histogram_freq=0), or a larger one",
    threads=[keras(10091)],
)
def histograms_validate_again(
    fit: pd.Series, hooks: pd.DataFrame, spans: pd.DataFrame, values: pd.DataFrame
) -> Iterator[Finding]:
    """The `TensorBoard` of Keras 2.2, which feeds the validation data to its histograms."""
    if fit["engine"] != "keras-2.2":
        return
    for settings in settings_of(hooks, values):
        every = settings.attributes.get("histogram_freq")
        calls = settings.calls(hooks, "on_epoch_end")
        if not isinstance(every, float) or every < 1 or calls.empty:
            continue
        validation = spans.loc[
            ((spans["phase"] == "validation") & spans["callback"].isna()).to_numpy(bool), "duration_ns"
        ]
        taken = float(calls["duration_ns"].sum())
        if len(validation) and taken > ONCE_MORE * float(validation.sum()):
            times = f"{taken / float(validation.sum()):.1f} times the validation"
            message = f"takes {duration(taken / len(calls))} an epoch, {times} (histogram_freq={every:.0f})"
            epoch, span = int(calls["epoch"].iloc[0]), int(calls["span"].iloc[0])
            yield Finding(message, epoch, None, settings.callback, "on_epoch_end", span)


EPOCH_TIMES = (gaps_between_epochs, runs_eagerly, profiled_batch, histograms_validate_again)
