"""Arrow tables as pandas DataFrames, without changing any number or missing value.

pandas' own conversion turns integers with missing values into floats, and exact sums into objects. Here both become
`Int64`. Repeated text becomes categories.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..schema.safe_text import printable
from ..schema.tables import TABLES
from .computed_tables import MEMORY_NULLABLE
from .query_errors import QueryError

_COLUMNS = [column for table in TABLES.values() for column in table.columns]

NULLABLE = frozenset(c.name for c in _COLUMNS if c.nullable and c.type in ("int32", "int64")).union(MEMORY_NULLABLE)
"""Names of the columns that are `Int64` in every table, even in one where no value is missing."""

REPEATED = frozenset(c.name for c in _COLUMNS if c.type == "dictionary") | {"run"}
"""Names of the columns of repeated text, which become categories."""


TEXT = pd.StringDtype(na_value=np.nan)
"""The default text type of pandas 3. pandas 2.3 has it too, so both give the same DataFrames."""


def encoded(table: pa.Table) -> pa.Table:
    """Dictionary-encode the columns of repeated text in `table`. That makes sorting and conversion to pandas fast."""
    for number, field in enumerate(table.schema):
        if field.name in REPEATED and pa.types.is_string(field.type):
            table = table.set_column(number, field.name, table.column(number).dictionary_encode())
    return table


def in_order(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Sort the rows of `table` by the columns `keys`. The sort is stable.

    Files are written in order, so mostly it only checks the order.
    """
    columns = [_comparable(table[key]) for key in keys if key in table.column_names]
    if _is_sorted(columns):
        return table
    # Stable sorts from the last key to the first sort by all keys.
    order = np.arange(table.num_rows)
    for column in reversed(columns):
        order = order[np.argsort(column[order], kind="stable")]
    return table.take(pa.array(order))


def frame(table: pa.Table, nullable: Collection[str] = ()) -> pd.DataFrame:
    """Convert an Arrow `table` to a DataFrame.

    Integers become `int64`. They become `Int64` if a value is missing, or if `nullable` has the name of their column.
    Dictionaries become categories.

    >>> frame(pa.table({"batch": [0, None], "loss": [0.5, None]}))
       batch  loss
    0      0   0.5
    1   <NA>   NaN
    """
    names = table.column_names
    columns = [_column(name, single(column), name in nullable) for name, column in zip(names, table.columns)]
    # The columns are numbered first: in a query, two columns may have the same name.
    result: pd.DataFrame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(table.num_rows), copy=False)
    result.columns = pd.Index(names)
    return result


def single(column: pa.ChunkedArray) -> pa.Array:
    """`column` as one array."""
    combined = column.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


_CANNOT_HOLD = (ValueError, TypeError, OverflowError, NotImplementedError)
"""The errors that Arrow, pandas and Python raise for values that their types cannot hold."""


def _column(name: str, array: pa.Array, nullable: bool) -> Any:
    with suppress(*_CANNOT_HOLD):
        return _values(array, nullable)
    try:
        return _objects(array)
    except _CANNOT_HOLD as error:
        reason = printable(str(error).split("\n")[0])
        remedy = "select it as text, with CAST(... AS VARCHAR)"
        raise QueryError(
            f"SQL: the column {printable(name)} has values that Python cannot hold ({reason}); {remedy}"
        ) from None


def _values(array: pa.Array, nullable: bool) -> Any:
    if pa.types.is_temporal(array.type):
        _refuse_out_of_range(array)
    if pa.types.is_decimal(array.type) and array.type.scale == 0:
        array = _whole(array)
    if pa.types.is_integer(array.type) and (nullable or array.null_count):
        missing = array.is_null().to_numpy(zero_copy_only=False)
        return pd.arrays.IntegerArray(array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), missing)
    if pa.types.is_dictionary(array.type):
        codes = array.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        return pd.Categorical.from_codes(codes, pd.Index(array.dictionary.to_pylist(), dtype=TEXT))
    if pa.types.is_string(array.type):
        return pd.array(array.to_pandas(), dtype=TEXT)
    if pa.types.is_map(array.type):
        return array.to_pandas(maps_as_pydicts="strict").to_numpy()
    if pa.types.is_list(array.type):
        return _objects(array)
    return array.to_pandas()


def _objects(array: pa.Array) -> Any:
    """The values as Python objects. A map is a list of pairs, since Python may be unable to hash its keys."""
    objects = np.empty(len(array), dtype=object)
    for index, value in enumerate(array.to_pylist()):
        objects[index] = value
    return objects


def _refuse_out_of_range(array: pa.Array) -> None:
    """Raise `ValueError` for dates and timestamps outside of the years 1 to 9999, and for infinite ones.

    pandas accepts some of them and shows them as other dates.
    """
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        ends = pc.min_max(array)
        ends["min"].as_py()
        ends["max"].as_py()


def _whole(array: pa.Array) -> pa.Array:
    """A sum of 64-bit integers, which is a 128-bit decimal, as `int64`, or as `float64` if it is too large."""
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return array.cast(pa.float64())


def _comparable(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Integers that sort as the values of `column` do. A missing value comes first, as -1."""
    array = single(column)
    if pa.types.is_dictionary(array.type):
        ranks = pc.rank(array.dictionary).to_numpy().astype(np.int64)
        return np.asarray(ranks[array.indices.to_numpy()])
    return np.asarray(array.fill_null(-1).to_numpy(zero_copy_only=False))


def _is_sorted(columns: Sequence[npt.NDArray[np.int64]]) -> bool:
    """Whether the rows are sorted by all columns. A column matters only where all columns before it are equal."""
    alike: npt.NDArray[np.bool_] | bool = True
    for column in columns:
        before, after = column[:-1], column[1:]
        if (alike & (before > after)).any():
            return False
        alike = alike & (before == after)
    return True
