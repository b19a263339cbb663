"""Rules on time: what keeps the training waiting, and what comes back again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .regular_intervals import PEAK, interval, standing_out
from .rule import Finding, rule
from .steady_batches import steady

WAIT = 0.3
"""From this share of the batches' time on, fetching data is a finding."""
LEAST_WAIT_NS = 1_000_000
"""Fetching a batch in less time is not worth a word, where it is judged by samples."""
LEAST_SAMPLES = 2
"""Sampled batches from which on the others are judged by them."""
ALIKE = 0.5
"""From this part of the sampled batches' time on, the others are taken to be like them."""
FIRST = 0.5
"""From this share of the fit's time on, the first batch is a finding."""
LEAST_NS = 2_000_000_000
"""First batches that cost less, of all fits together, are not worth a word."""
LONG_NS = 10_000_000_000
"""From this cost on, one first batch is, whatever it was for."""
MANY = 3
"""From so many fits on, it is a habit to build anew."""
GROWTH = 1.5
"""Times as long as in the beginning a batch must take in the end, having grown all the way."""
LEAST_STALL_NS = 5_000_000
"""A phase that takes less does not stand still."""


@rule(
    "data-wait",
    effect="the engine waits for its data instead of training",
    remedy="make batches ahead: tf.data with prefetch, or workers for the generator",
)
def data_wait(batches: pd.DataFrame) -> Iterator[Finding]:
    """Fetching the next batch that takes a large share of the batches' time. Where it is fetched inside the engine's
    function, the sampled batches tell, and speak for the others."""
    rows = steady(batches)
    if len(rows) <= LEAST_SAMPLES:
        return
    wait, whole = rows["slice_ns"].sum(), rows["duration_ns"].sum()
    if wait > WAIT * whole:
        mean = wait / len(rows) / 1e6
        worst = rows.iloc[int(rows["slice_ns"].to_numpy().argmax())]
        message = f"fetching data takes {100 * wait / whole:.0f} % of the batches' time, {mean:.2f} ms each"
        yield Finding(message, int(worst["epoch"]), int(worst["batch"]), span=int(worst["span"]))
        return
    sampled = rows[rows["data_wait_ns"].notna().to_numpy(bool)]
    if len(sampled) < LEAST_SAMPLES:
        return
    function = rows["function_ns"]
    typical = float(sampled["function_ns"].median())
    # Not the median: of two batches one alone may have waited.
    share = float((sampled["data_wait_ns"].astype(float) / sampled["function_ns"]).quantile(0.25))
    if function.median() < ALIKE * typical:
        return
    wait = share * function.sum()
    if wait > WAIT * whole and wait > LEAST_WAIT_NS * len(rows):
        worst = sampled.iloc[int(sampled["data_wait_ns"].astype(float).to_numpy().argmax())]
        message = (
            f"fetching data takes about {100 * wait / whole:.0f} % of the batches' time, {wait / len(rows) / 1e6:.2f} "
            f"ms each, judged by {len(sampled):,} sampled batches of {len(rows):,}"
        )
        yield Finding(message, int(worst["epoch"]), int(worst["batch"]), span=int(worst["span"]))


@rule(
    "first-batch",
    effect="the fit is short beside what it takes to build the functions that it runs",
    remedy="fit for longer: what the first batch builds serves all others",
)
def first_batch(first_batches: pd.DataFrame) -> Iterator[Finding]:
    """First batches that take most of their fits, told once for all fits of a process that have the same cause: XLA,
    or functions that each fit builds anew."""
    if first_batches.empty:
        return
    costly = first_batches[(first_batches["above_ns"] > FIRST * first_batches["fit_ns"]).to_numpy(bool)]
    by_xla = costly["jit_compile"].fillna(False).to_numpy(bool)
    for xla, fits in ((True, costly[by_xla]), (False, costly[~by_xla])):
        above = fits["above_ns"].sum()
        if above <= LEAST_NS or not (xla or len(fits) >= MANY or above > LONG_NS):
            continue
        share = f"{100 * above / fits['fit_ns'].sum():.0f} % of"
        of = f"{share} the fit" if len(fits) == 1 else f"{share} these {len(fits):,} fits"
        cause = "; jit_compile is on" if xla else ""
        first = fits.iloc[0]
        remedy = None
        if xla:
            remedy = "fit for longer, or compile the model with jit_compile=False, which builds faster"
        elif len(fits) >= MANY:
            remedy = "make and compile the model once, and fit it for longer or again"
        yield Finding(
            f"costs {above / 1e9:.2f} s above the others, {of}{cause}",
            int(first["epoch"]),
            int(first["batch"]),
            span=int(first["span"]),
            remedy=remedy,
            fit=int(first["fit"]),
        )


@rule(
    "function-peaks",
    effect="a tf.function that is traced anew does all of its work in Python again",
    remedy="give it batches of one shape (drop the remainder, pad), and tensors instead of Python numbers",
)
def function_peaks(fit: pd.Series, batches: pd.DataFrame) -> Iterator[Finding]:
    """Batches whose function takes many times the median, again and again, because it is traced anew."""
    rows = steady(batches)
    if fit["engine"] not in ("keras-3", "tf-keras") or len(rows) < 10:
        return
    times = rows["function_ns"]
    # Where it is not told whether a batch was traced anew, its time speaks for it.
    anew = rows["retraced"].fillna(True).to_numpy(bool)
    peaks = rows[(times > max(PEAK * times.median(), 50e6)).to_numpy(bool) & anew]
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
    rows = steady(batches)
    if len(rows) < 80:
        return
    parts = np.array([np.median(part) for part in np.array_split(rows["duration_ns"].to_numpy(float), 8)])
    if parts[-1] > GROWTH * parts[0] and bool((np.diff(parts) > 0).all()):
        last = rows.iloc[-1]
        message = (
            f"a batch took {parts[0] / 1e6:.2f} ms in the first eighth of the run, {parts[-1] / 1e6:.2f} ms in the last"
        )
        yield Finding(message, int(last["epoch"]), int(last["batch"]), span=int(last["span"]))


@rule(
    "stalls",
    effect="the training stands still at intervals",
    remedy="look at what happens every so many batches: a refill of the data, a callback that saves, a full disk",
)
def stalls(batches: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A phase of the batch that takes many times its median at regular intervals, and the callback whose hook it is."""
    rows = steady(batches)
    if len(rows) < 30:
        return
    train = batches[["start_ns"]][(batches["stage"] == "train").to_numpy(bool)]
    ordinals = np.searchsorted(train["start_ns"].to_numpy(), rows["start_ns"].to_numpy())
    for phase in ("slice", "function", "hooks"):
        places = standing_out(rows[f"{phase}_ns"].to_numpy(float), LEAST_STALL_NS)
        if phase == "function":
            # Of those that were traced anew another rule tells.
            places = places[~rows["retraced"].fillna(False).to_numpy(bool)[places]]
        apart = interval(ordinals[places])
        if apart is None:
            continue
        first = rows.iloc[places[0]]
        who = _longest(hooks, rows.iloc[places]) if phase == "hooks" else (None, None)
        times = (
            f"{phase} takes {PEAK} times its median" if who[0] is None else f"takes {PEAK} times the median of hooks"
        )
        message = f"{times} every {apart} batches, {len(places):,} times"
        yield Finding(message, int(first["epoch"]), int(first["batch"]), *who, span=int(first["span"]))


def _longest(hooks: pd.DataFrame, batches: pd.DataFrame) -> tuple[str | None, str | None]:
    """The callback and the hook that take most of the time of `batches`."""
    batch, at = hooks["hook"].astype(str).str.contains("batch").to_numpy(bool), hooks["start_ns"].to_numpy()
    begins = batches["start_ns"].to_numpy()
    within = np.searchsorted(begins, at, "right") - 1
    ends = begins + batches["duration_ns"].to_numpy()
    taken = hooks[batch & (within >= 0) & (at < ends[within])].groupby(["callback", "hook"], observed=True)
    times = taken["duration_ns"].sum()
    if times.empty:
        return None, None
    callback, hook = times.idxmax()
    return str(callback), str(hook)


@rule(
    "callable-rebuilt",
    effect="Function._call builds its TensorFlow callable anew instead of keeping it",
    remedy="feed the same tensors and keep the session; do not change feed_dict or run_options between batches",
)
def callable_rebuilt(spans: pd.DataFrame) -> Iterator[Finding]:
    """A callable that the reference engine's `Function` makes more often than once for each function."""
    names = [name for name in spans["name"].unique() if name.endswith("._make_callable")]
    if not names:
        return
    made = spans[(spans["name"].isin(names) & spans["batch"].notna()).to_numpy(bool)]
    for stage, calls in made.groupby("stage", observed=True):
        if len(calls) > 3:
            second = calls.iloc[1]
            times = f"{len(calls):,} times in {stage} batches"
            yield Finding(f"made {times}", int(second["epoch"]), int(second["batch"]), span=int(second["span"]))


TIMING = (data_wait, first_batch, function_peaks, growing_batches, stalls, callable_rebuilt)
