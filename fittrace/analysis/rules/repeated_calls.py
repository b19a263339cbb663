"""The lines of a program that call `fit`, `evaluate` or `predict` again and again."""

from __future__ import annotations

import pandas as pd

LEAST_CALLS = 20
"""A line that calls less often is left out."""


def repeated_calls(fits: pd.DataFrame, batches: pd.DataFrame) -> pd.DataFrame:
    """A row for each method and line of a process' program with at least `LEAST_CALLS` calls.

    The columns are `method`, `caller_file` and `caller_line`, and:

    - `fit`: the number of the first of these calls.
    - `calls`: how many there are.
    - `batches`: how many batches they have in all, without those of validations.
    - `duration_ns`: the time of all of them.
    - `outside_ns`: the part of it outside of the function in all their batches.

    Parameters:

    - `fits`: the process' rows of `fits`.
    - `batches`: the process' rows of `batches`.
    """
    # A damaged trace may have a fit twice.
    known = fits[fits["caller_line"].notna().to_numpy(bool)].drop_duplicates("fit")
    function_ns = known["fit"].map(batches.groupby("fit")["function_ns"].sum()).fillna(0)
    calls = known.assign(outside_ns=(known["duration_ns"] - function_ns).clip(lower=0), calls=1)
    lines = calls.groupby(["method", "caller_file", "caller_line"], observed=True, as_index=False, sort=False)
    sums = {name: (name, "sum") for name in ("calls", "batches", "duration_ns", "outside_ns")}
    summed: pd.DataFrame = lines.agg(fit=("fit", "min"), **sums)
    often: pd.DataFrame = summed[(summed["calls"] >= LEAST_CALLS).to_numpy(bool)]
    return often
