"""The training batches without the first and the last of each epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd


def steady(batches: pd.DataFrame) -> pd.DataFrame:
    """The training batches that can be compared with each other.

    The first and the last batch of an epoch are left out: iterators are made in the one and exhausted in the other.

    >>> batches = pd.DataFrame({"stage": "train", "status": "ok", "epoch": 0, "batch": range(5)})
    >>> steady(batches)["batch"].tolist()
    [1, 2, 3]
    """
    train = batches[((batches["stage"] == "train") & (batches["status"] == "ok")).to_numpy()]
    epochs = train["epoch"].fillna(-1).to_numpy(np.int64)
    # An epoch's rows are consecutive. A row is the first of its epoch if it begins one, the last if the next row does.
    begins = np.r_[True, epochs[1:] != epochs[:-1], True] if len(epochs) else np.ones(1, bool)
    result: pd.DataFrame = train[~(begins[:-1] | begins[1:])]
    return result
