"""How values become Arrow columns: which Arrow type a column of the schema has, and what may be given for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import numpy as np
import pyarrow as pa

from ...schema.table import Column

Values = Union["np.ndarray[Any, Any]", Sequence[Any], "pa.Array", "tuple[np.ndarray[Any, Any], Sequence[str]]"]
"""The values of one column: a numpy array (a masked one for nulls), a list (None for nulls), an Arrow array, or, for
a dictionary column, a pair of int32 codes (-1 for null) and the texts that they number."""

LOGS_PREFIX = "logs."
"""How the names of the columns of `batches` begin that the keys of the logs add."""


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
    """The Arrow type of the values of a column that is no dictionary.

    >>> from fittrace.schema.table import Column
    >>> arrow_type(Column("next", "list<int32>", "what follows"))
    ListType(list<item: int32>)
    """
    if column.type.startswith("list<"):
        return pa.list_(pa.type_for_alias(column.type[len("list<") : -1]))
    return pa.type_for_alias(column.type)


def logs_column(name: str) -> Column:
    """The column that a key of the logs adds to `batches`."""
    return Column(name, "float64", f"`{name[len(LOGS_PREFIX) :]}` in the logs at the batch's end", nullable=True)


class Vocabulary:
    """The texts of one dictionary column in the order of their first appearance, over all that is appended to it.

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
        """The texts, each at the place that its code says."""
        return list(self._numbers)

    def encode(self, values: Values) -> pa.Array:
        """The codes of `values`, null where there is no text."""
        codes, texts = values if isinstance(values, tuple) else _factorize(values)
        # The last entry is what code -1 finds.
        numbers = np.array([self._number(text) for text in texts] + [-1], dtype=np.int32)
        found = numbers[codes]
        return pa.array(found, mask=found < 0)

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
    """The Arrow array of `values` for a column that is no dictionary.

    Raises `pyarrow.ArrowInvalid` where a value is not of the column's type.
    """
    wanted = arrow_type(column)
    if isinstance(values, pa.Array):
        return values if values.type == wanted else values.cast(wanted)
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, wanted, mask=np.ma.getmaskarray(values))
    # A float's NaN is a value of its own here, not a missing one.
    return pa.array(values, wanted, from_pandas=False)
