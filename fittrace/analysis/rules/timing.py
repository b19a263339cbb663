"""Rules on time: what keeps the training waiting, and what comes back again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .model import Finding, rule

WAIT = 0.3
"""From this share of the batches' time on, fetching data is a finding."""
FIRST = 0.5
"""From this share of the fit's time on, the first batch is."""
LEAST_NS = 1_000_000_000
"""A first batch that costs less is not worth a word."""
GROWTH = 1.5
"""Times as long as in the beginning a batch must take in the end, having grown all the way."""
PEAK = 10
"""Times the median from which on a phase has a peak."""


def _steady(batches: pd.DataFrame) -> pd.DataFrame:
    """The training batches without the first and the last of each epoch, where iterators begin and end."""
    train = batches[(batches["stage"] == "train") & (batches["status"] == "ok")]
    place = train.groupby("epoch").cumcount()
    sizes = train.groupby("epoch")["span"].transform("size")
    steady: pd.DataFrame = train[(place > 0) & (place < sizes - 1)]
    return steady


@rule(
    "data-wait",
    effect="the engine waits for its data instead of training",
    remedy="make batches ahead: tf.data with prefetch, or workers for the generator",
)
def data_wait(batches: pd.DataFrame) -> Iterator[Finding]:
    """Fetching the next batch that takes a large share of the batches' time. (Keras 3 fetches inside of its function,
    where it cannot be told apart.)"""
    steady = _steady(batches)
    wait, whole = steady["slice_ns"].sum(), steady["duration_ns"].sum()
    if len(steady) > 2 and wait > WAIT * whole:
        mean = wait / len(steady) / 1e6
        worst = steady.iloc[int(steady["slice_ns"].to_numpy().argmax())]
        message = f"fetching data takes {100 * wait / whole:.0f} % of the batches' time, {mean:.2f} ms each"
        yield Finding(message, int(worst["epoch"]), int(worst["batch"]), span=int(worst["span"]))


@rule(
    "first-batch",
    effect="the fit is short beside what it takes to build the functions that it runs",
    remedy="fit for longer, or once instead of many times; jit_compile=False builds faster",
)
def first_batch(fit: pd.Series, batches: pd.DataFrame) -> Iterator[Finding]:
    """A first batch that takes more than all others together."""
    train = batches[batches["stage"] == "train"]
    if len(train) < 20:
        return
    first, rest = train.iloc[0], train.iloc[1:]["duration_ns"].median()
    above = first["duration_ns"] - rest
    if above > LEAST_NS and above > FIRST * fit["duration_ns"]:
        share = 100 * above / fit["duration_ns"]
        message = f"costs {above / 1e9:.2f} s above the others, {share:.0f} % of the fit"
        yield Finding(message, int(first["epoch"]), int(first["batch"]), span=int(first["span"]))


@rule(
    "function-peaks",
    effect="a tf.function that is traced anew does all of its work in Python again",
    remedy="give it batches of one shape (drop the remainder, pad), and tensors instead of Python numbers",
)
def function_peaks(fit: pd.Series, batches: pd.DataFrame) -> Iterator[Finding]:
    """Batches whose function takes many times the median, again and again, as when it is traced anew."""
    steady = _steady(batches)
    if fit["engine"] not in ("keras-3", "tf-keras") or len(steady) < 10:
        return
    times = steady["function_ns"]
    peaks = steady[times > max(PEAK * times.median(), 50e6)]
    if len(peaks) > 3 and peaks["function_ns"].sum() > 0.5 * times.sum():
        first = peaks.iloc[0]
        rest = peaks["function_ns"].sum() / 1e9
        message = f"{len(peaks):,} batches took {PEAK} times the median in function, {rest:.2f} s in all"
        yield Finding(message, int(first["epoch"]), int(first["batch"]), span=int(first["span"]))


@rule(
    "growing-batches",
    effect="the run gets slower the longer it goes on",
    remedy="look for what is added in each batch: operations to a graph, entries to a list, metrics",
)
def growing_batches(batches: pd.DataFrame) -> Iterator[Finding]:
    """Batches that take longer and longer over the whole run."""
    steady = _steady(batches)
    if len(steady) < 80:
        return
    parts = np.array([np.median(part) for part in np.array_split(steady["duration_ns"].to_numpy(float), 8)])
    if parts[-1] > GROWTH * parts[0] and bool((np.diff(parts) > 0).all()):
        last = steady.iloc[-1]
        message = (
            f"a batch took {parts[0] / 1e6:.2f} ms in the first eighth of the run, {parts[-1] / 1e6:.2f} ms in the last"
        )
        yield Finding(message, int(last["epoch"]), int(last["batch"]), span=int(last["span"]))


@rule(
    "stalls",
    effect="the training stands still at intervals",
    remedy="look at what happens every so many batches: a refill of the data, a callback that saves, a full disk",
)
def stalls(batches: pd.DataFrame) -> Iterator[Finding]:
    """A phase of the batch that takes many times its median at regular intervals."""
    steady = _steady(batches).reset_index(drop=True)
    if len(steady) < 30:
        return
    for phase in ("slice", "function", "hooks"):
        times = steady[f"{phase}_ns"].to_numpy(float)
        places = np.flatnonzero(times > max(PEAK * float(np.median(times)), 5e6))
        gaps = np.diff(places)
        if len(gaps) > 3 and gaps.min() > 1 and gaps.max() - gaps.min() <= max(1.0, 0.1 * gaps.mean()):
            first = steady.iloc[places[0]]
            message = f"{phase} takes {PEAK} times its median every {gaps.mean():.0f} batches, {len(places):,} times"
            yield Finding(message, int(first["epoch"]), int(first["batch"]), span=int(first["span"]))


@rule(
    "callable-rebuilt",
    effect="Function._call builds its TensorFlow callable anew instead of keeping it",
    remedy="feed the same tensors and keep the session; do not change feed_dict or run_options between batches",
)
def callable_rebuilt(spans: pd.DataFrame) -> Iterator[Finding]:
    """A callable that the reference engine's `Function` makes more often than once for each function."""
    made = spans[spans["name"].astype(str).str.endswith("._make_callable") & spans["batch"].notna()]
    for stage, calls in made.groupby("stage", observed=True):
        if len(calls) > 3:
            second = calls.iloc[1]
            times = f"{len(calls):,} times in {stage} batches"
            yield Finding(f"made {times}", int(second["epoch"]), int(second["batch"]), span=int(second["span"]))


TIMING = (data_wait, first_batch, function_peaks, growing_batches, stalls, callable_rebuilt)
