"""What conditions are made of: comparisons joined by `and`, `or` and `not`, which know the unknown.

Each part answers for one set of values and for a whole DataFrame, and says the same of both.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Known = bool | None
"""What a condition says of a place: it holds, it does not, or that is unknown."""


@dataclass(frozen=True)
class Name:
    """The `name` of a value, or of a key of the logs with or without `logs.` before it."""

    name: str

    def find(self, values: Mapping[str, Any]) -> Any:
        """The value of that name, None where there is none."""
        other = self.name[5:] if self.name.startswith("logs.") else f"logs.{self.name}"
        return values.get(self.name, values.get(other))

    def column(self, frame: pd.DataFrame) -> pd.Series | None:
        """The column of that name, None where there is none."""
        for name in (self.name, self.name[5:] if self.name.startswith("logs.") else f"logs.{self.name}"):
            if name in frame:
                return frame[name]
        return None


Operand = Name | bool | int | float | str
"""A side of a comparison."""


class ConditionNode:
    """A part of a condition."""

    def names(self) -> Iterator[str]:
        """The names in it."""
        raise NotImplementedError

    def of(self, values: Mapping[str, Any]) -> Known:
        """What it says of these values."""
        raise NotImplementedError

    def over(self, frame: pd.DataFrame) -> pd.api.extensions.ExtensionArray:
        """What it says of each row: an array of pandas' `boolean`, whose operators know the unknown."""
        raise NotImplementedError


@dataclass(frozen=True)
class Joined(ConditionNode):
    """Several parts with `and`, or with `or`, between them."""

    parts: tuple[ConditionNode, ...]
    decisive: bool
    "What one part must say to decide the whole: True for `or`, False for `and`."

    def names(self) -> Iterator[str]:
        """The names in it."""
        for part in self.parts:
            yield from part.names()

    def of(self, values: Mapping[str, Any]) -> Known:
        """What it says of these values."""
        said = [part.of(values) for part in self.parts]
        if self.decisive in said:
            return self.decisive
        return None if None in said else not self.decisive

    def over(self, frame: pd.DataFrame) -> Any:
        """What it says of each row."""
        said: Any = self.parts[0].over(frame)
        for part in self.parts[1:]:
            said = said | part.over(frame) if self.decisive else said & part.over(frame)
        return said


@dataclass(frozen=True)
class Not(ConditionNode):
    """The contrary of a part."""

    part: ConditionNode

    def names(self) -> Iterator[str]:
        """The names in it."""
        return self.part.names()

    def of(self, values: Mapping[str, Any]) -> Known:
        """What it says of these values."""
        said = self.part.of(values)
        return None if said is None else not said

    def over(self, frame: pd.DataFrame) -> Any:
        """What it says of each row."""
        said: Any = self.part.over(frame)
        return ~said


@dataclass(frozen=True)
class Truth(ConditionNode):
    """Whether a value is true."""

    operand: Operand

    def names(self) -> Iterator[str]:
        """The names in it."""
        if isinstance(self.operand, Name):
            yield self.operand.name

    def of(self, values: Mapping[str, Any]) -> Known:
        """What it says of these values."""
        value = self.operand.find(values) if isinstance(self.operand, Name) else self.operand
        return None if _unknown(value) else bool(value)

    def over(self, frame: pd.DataFrame) -> Any:
        """What it says of each row."""
        return _each(frame, (self.operand,), lambda value: None if _unknown(value) else bool(value))


@dataclass(frozen=True)
class ComparisonNode(ConditionNode):
    """Two operands and what compares them, a function of `operator`."""

    left: Operand
    compare: Callable[[Any, Any], Any]
    right: Operand

    def names(self) -> Iterator[str]:
        """The names in it."""
        return (operand.name for operand in (self.left, self.right) if isinstance(operand, Name))

    def of(self, values: Mapping[str, Any]) -> Known:
        """What it says of these values."""
        left, right = (side.find(values) if isinstance(side, Name) else side for side in (self.left, self.right))
        return self._said(left, right)

    def over(self, frame: pd.DataFrame) -> Any:
        """What it says of each row."""
        import pandas as pd

        left, right = _numbers(frame, self.left), _numbers(frame, self.right)
        if left is None or right is None or self._asks_for_nan:
            return _each(frame, (self.left, self.right), self._said)
        unknown = np.isnan(left) | np.isnan(right)
        # Of two numbers there is one answer for each row.
        said = np.broadcast_to(self.compare(left, right), len(frame))
        return pd.arrays.BooleanArray(said.copy(), np.broadcast_to(unknown, len(frame)).copy())

    @property
    def _asks_for_nan(self) -> bool:
        return any(isinstance(side, float) and math.isnan(side) for side in (self.left, self.right))

    def _said(self, left: Any, right: Any) -> Known:
        if self._asks_for_nan and self.compare in (operator.eq, operator.ne):
            value = left if isinstance(self.left, Name) else right
            if value is None:
                return None
            is_nan = isinstance(value, float) and math.isnan(value)
            return is_nan is (self.compare is operator.eq)
        if _unknown(left) or _unknown(right):
            return None
        if _kind(left) != _kind(right):
            return {operator.eq: False, operator.ne: True}.get(self.compare)
        return bool(self.compare(left, right))


def _unknown(value: Any) -> bool:
    """Whether nothing can be said of a value: it is missing, NaN, or of a kind that conditions do not know."""
    return _kind(value) is None or (isinstance(value, float) and math.isnan(value))


def _kind(value: Any) -> type | None:
    return float if isinstance(value, (bool, int, float)) else str if isinstance(value, str) else None


def _numbers(frame: pd.DataFrame, operand: Operand) -> npt.NDArray[np.float64] | None:
    """A side of a comparison as floats, NaN where it is unknown; None where it is not all numbers."""
    import pandas as pd

    if not isinstance(operand, Name):
        return None if isinstance(operand, str) else np.array([operand], dtype=np.float64)
    column = operand.column(frame)
    if column is None:
        return np.array([np.nan])
    if not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _each(frame: pd.DataFrame, operands: tuple[Operand, ...], say: Callable[..., Known]) -> Any:
    """What `say` says of the operands in each row, row by row."""
    import pandas as pd

    columns: list[list[Any]] = []
    for operand in operands:
        column = operand.column(frame) if isinstance(operand, Name) else None
        if column is None:
            columns.append([None if isinstance(operand, Name) else operand] * len(frame))
        elif column.dtype == np.float64:
            columns.append(column.tolist())
        else:
            columns.append([None if missing else value for value, missing in zip(column, column.isna(), strict=True)])
    # Few rows differ where texts are compared.
    said: dict[Any, Known] = {}
    rows = list(zip(*columns, strict=True))
    try:
        said = {row: say(*map(_plain, row)) for row in set(rows)}
        answers = [said[row] for row in rows]
    except TypeError:  # a value that cannot be hashed
        answers = [say(*map(_plain, row)) for row in rows]
    return pd.array(answers, dtype="boolean")


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
