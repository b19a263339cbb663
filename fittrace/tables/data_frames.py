"""Arrow tables as pandas DataFrames, without a number or a missing value changing its nature.

pandas would turn whole numbers with missing values into floats, and exact sums into objects: here both stay whole
numbers, as `Int64`. Repeated text becomes categories.
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
from .query_errors import QueryError

_COLUMNS = [column for table in TABLES.values() for column in table.columns]

NULLABLE = frozenset(c.name for c in _COLUMNS if c.nullable and c.type in ("int32", "int64"))
"""Names of the columns that are `Int64` in every table, whether or not a value is missing in this one."""

REPEATED = frozenset(c.name for c in _COLUMNS if c.type == "dictionary") | {"run"}
"""Names of the columns of repeated text, which become categories."""


TEXT = pd.StringDtype(na_value=np.nan)
"""The text of pandas 3, which pandas 2.3 has too."""


def encoded(table: pa.Table) -> pa.Table:
    """`table` with its columns of repeated text as dictionaries, which are quick to sort and to hand to pandas."""
    for number, field in enumerate(table.schema):
        if field.name in REPEATED and pa.types.is_string(field.type):
            table = table.set_column(number, field.name, table.column(number).dictionary_encode())
    return table


def in_order(table: pa.Table, keys: Sequence[str]) -> pa.Table:
    """`table` with its rows sorted by the columns `keys`; rows alike in them keep their order.

    Files are written in order, so it mostly only looks.
    """
    columns = [_comparable(table[key]) for key in keys if key in table.column_names]
    if _is_sorted(columns):
        return table
    order = np.arange(table.num_rows)
    for column in reversed(columns):
        order = order[np.argsort(column[order], kind="stable")]
    return table.take(pa.array(order))


def frame(table: pa.Table, nullable: Collection[str] = ()) -> pd.DataFrame:
    """The DataFrame of an Arrow `table`.

    Whole numbers become `int64`, or `Int64` where they are missing or their column is one of `nullable`; dictionaries
    become categories.

    >>> frame(pa.table({"batch": [0, None], "loss": [0.5, None]}))
       batch  loss
    0      0   0.5
    1   <NA>   NaN
    """
    names = table.column_names
    columns = [_column(name, single(column), name in nullable) for name, column in zip(names, table.columns)]
    # Numbered first: a query may name two columns alike.
    result: pd.DataFrame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(table.num_rows), copy=False)
    result.columns = pd.Index(names)
    return result


def single(column: pa.ChunkedArray) -> pa.Array:
    """`column` as one array."""
    combined = column.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


_CANNOT_HOLD = (ValueError, TypeError, OverflowError, NotImplementedError)
"""What Arrow, pandas and Python raise for values that they have no place for; Arrow's own errors are among these."""


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
    """The values as Python has them; a map whose keys Python cannot hash is a list of pairs."""
    objects = np.empty(len(array), dtype=object)
    for index, value in enumerate(array.to_pylist()):
        objects[index] = value
    return objects


def _refuse_out_of_range(array: pa.Array) -> None:
    """Raise `ValueError` for dates and timestamps outside of Python's years, 1 to 9999, the infinite ones among them:
    some of them can be held, and are then shown as other dates."""
    if pa.types.is_date(array.type) or pa.types.is_timestamp(array.type):
        ends = pc.min_max(array)
        ends["min"].as_py()
        ends["max"].as_py()


def _whole(array: pa.Array) -> pa.Array:
    """A sum of 64-bit numbers as a 64-bit number, where it is one."""
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return array.cast(pa.float64())


def _comparable(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    array = single(column)
    if pa.types.is_dictionary(array.type):
        ranks = pc.rank(array.dictionary).to_numpy().astype(np.int64)
        return np.asarray(ranks[array.indices.to_numpy()])
    return np.asarray(array.fill_null(-1).to_numpy(zero_copy_only=False))


def _is_sorted(columns: Sequence[npt.NDArray[np.int64]]) -> bool:
    alike: npt.NDArray[np.bool_] | bool = True
    for column in columns:
        before, after = column[:-1], column[1:]
        if (alike & (before > after)).any():
            return False
        alike = alike & (before == after)
    return True
