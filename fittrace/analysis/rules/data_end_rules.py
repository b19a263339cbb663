"""Rules on data that end too early, or never."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..stopped import sets_stop
from ..value_numbers import number_of
from .epoch_steps import and_later, steps_by_epoch
from .rule import Finding, is_whole, keras, number, rule, tensorflow

LEAST_ENDLESS = 100
"""A validation that has not ended is taken for endless from so many batches on."""
TIMES_LONGER = 3
"""And if it has so many times the batches of the epoch before it."""


@rule(
    "data-ran-out",
    effect="later epochs have fewer batches or none, their loss is not that of an epoch, or the fit ends early",
    remedy="repeat the data (dataset.repeat(), or a generator that never ends), or leave steps_per_epoch out",
    threads=[keras(12773), tensorflow(36539), tensorflow(47938), tensorflow(41571)],
)
def data_ran_out(
    fit: pd.Series,
    process: pd.Series,
    batches: pd.DataFrame,
    hooks: pd.DataFrame,
    stops: pd.DataFrame,
    values: pd.DataFrame,
) -> Iterator[Finding]:
    """Epochs with fewer batches than `steps_per_epoch`, or than the first where the fit then ends."""
    is_stopped = not stops.empty and bool(sets_stop(stops).any())
    if fit["method"] != "fit" or fit["status"] != "ok" or is_stopped or not is_whole(process):
        return
    begins = hooks.loc[((hooks["hook"] == "on_epoch_begin") & hooks["epoch"].notna()).to_numpy(bool), "epoch"]
    steps = steps_by_epoch(batches, "train")
    epochs = sorted({*map(int, begins), *steps})
    if not epochs:
        return
    counts = {epoch: steps.get(epoch, 0) for epoch in epochs}
    asked = number_of(values, "steps_per_epoch", fit["span"])
    wanted = int(asked) if asked else counts[epochs[0]]
    # What a last step has more than it was asked for is steps_per_execution's.
    short = [epoch for epoch in epochs if counts[epoch] < wanted]
    last = number_of(values, "epochs", fit["span"])
    ends_early = last is not None and epochs[-1] + 1 < last
    # Without `steps_per_epoch` each epoch has as many batches as the data have, which may differ.
    if not short or not (asked or ends_early or counts[short[0]] == 0):
        return
    message = f"epoch {short[0]} has {counts[short[0]]:,} of {wanted:,} batches: the data ran out{and_later(short)}"
    message += f"; the fit ends after {len(epochs):,} of {int(last or 0):,} epochs" if ends_early else ""
    yield Finding(message, short[0])


@rule(
    "validation-ran-out",
    effect="val_ keys are missing, or are of a part of the data, from the second validation on",
    remedy="give validation_data that can be read again: arrays, a dataset without a cut, or a generator that never "
    "ends with validation_steps",
    threads=[keras(15392)],
)
def validation_ran_out(
    fit: pd.Series, process: pd.Series, batches: pd.DataFrame, spans: pd.DataFrame
) -> Iterator[Finding]:
    """A validation with fewer batches than the first one."""
    if fit["status"] != "ok" or not is_whole(process):
        return
    is_validation = (spans["phase"] == "validation") & spans["callback"].isna() & spans["epoch"].notna()
    epochs = sorted({int(epoch) for epoch in spans.loc[is_validation.to_numpy(bool), "epoch"]})
    steps = steps_by_epoch(batches, "test")
    if len(epochs) < 2 or not steps.get(epochs[0]):
        return
    wanted = steps[epochs[0]]
    short = [epoch for epoch in epochs if steps.get(epoch, 0) < wanted]
    if short:
        count = f"{steps.get(short[0], 0):,} of {wanted:,} batches"
        message = f"the validation of epoch {short[0]} has {count}: its data ran out{and_later(short)}"
        yield Finding(message, short[0])


@rule(
    "endless-validation",
    effect="the fit seems to stand still at the end of an epoch",
    remedy="give validation_steps, or a generator that ends",
    threads=[keras(8595), tensorflow(39465)],
)
def endless_validation(fit: pd.Series, batches: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A validation that had not ended when the recording did, on data without a known size."""
    if fit["status"] == "ok" or batches.empty or number_of(values, "validation_steps", fit["span"]):
        return
    last = batches.sort_values("start_ns").iloc[-1]
    if last["stage"] != "test":
        return
    is_test = (batches["stage"] == "test").to_numpy(bool)
    in_epoch = is_test & (batches["epoch"] == last["epoch"]).fillna(False).to_numpy(bool)
    count, before = int(in_epoch.sum()), batches[is_test & ~in_epoch].groupby("epoch").size()
    longest = max(int(before.max()) if len(before) else 0, int((batches["stage"] == "train").sum()))
    if count >= LEAST_ENDLESS and count > TIMES_LONGER * longest:
        message = f"the validation had {count:,} batches and had not ended; validation_steps is not given"
        yield Finding(message, number(last["epoch"]), number(last["batch"]), span=int(last["span"]))


DATA_ENDS = (data_ran_out, validation_ran_out, endless_validation)
