"""Rules on numbers that are not what they are taken for: of a validation, and of an epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ...schema.argument_keys import VALIDATION_IS_X
from ..code_line import CodeLine
from ..value_numbers import number_of
from .rule import Finding, is_whole, keras, rule, tensorflow

LEARNED = 0.5
"""The accuracy of the training above which its data count as learned."""
NEVER_SEEN = 0.05
"""The share of that accuracy below which the validation has what the training never had."""
IMPLIED = 2
"""So many values of batches below zero prove that the logs are no running means."""


@rule(
    "validated-on-training-data",
    effect="val_loss says nothing about new data; it is not comparable with loss either",
    remedy="validate on data that are not trained on; loss is the mean over an epoch in which the weights change, "
    "val_loss is measured with those of its end",
    threads=[keras(6977), keras(8421), tensorflow(29964)],
)
def validated_on_training_data(fit: pd.Series, values: pd.DataFrame) -> Iterator[Finding]:
    """A fit whose validation data are its training data, as one object."""
    if number_of(values, VALIDATION_IS_X, fit["span"]) is not None:
        yield Finding("validation_data has the same x as the training")


@rule(
    "sorted-validation-split",
    effect="the validation is on a kind of data that the training never sees, and the other way round",
    remedy="shuffle the data before fit: validation_split takes the last samples, before any shuffling",
    threads=[keras(8346), keras(6422)],
)
def sorted_validation_split(fit: pd.Series, hooks: pd.DataFrame, values: pd.DataFrame) -> Iterator[Finding]:
    """A `validation_split` whose accuracy is next to nothing, though the training has learned its own data."""
    split = number_of(values, "validation_split", fit["span"])
    ends = hooks[((hooks["hook"] == "on_epoch_end") & hooks["epoch"].notna()).to_numpy(bool)]
    if split is None or split <= 0 or ends.empty:
        return
    last = ends.loc[ends["epoch"] == ends["epoch"].max(), "logs_before"].iloc[-1]
    for key, value in last.items():
        other = last.get(f"val_{key}")
        if "acc" not in key or not isinstance(value, float) or not isinstance(other, float):
            continue
        if value > LEARNED and other < NEVER_SEEN * value:
            share = f"the last {100 * split:g} % of the samples"
            message = f"{key} is {value:.3g}, val_{key} {other:.3g}; validation_split takes {share}, unshuffled"
            yield Finding(message, int(ends["epoch"].max()))
            return


@rule(
    "epoch-loss-of-last-batch",
    effect="the loss of an epoch, in the History and for callbacks, is not that of the epoch",
    remedy="update a keras.metrics.Mean in train_step and return its result(), and list it in the model's metrics",
    threads=[
        "https://github.com/recommenders-team/recommenders/issues/585",
        "https://github.com/keras-team/keras-core/issues/485",
    ],
)
def epoch_loss_of_last_batch(
    fit: pd.Series, process: pd.Series, hooks: pd.DataFrame, values: pd.DataFrame
) -> Iterator[Finding]:
    """A `train_step` of the program's own that returns the loss of each batch, so that epochs have no mean."""
    own = _own_train_step(values)
    if own is None or not is_whole(process) or fit["engine"] not in ("keras-3", "tf-keras"):
        return
    is_train = (hooks["hook"] == "on_train_batch_end") & (hooks["stage"] == "train") & hooks["epoch"].notna()
    calls = hooks[["epoch", "batch", "logs_before"]][is_train.to_numpy(bool)]
    # A callback may get tensors, whose values are not recorded, and another one numbers.
    has_number = [isinstance(logs.get("loss"), float) for logs in calls["logs_before"]]
    calls = calls[has_number].drop_duplicates(["epoch", "batch"])
    ends = hooks[(hooks["hook"] == "on_epoch_end").to_numpy(bool)].drop_duplicates("epoch")
    of_epochs = {
        int(epoch): logs for epoch, logs in zip(ends["epoch"], ends["logs_before"], strict=True) if not pd.isna(epoch)
    }
    for epoch, of_epoch in calls.groupby("epoch"):
        losses = np.array([logs["loss"] for logs in of_epoch["logs_before"]], float)
        end = of_epochs.get(int(epoch), {}).get("loss")
        if not isinstance(end, float) or len(losses) < 3 or not np.isfinite(losses).all():
            continue
        last, mean = losses[-1], losses.mean()
        if end == 0 and (losses > 0).all():
            message = f"loss is 0 at the end of the epoch, and {last:.6g} in its last batch: no metric was updated"
        elif end == last and _are_own_values(losses):
            message = (
                f"loss is {end:.6g}, that of the last batch; the mean of the {len(losses):,} batches is {mean:.6g}"
            )
        else:
            return
        yield Finding(f"{message} (train_step at {own.short})", int(epoch), hook="on_epoch_end")
        return


def _own_train_step(values: pd.DataFrame) -> CodeLine | None:
    """The line of the `train_step` of the program's own; None if it has none."""
    found = values[values["key"].astype(str).str.startswith("model.train_step.").to_numpy(bool)].set_index("key")
    texts, numbers = found["text"].to_dict(), found["value"].to_dict()
    file, line = texts.get("model.train_step.file"), numbers.get("model.train_step.line")
    return CodeLine(file, int(line)) if isinstance(file, str) and line is not None and np.isfinite(line) else None


def _are_own_values(losses: np.ndarray) -> bool:
    """Whether these are the losses of single batches, and no running means.

    The running means m of n losses of at least 0 have n * m[n] - (n - 1) * m[n - 1] of at least 0.

    >>> _are_own_values(np.array([64.0, 49, 36, 25, 16])), _are_own_values(np.array([64.0, 56, 50, 43]))
    (True, False)
    """
    counts = np.arange(1, len(losses) + 1)
    implied = np.diff(counts * losses)
    return bool((losses >= 0).all()) and int((implied < -1e-6 * losses.max()).sum()) >= IMPLIED


COMPARISONS = (validated_on_training_data, sorted_validation_split, epoch_loss_of_last_batch)
