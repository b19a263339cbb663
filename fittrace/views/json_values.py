"""Values of tables as JSON values."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd


def json_value(value: Any) -> Any:
    """Convert `value` to a JSON value. A missing value becomes null, and so does a number that is not finite.

    >>> json_value({"loss": float("nan"), "batch": [1, pd.NA]})
    {'loss': None, 'batch': [1, None]}
    """
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return value if isinstance(value, (bool, int, str)) else str(value)
