"""The time of the first training batch of each fit, compared with the others.

In the first batch, the engine builds the functions that all batches run.
"""

from __future__ import annotations

import pandas as pd

LEAST_BATCHES = 20
"""A fit with fewer training batches is left out."""
_COLUMNS = ["fit", "epoch", "batch", "span", "duration_ns"]


def first_batches(fits: pd.DataFrame, batches: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """A row for each fit of one process with at least `LEAST_BATCHES` training batches.

    The columns are `fit`, `epoch`, `batch`, `span` and `duration_ns` of its first training batch, and:

    - `fit_ns`: the duration of the fit.
    - `above_ns`: how much longer the batch took than the median of the others.
    - `jit_compile`: whether XLA compiles the functions; `NA` if that is not known.

    - `fits`: the process' rows of `fits`.
    - `batches`: the process' rows of `batches`.
    - `values`: the process' rows of `values`.
    """
    train = batches[_COLUMNS][(batches["stage"] == "train").to_numpy(bool)]
    is_first = ~train["fit"].duplicated()
    rest = train[~is_first].groupby("fit")["duration_ns"].agg(["median", "size"])
    rest = rest.loc[rest["size"] >= LEAST_BATCHES - 1, "median"]
    first = train[is_first & train["fit"].isin(rest.index)]
    settings = values[(values["key"] == "compile.jit_compile").to_numpy()]
    jit_compile = settings.drop_duplicates("fit").set_index("fit")["value"]
    result: pd.DataFrame = first.assign(
        fit_ns=first["fit"].map(fits.drop_duplicates("fit").set_index("fit")["duration_ns"]),
        above_ns=first["duration_ns"] - first["fit"].map(rest),
        jit_compile=first["fit"].map(jit_compile).astype("boolean"),
    )
    return result
