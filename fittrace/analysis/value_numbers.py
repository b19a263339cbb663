"""Numbers in the table `values`: arguments of a fit, and settings of `compile`."""

from __future__ import annotations

import pandas as pd


def number_of(values: pd.DataFrame, key: str, span: int | None = None) -> float | None:
    """The number that a fit has for a key; None if it has none, or something else.

    - `values`: the fit's rows of `values`.
    - `key`: the key.
    - `span`: the span in which it was recorded, that of the fit for its arguments; None for any.

    >>> number_of(pd.DataFrame({"span": [0], "key": ["epochs"], "value": [3.0]}), "epochs", span=0)
    3.0
    """
    chosen = values["key"] == key
    if span is not None:
        chosen &= values["span"] == span
    numbers = values.loc[chosen.to_numpy(bool), "value"].dropna()
    return float(numbers.iloc[0]) if len(numbers) else None
