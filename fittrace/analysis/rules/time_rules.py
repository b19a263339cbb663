"""Rules on time: waiting for data, costly first batches, retracing, growing times, and stalls."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..units import duration
from .regular_intervals import PEAK, interval, standing_out
from .rule import Finding, rule
from .steady_batches import steady

WAIT = 0.3
"""Fetching data is reported above this share of the batches' time."""
LEAST_WAITS_NS = 50_000_000
"""Fetching that takes less time in all is never reported: one pause of the machine may be most of it."""
LEAST_WAIT_NS = 1_000_000
"""Fetching a batch in less time is never reported, if only sampled batches tell."""
LEAST_SAMPLES = 2
"""With fewer sampled batches, the others are not judged by them."""
ALIKE = 0.5
"""The others count as like the sampled batches if they take at least this part of their time."""
FIRST = 0.5
"""The first batch is reported above this share of the fit's time."""
LEAST_NS = 1_000_000_000
"""First batches that cost less in all fits together are never reported."""
LONG_NS = 10_000_000_000
"""First batches of a few fits without XLA are reported only above this cost."""
MANY = 3
"""With so many fits, building functions in each counts as a habit of the program."""
GROWTH = 1.5
"""Batches grow if they take so many times as long at the end of the run as at its beginning."""
LEAST_STALL_NS = 5_000_000
"""A phase that takes less is no stall."""


@rule(
    "data-wait",
    effect="the engine waits for its data instead of training",
    remedy="make batches ahead: tf.data with prefetch, or workers for the generator",
)
def data_wait(batches: pd.DataFrame) -> Iterator[Finding]:
    """Fetching data that takes a large share of the batches' time.

    Where the engine's function fetches the data, only sampled batches show it; the others are judged by them.
    """
    rows = steady(batches)
    if len(rows) <= LEAST_SAMPLES:
        return
    wait, total = rows["slice_ns"].sum(), rows["duration_ns"].sum()
    # `slice` is the time of fetching in Python. All batches have it, so no sample is needed.
    if wait > WAIT * total and wait > LEAST_WAITS_NS:
        mean = duration(wait / len(rows))
        worst = rows.iloc[int(rows["slice_ns"].to_numpy().argmax())]
        message = f"fetching data takes {100 * wait / total:.0f} % of the batches' time, {mean} each"
        yield Finding(message, int(worst["epoch"]), int(worst["batch"]), span=int(worst["span"]))
        return
    sampled = rows[rows["data_wait_ns"].notna().to_numpy(bool)]
    if len(sampled) < LEAST_SAMPLES:
        return
    function = rows["function_ns"]
    typical = float(sampled["function_ns"].median())
    # A quantile below the median is safer: of two sampled batches, only one may have waited.
    share = float((sampled["data_wait_ns"].astype(float) / sampled["function_ns"]).quantile(0.25))
    if function.median() < ALIKE * typical:
        return
    wait = share * function.sum()
    if wait > WAIT * total and wait > LEAST_WAIT_NS * len(rows):
        worst = sampled.iloc[int(sampled["data_wait_ns"].astype(float).to_numpy().argmax())]
        message = (
            f"fetching data takes about {100 * wait / total:.0f} % of the batches' time, {duration(wait / len(rows))} "
            f"each, judged by {len(sampled):,} sampled batches of {len(rows):,}"
        )
        yield Finding(message, int(worst["epoch"]), int(worst["batch"]), span=int(worst["span"]))


@rule(
    "first-batch",
    effect="building the functions takes most of the fit",
    remedy="fit for longer: what the first batch builds serves all others",
)
def first_batch(first_batches: pd.DataFrame) -> Iterator[Finding]:
    """First batches that take most of their fits.

    It is reported once for all fits of a process with the same cause: XLA, or functions that each fit builds.
    """
    if first_batches.empty:
        return
    costly = first_batches[(first_batches["above_ns"] > FIRST * first_batches["fit_ns"]).to_numpy(bool)]
    by_xla = costly["jit_compile"].fillna(False).to_numpy(bool)
    for is_xla, fits in ((True, costly[by_xla]), (False, costly[~by_xla])):
        above = fits["above_ns"].sum()
        if above <= LEAST_NS or not (is_xla or len(fits) >= MANY or above > LONG_NS):
            continue
        of_fits = "the fit" if len(fits) == 1 else f"these {len(fits):,} fits"
        share = f"{100 * above / fits['fit_ns'].sum():.0f} % of {of_fits}"
        cause = "; jit_compile is on" if is_xla else ""
        first = fits.iloc[0]
        remedy = None
        if is_xla:
            remedy = "fit for longer, or compile the model with jit_compile=False, which builds faster"
        elif len(fits) >= MANY:
            remedy = "make and compile the model once, and fit it for longer or again"
        yield Finding(
            f"costs {duration(above)} above the others, {share}{cause}",
            int(first["epoch"]),
            int(first["batch"]),
            span=int(first["span"]),
            remedy=remedy,
            fit=int(first["fit"]),
        )


@rule(
    "function-peaks",
    effect="a tf.function that is retraced runs all of its Python code again",
    remedy="give it batches of one shape (drop the remainder, pad), and tensors instead of Python numbers",
)
def function_peaks(fit: pd.Series, batches: pd.DataFrame) -> Iterator[Finding]:
    """Batches whose function takes many times the median because it is retraced."""
    rows = steady(batches)
    if fit["engine"] not in ("keras-3", "tf-keras") or len(rows) < 10:
        return
    times = rows["function_ns"]
    # If it is not known whether a batch retraced, its time alone decides.
    retraced = rows["retraced"].fillna(True).to_numpy(bool)
    peaks = rows[(times > max(PEAK * times.median(), 50e6)).to_numpy(bool) & retraced]
    if len(peaks) > 3 and peaks["function_ns"].sum() > 0.5 * times.sum():
        first = peaks.iloc[0]
        total = duration(peaks["function_ns"].sum())
        message = f"{len(peaks):,} batches took {PEAK} times the median in function, {total} in all"
        yield Finding(message, int(first["epoch"]), int(first["batch"]), span=int(first["span"]))


@rule(
    "growing-batches",
    effect="the run gets slower the longer it goes on",
    remedy="find what is added in each batch: operations to a graph, entries to a list, metrics",
)
def growing_batches(batches: pd.DataFrame) -> Iterator[Finding]:
    """Batches that take longer and longer over the whole run."""
    rows = steady(batches)
    if len(rows) < 80:
        return
    # Medians of eighths: single slow batches do not matter, and a growth all the way is no chance.
    parts = np.array([np.median(part) for part in np.array_split(rows["duration_ns"].to_numpy(float), 8)])
    if parts[-1] > GROWTH * parts[0] and bool((np.diff(parts) > 0).all()):
        last = rows.iloc[-1]
        message = f"a batch took {duration(parts[0])} in the first eighth of the run, {duration(parts[-1])} in the last"
        yield Finding(message, int(last["epoch"]), int(last["batch"]), span=int(last["span"]))


@rule(
    "stalls",
    effect="the training stands still at intervals",
    remedy="find what happens every so many batches: a refill of the data, a callback that saves, a full disk",
)
def stalls(batches: pd.DataFrame, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A phase that takes many times its median at regular intervals; for hooks, with the slowest of them."""
    rows = steady(batches)
    if len(rows) < 30:
        return
    # `rows` lacks some batches, so intervals are counted in the ordinals of all training batches.
    train = batches[["start_ns"]][(batches["stage"] == "train").to_numpy(bool)]
    ordinals = np.searchsorted(train["start_ns"].to_numpy(), rows["start_ns"].to_numpy())
    for phase in ("slice", "function", "hooks"):
        long = standing_out(rows[f"{phase}_ns"].to_numpy(float), LEAST_STALL_NS)
        if phase == "function":
            # The rule `function-peaks` reports batches that retrace.
            long = long[~rows["retraced"].fillna(False).to_numpy(bool)[long]]
        gap = interval(ordinals[long])
        if gap is None:
            continue
        first = rows.iloc[long[0]]
        callback, hook = _slowest_hook(hooks, rows.iloc[long]) if phase == "hooks" else (None, None)
        times = (
            f"{phase} takes {PEAK} times its median" if callback is None else f"takes {PEAK} times the median of hooks"
        )
        message = f"{times} every {gap} batches, {len(long):,} times"
        yield Finding(message, int(first["epoch"]), int(first["batch"]), callback, hook, span=int(first["span"]))


def _slowest_hook(hooks: pd.DataFrame, batches: pd.DataFrame) -> tuple[str | None, str | None]:
    """The callback and the batch hook that take most time inside `batches`; Nones if there is none."""
    is_batch_hook = hooks["hook"].astype(str).str.contains("batch").to_numpy(bool)
    starts = hooks["start_ns"].to_numpy()
    begins = batches["start_ns"].to_numpy()
    ends = begins + batches["duration_ns"].to_numpy()
    batch = np.searchsorted(begins, starts, "right") - 1
    inside = hooks[is_batch_hook & (batch >= 0) & (starts < ends[batch])]
    times = inside.groupby(["callback", "hook"], observed=True)["duration_ns"].sum()
    if times.empty:
        return None, None
    callback, hook = times.idxmax()
    return str(callback), str(hook)


@rule(
    "callable-rebuilt",
    effect="Function._call builds its TensorFlow callable again instead of reusing it",
    remedy="feed the same tensors and keep the session; do not change feed_dict or run_options between batches",
)
def callable_rebuilt(spans: pd.DataFrame) -> Iterator[Finding]:
    """A TensorFlow callable that the `Function` of Keras 2 makes again and again in one function."""
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
