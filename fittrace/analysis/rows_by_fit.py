"""The rows of each fit and of each process in the tables of a trace, found with one pass over each table."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd


class RowsByFit:
    """A table whose rows are given out by what they are of.

    `by` are the columns that say so: of a table that lacks one of them, it counts for nothing.

    >>> rows = RowsByFit(pd.DataFrame({"fit": [0, 1, 0], "batch": [5, 6, 7]}), "fit")
    >>> rows.of({"fit": 0})["batch"].tolist(), len(rows.of({"fit": 2}))
    ([5, 7], 0)
    """

    def __init__(self, table: pd.DataFrame, *by: str) -> None:
        self.table = table
        self._by = [name for name in by if name in table]
        self._places: dict[Hashable, np.ndarray] = {}
        if self._by and len(table):
            keys = self._by if len(self._by) > 1 else self._by[0]
            indices = table.groupby(keys, observed=True, sort=False).indices
            self._places = {key: np.asarray(places) for key, places in indices.items()}

    def of(self, owner: pd.Series | dict[str, object]) -> pd.DataFrame:
        """The rows of `owner`, which has the columns `by`."""
        if not self._by:
            return self.table
        key = tuple(owner[name] for name in self._by)
        places = self._places.get(key if len(key) > 1 else key[0])
        if places is None:
            places = np.arange(0)
        # Rows that follow each other need no copy.
        first, last = (int(places[0]), int(places[-1])) if len(places) else (0, -1)
        follow = last - first + 1 == len(places)
        rows: pd.DataFrame = self.table.iloc[first : last + 1] if follow else self.table.iloc[places]
        return rows
