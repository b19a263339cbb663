"""The rows of a table, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def named_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Each row as a tuple whose fields have the names of the columns; what is in them depends on the table."""
    return table.itertuples()
