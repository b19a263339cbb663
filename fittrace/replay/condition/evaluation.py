"""The parts of a condition: comparisons joined by `and`, `or` and `not`, with three-valued logic.

The same code evaluates a part on one set of values and on the columns of a table. Only `_answer` and `_numbers`, at the
end, tell the two apart.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, Protocol

import numpy as np

from .value_column import ValueColumn

Values = Mapping[str, Any]
"""By name: single values, or a `ValueColumn` for each name."""


class Ternary(NamedTuple):
    """What a condition says, in Kleene's three-valued logic. If it neither holds nor fails, that is unknown.

    Each is a bool, or an array with a bool for each row. The operators work on both.
    """

    holds: Any
    fails: Any

    def __and__(self, other: Ternary) -> Ternary:
        return Ternary(self.holds & other.holds, self.fails | other.fails)

    def __or__(self, other: Ternary) -> Ternary:
        return Ternary(self.holds | other.holds, self.fails & other.fails)

    def __invert__(self) -> Ternary:
        return Ternary(self.fails, self.holds)


@dataclass(frozen=True)
class Name:
    """The name of a value, or of a key of the logs with or without `logs.` before it."""

    name: str

    @property
    def spellings(self) -> tuple[str, str]:
        """The name as it is written, and the other way to write it."""
        has_prefix = self.name.startswith("logs.")
        return self.name, self.name.removeprefix("logs.") if has_prefix else f"logs.{self.name}"


Operand = Name | bool | int | float | str
"""A side of a comparison."""


class ConditionNode(Protocol):
    """A part of a condition."""

    def names(self) -> Iterator[Name]:
        """The names in it."""
        ...

    def evaluate(self, values: Values) -> Ternary:
        """What it says of these values."""
        ...


@dataclass(frozen=True)
class Joined:
    """Several parts with `and`, or with `or`, between them."""

    parts: tuple[ConditionNode, ...]
    join: Callable[[Ternary, Ternary], Ternary]
    "`operator.and_` or `operator.or_`."

    def names(self) -> Iterator[Name]:
        """The names in it."""
        for part in self.parts:
            yield from part.names()

    def evaluate(self, values: Values) -> Ternary:
        """What it says of these values."""
        return reduce(self.join, (part.evaluate(values) for part in self.parts))


@dataclass(frozen=True)
class Not:
    """The negation of a part."""

    part: ConditionNode

    def names(self) -> Iterator[Name]:
        """The names in it."""
        return self.part.names()

    def evaluate(self, values: Values) -> Ternary:
        """What it says of these values."""
        return ~self.part.evaluate(values)


@dataclass(frozen=True)
class Truth:
    """Whether a value is true."""

    operand: Operand

    def names(self) -> Iterator[Name]:
        """The names in it."""
        return _names(self.operand)

    def evaluate(self, values: Values) -> Ternary:
        """What it says of these values."""
        return _answer(lambda value: None if _is_unknown(value) else bool(value), _look_up(self.operand, values))


@dataclass(frozen=True)
class ComparisonNode:
    """Two operands, and the function of `operator` that compares them."""

    left: Operand
    compare: Callable[[Any, Any], Any]
    right: Operand

    def names(self) -> Iterator[Name]:
        """The names in it."""
        return _names(self.left, self.right)

    def evaluate(self, values: Values) -> Ternary:
        """What it says of these values."""
        left, right = _look_up(self.left, values), _look_up(self.right, values)
        # Only a `nan` that the condition spells out is compared. A recorded NaN gives no answer.
        if any(isinstance(side, float) and math.isnan(side) for side in (self.left, self.right)):
            return _answer(self._compare_with_nan, left, right)
        # Columns of numbers are compared as arrays, since a fit may have millions of steps.
        numbers = _numbers(left, right)
        if numbers is None:
            return _answer(self._compare, left, right)
        known = ~(np.isnan(numbers[0]) | np.isnan(numbers[1]))
        result = self.compare(*numbers)
        return Ternary(known & result, known & ~result)

    def _compare(self, left: Any, right: Any) -> bool | None:
        """The answer for two values. Values of different kinds are not equal, and have no order."""
        if _is_unknown(left) or _is_unknown(right):
            return None
        if _kind(left) != _kind(right):
            return {operator.eq: False, operator.ne: True}.get(self.compare)
        return bool(self.compare(left, right))

    def _compare_with_nan(self, left: Any, right: Any) -> bool | None:
        """The answer if a side is written as `nan`: then `==` asks whether a recorded value is NaN."""
        value = left if isinstance(self.left, Name) else right
        if value is None or self.compare not in (operator.eq, operator.ne):
            return None
        return (isinstance(value, float) and math.isnan(value)) is (self.compare is operator.eq)


def _names(*operands: Operand) -> Iterator[Name]:
    return (operand for operand in operands if isinstance(operand, Name))


def _look_up(operand: Operand, values: Values) -> Any:
    """What an operand stands for: a value, None if it is missing, or a `ValueColumn`."""
    if not isinstance(operand, Name):
        return operand
    name, other = operand.spellings
    return values.get(name, values.get(other))


def _is_unknown(value: Any) -> bool:
    """Whether nothing can be said of a value: it is missing, NaN, or of a type that conditions do not know."""
    return _kind(value) is None or (isinstance(value, float) and math.isnan(value))


def _kind(value: Any) -> type | None:
    return float if isinstance(value, (bool, int, float)) else str if isinstance(value, str) else None


def _numbers(*sides: Any) -> list[Any] | None:
    """The sides as floats and arrays of floats. None if none is a column, or if one is not of numbers."""
    if not any(isinstance(side, ValueColumn) for side in sides):
        return None
    numbers = [side.numbers if isinstance(side, ValueColumn) else side for side in sides]
    return numbers if all(isinstance(number, (bool, int, float, np.ndarray)) for number in numbers) else None


def _answer(answer: Callable[..., bool | None], *sides: Any) -> Ternary:
    """What `answer` says of these sides: once, or for each row if one of them is a column."""
    columns = [side.values for side in sides if isinstance(side, ValueColumn)]
    if not columns:
        only = answer(*sides)
        return Ternary(only is True, only is False)
    count = len(columns[0])
    rows = list(zip(*(side.values if isinstance(side, ValueColumn) else [side] * count for side in sides), strict=True))
    try:
        # Many rows are equal, so each distinct row is answered once.
        known = {row: answer(*row) for row in set(rows)}
        answers = [known[row] for row in rows]
    except TypeError:  # a value that cannot be hashed
        answers = [answer(*row) for row in rows]
    return Ternary(np.array([each is True for each in answers]), np.array([each is False for each in answers]))
