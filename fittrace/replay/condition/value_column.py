"""A column of a table, as conditions see it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd


class ValueColumn:
    """The values of one name in all rows of a table."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    @cached_property
    def values(self) -> list[Any]:
        """The value in each row, None where it is missing. A column of floats cannot tell missing values from NaN."""
        if self._series.dtype == np.float64:
            return self._series.tolist()
        missing = self._series.isna()
        return [None if absent else _plain(value) for value, absent in zip(self._series, missing, strict=True)]

    @cached_property
    def numbers(self) -> npt.NDArray[np.float64] | None:
        """The values as floats, NaN where they are missing. None if the column is not of numbers."""
        from pandas.api.types import is_bool_dtype, is_numeric_dtype

        if not (is_numeric_dtype(self._series.dtype) or is_bool_dtype(self._series.dtype)):
            return None
        return self._series.to_numpy(dtype=np.float64, na_value=np.nan)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
