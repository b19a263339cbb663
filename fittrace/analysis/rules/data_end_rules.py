"""Rules on data that end too early, or never."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..stopped import UNSET
from ..units import amount
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
    is_stopped = bool((~stops["value"].astype(str).isin(UNSET)).any()) if len(stops) else False
    if fit["method"] != "fit" or fit["status"] != "ok" or is_stopped or not is_whole(process):
        return
    begins = hooks.loc[((hooks["hook"] == "on_epoch_begin") & hooks["epoch"].notna()).to_numpy(bool), "epoch"]
    train = batches[((batches["stage"] == "train") & batches["epoch"].notna()).to_numpy(bool)]
    epochs = sorted({int(epoch) for epoch in (*begins, *train["epoch"])})
    if not epochs:
        return
    steps = (train["last_batch"] - train["batch"] + 1).groupby(train["epoch"].astype(int)).sum().to_dict()
    counts = {epoch: int(steps.get(epoch, 0)) for epoch in epochs}
    asked = _argument(fit, values, "steps_per_epoch")
    wanted = int(asked) if asked else counts[epochs[0]]
    # What a last step has more than it was asked for is steps_per_execution's.
    short = [epoch for epoch in epochs if counts[epoch] < wanted]
    last = _argument(fit, values, "epochs")
    ends_early = last is not None and epochs[-1] + 1 < last
    # Without `steps_per_epoch` each epoch has as many batches as the data have, which may differ.
    if not short or not (asked or ends_early or counts[short[0]] == 0):
        return
    message = f"epoch {short[0]} has {counts[short[0]]:,} of {wanted:,} batches: the data ran out"
    others = len(short) - 1
    message += f", and in {amount(others, 'later epoch', 'later epochs')}" if others else ""
    message += f"; the fit ends after {len(epochs):,} of {int(last or 0):,} epochs" if ends_early else ""
    yield Finding(message, short[0])


def _argument(fit: pd.Series, values: pd.DataFrame, name: str) -> float | None:
    """An argument of the fit, if it is a number."""
    given = values.loc[((values["span"] == fit["span"]) & (values["key"] == name)).to_numpy(bool), "value"].dropna()
    return float(given.iloc[0]) if len(given) else None


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
    test = batches[((batches["stage"] == "test") & batches["epoch"].notna()).to_numpy(bool)]
    steps = (test["last_batch"] - test["batch"] + 1).groupby(test["epoch"].astype(int)).sum().to_dict()
    if len(epochs) < 2 or not steps.get(epochs[0]):
        return
    wanted = int(steps[epochs[0]])
    short = [epoch for epoch in epochs if int(steps.get(epoch, 0)) < wanted]
    if short:
        count = int(steps.get(short[0], 0))
        message = f"the validation of epoch {short[0]} has {count:,} of {wanted:,} batches: its data ran out"
        others = len(short) - 1
        yield Finding(
            message + (f", and in {amount(others, 'later epoch', 'later epochs')}" if others else ""), short[0]
        )


@rule(
    "endless-validation",
    effect="the fit seems to stand still at the end of an epoch",
    remedy="give validation_steps, or a generator that ends",
    threads=[keras(8595), tensorflow(39465)],
)
def endless_validation(fit: pd.Series, batches: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A validation that had not ended when the recording did, on data without a known size."""
    if fit["status"] == "ok" or batches.empty or _argument(fit, values, "validation_steps"):
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
