"""Fast selection of a table's rows by fit or by process. Each table is grouped once."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd


class RowsByFit:
    """A table, grouped by the columns `by`, such as `process` and `fit`.

    Columns of `by` that the table does not have are ignored: a single run's tables have no column `run`.

    >>> rows = RowsByFit(pd.DataFrame({"fit": [0, 1, 0], "batch": [5, 6, 7]}), "fit")
    >>> rows.of({"fit": 0})["batch"].tolist(), len(rows.of({"fit": 2}))
    ([5, 7], 0)
    """

    def __init__(self, table: pd.DataFrame, *by: str) -> None:
        self.table = table
        self._by = [name for name in by if name in table]
        self._indices: dict[Hashable, np.ndarray] = {}
        if self._by and len(table):
            keys = self._by if len(self._by) > 1 else self._by[0]
            groups = table.groupby(keys, observed=True, sort=False).indices
            self._indices = {key: np.asarray(indices) for key, indices in groups.items()}

    def of(self, owner: pd.Series | dict[str, object]) -> pd.DataFrame:
        """The rows of `owner`, a row of another table that has the columns `by`."""
        if not self._by:
            return self.table
        key = tuple(owner[name] for name in self._by)
        indices = self._indices.get(key if len(key) > 1 else key[0])
        if indices is None:
            indices = np.arange(0)
        # Consecutive rows are a slice, which pandas takes without a copy.
        first, last = (int(indices[0]), int(indices[-1])) if len(indices) else (0, -1)
        is_slice = last - first + 1 == len(indices)
        rows: pd.DataFrame = self.table.iloc[first : last + 1] if is_slice else self.table.iloc[indices]
        return rows
