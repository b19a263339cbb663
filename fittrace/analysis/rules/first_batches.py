"""What the first training batch of each fit took, in which the functions are built that all others run."""

from __future__ import annotations

import pandas as pd

LEAST_BATCHES = 20
"""Training batches that a fit must have, for its first to be compared with."""
_COLUMNS = ["fit", "epoch", "batch", "span", "duration_ns"]


def first_batches(fits: pd.DataFrame, batches: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """A row for each of `fits`, the fits of one process, that trains `LEAST_BATCHES` and more.

    The columns are some of its first training batch, and `fit_ns`, the fit's duration, `above_ns`, what the batch took
    above the median of the others, and `jit_compile`, whether XLA compiles the functions: `NA` where that is not told.
    """
    train = batches[_COLUMNS][(batches["stage"] == "train").to_numpy(bool)]
    is_first = ~train["fit"].duplicated()
    rest = train[~is_first].groupby("fit")["duration_ns"].agg(["median", "size"])
    rest = rest.loc[rest["size"] >= LEAST_BATCHES - 1, "median"]
    first = train[is_first & train["fit"].isin(rest.index)]
    told = values[(values["key"] == "compile.jit_compile").to_numpy()]
    jit = told.drop_duplicates("fit").set_index("fit")["value"]
    result: pd.DataFrame = first.assign(
        fit_ns=first["fit"].map(fits.set_index("fit")["duration_ns"]),
        above_ns=first["duration_ns"] - first["fit"].map(rest),
        jit_compile=first["fit"].map(jit).astype("boolean"),
    )
    return result
