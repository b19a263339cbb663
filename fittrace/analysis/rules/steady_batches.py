"""Which training batches are like the others: neither the first nor the last of their epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd


def steady(batches: pd.DataFrame) -> pd.DataFrame:
    """The training batches without the first and the last of each epoch, where iterators begin and end."""
    train = batches[((batches["stage"] == "train") & (batches["status"] == "ok")).to_numpy()]
    epochs = train["epoch"].fillna(-1).to_numpy(np.int64)
    parts = np.r_[True, epochs[1:] != epochs[:-1], True] if len(epochs) else np.ones(1, bool)
    # An epoch's rows follow each other; a row is inside where neither it nor the next begins one.
    result: pd.DataFrame = train[~(parts[:-1] | parts[1:])]
    return result
