"""Rules on what callbacks write: checkpoints at odd batches, and columns that a CSV file lacks or has for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from ..callback_settings import settings_of
from ..units import amount
from ..value_numbers import number_of
from .epoch_steps import steps_by_epoch
from .rule import Finding, is_whole, keras, rule, tensorflow

MOST_EPOCHS = 20
"""A `save_freq` of more batch sizes than this is not taken for a number of epochs."""
_DEFAULT_SIZE = 32
"""Keras' batch size where none is given."""


@rule(
    "save-freq-in-batches",
    effect="checkpoints are saved at odd batches, less often than meant, or never",
    remedy='save_freq counts batches: multiply the epochs by the batches of an epoch, or use save_freq="epoch"',
    threads=[tensorflow(57017), keras(17589)],
)
def save_freq_in_batches(
    process: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame, values: pd.DataFrame
) -> Iterator[Finding]:
    """A `save_freq` that was meant as epochs times the batch size, or that the fit never reaches."""
    train = batches[(batches["stage"] == "train").to_numpy(bool)]
    if not is_whole(process) or train.empty:
        return
    steps = steps_by_epoch(batches, "train").values()
    in_epoch, in_all = max(steps, default=0), sum(steps)
    sizes = train["size"].dropna() if "size" in train else pd.Series(dtype=float)
    size = int(sizes.max() if len(sizes) else number_of(values, "batch_size") or _DEFAULT_SIZE)
    for settings in settings_of(hooks, values):
        every = settings.attributes.get("save_freq")
        if not isinstance(every, float) or every < 1 or "save_weights_only" not in settings.attributes:
            continue
        is_multiple = bool(size) and every % size == 0 and every // size <= MOST_EPOCHS
        if every > in_all:
            told = f"never: the fit has {amount(in_all, 'batch', 'batches')}"
        elif is_multiple and every > in_epoch and every % in_epoch:
            nth = int(every) - 1
            told = f"first in epoch {nth // in_epoch}, batch {nth % in_epoch}, then every {every / in_epoch:.1f} epochs"
        else:
            continue
        yield Finding(f"saves every {every:.0f} batches, {told} (save_freq={every:.0f})", callback=settings.callback)


@rule(
    "csv-columns",
    effect="columns of NA in the file, or numbers that are logged and not written",
    remedy="validate every epoch, and have every key in the logs of the first epoch",
    threads=[keras(21173)],
)
def csv_columns(fit: pd.Series, process: pd.Series, hooks: pd.DataFrame) -> Iterator[Finding]:
    """A `CSVLogger` that writes columns which no epoch has, or leaves out keys that the first epoch does not have.

    Source: `CSVLogger.on_epoch_end`. It takes the columns from the first epoch's logs. If none of these begins with
    `val_`, Keras 3 and tf_keras add a column for the validation of each.
    """
    if not is_whole(process) or fit["engine"] not in ("keras-3", "tf-keras", "tf-keras-v1", "keras-2.2"):
        return
    is_own = (hooks["callback"] == "CSVLogger") & (hooks["hook"] == "on_epoch_end")
    ends = hooks[is_own.to_numpy(bool)].sort_values("epoch")
    logged = [set(logs) for logs in ends["logs_before"] if logs]
    if not logged:
        return
    first, every = logged[0], set().union(*logged)
    columns = set(first)
    if fit["engine"] != "keras-2.2" and not any(key.startswith("val_") for key in first):
        columns |= {f"val_{key}" for key in first}
    empty, lost = sorted(columns - every), sorted(every - columns)
    epoch = int(ends["epoch"].iloc[0])
    if lost:
        message = f"leaves out {', '.join(lost)}, which the first epoch's logs do not have"
        yield Finding(message, epoch, None, "CSVLogger", "on_epoch_end")
    elif empty:
        message = f"writes {', '.join(empty)}, which no epoch's logs have"
        yield Finding(message, epoch, None, "CSVLogger", "on_epoch_end")


SAVING = (save_freq_in_batches, csv_columns)
