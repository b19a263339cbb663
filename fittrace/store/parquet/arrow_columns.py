"""How values become Arrow columns: the Arrow type of a column of the schema, and the values that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import pyarrow as pa

from ...schema.table import Column

Values = Union["np.ndarray[Any, Any]", Sequence[Any], "pa.Array", "tuple[np.ndarray[Any, Any], Sequence[str]]"]
"""The values of one column. Nulls are masked in a NumPy array, None in a list, and code -1 in a dictionary column.

A dictionary column may be a pair: integer codes, and the texts that they stand for."""

LOGS_PREFIX = "logs."
"""The prefix of the columns of `batches` that hold logs."""


def arrow_field(column: Column) -> pa.Field:
    """The Arrow field of a column of the schema.

    >>> from fittrace.schema.table import Column
    >>> arrow_field(Column("stage", "dictionary", "the stage"))
    pyarrow.Field<stage: dictionary<values=string, indices=int32, ordered=0> not null>
    """
    if column.type == "dictionary":
        return pa.field(column.name, pa.dictionary(pa.int32(), pa.string()), nullable=column.nullable)
    return pa.field(column.name, arrow_type(column), nullable=column.nullable)


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a column that is not a dictionary.

    >>> from fittrace.schema.table import Column
    >>> arrow_type(Column("next", "list<int32>", "what follows"))
    ListType(list<item: int32>)
    """
    if column.type.startswith("list<"):
        return pa.list_(pa.type_for_alias(column.type[len("list<") : -1]))
    return pa.type_for_alias(column.type)


def logs_column(name: str) -> Column:
    """The column of `batches` for a key of the logs; `name` is `LOGS_PREFIX` and the key."""
    return Column(name, "float64", f"`{name[len(LOGS_PREFIX) :]}` in the logs at the batch's end", nullable=True)


class Vocabulary:
    """The texts of one dictionary column, in order of first appearance in any of the values appended to it.

    >>> words = Vocabulary()
    >>> words.encode((np.array([1, -1, 0]), ["b", "a"])).to_pylist()
    [1, None, 0]
    >>> words.encode(["c", "a"]).to_pylist(), words.texts
    ([2, 1], ['b', 'a', 'c'])
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """The texts, by code."""
        return list(self._numbers)

    def encode(self, values: Values) -> pa.Array:
        """The codes of `values`, null where there is no text."""
        codes, texts = values if isinstance(values, tuple) else _factorize(values)
        # The last entry is -1, for index -1: a null stays a null.
        numbers = np.array([self._number(text) for text in texts] + [-1], dtype=np.int32)
        encoded = numbers[codes]
        return pa.array(encoded, mask=encoded < 0)

    def decode(self, codes: pa.Array) -> pa.Array:
        """The dictionary column of `codes`."""
        return pa.DictionaryArray.from_arrays(codes, pa.array(self.texts, pa.string()))

    def _number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))


def _factorize(values: Values) -> tuple[np.ndarray[Any, Any], list[str]]:
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    return array.indices.fill_null(-1).to_numpy(zero_copy_only=False), array.dictionary.to_pylist()


def arrow_array(column: Column, values: Values) -> pa.Array:
    """The Arrow array of `values` for a column that is not a dictionary.

    Raises `pyarrow.ArrowInvalid` where a value is not of the column's type.
    """
    wanted = arrow_type(column)
    if isinstance(values, pa.Array):
        return values if values.type == wanted else values.cast(wanted)
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, wanted, mask=np.ma.getmaskarray(values))
    # With `from_pandas`, Arrow would make NaN a null. In logs, NaN is a value.
    return pa.array(values, wanted, from_pandas=False)
