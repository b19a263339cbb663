"""Conditions on recorded values, such as `loss > 2 and not stop_training`: read by a grammar of their own, never run.

    condition   = and { "or" and }
    and         = not { "and" not }
    not         = "not" not | comparison | "(" condition ")"
    comparison  = operand { ("==" | "!=" | "<" | "<=" | ">" | ">=") operand }
    operand     = number | text in quotes | True | False | nan | inf | name

A name is that of a value (`epoch`, `callback`, `logs.loss`) or of a key of the logs (`loss`); one that is no identifier
stands in backticks. A name alone asks whether the value is true. What is not recorded, and NaN, is unknown: a condition
holds only where it holds whatever the unknown may be; `loss == nan` finds NaN itself.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..schema.errors import FittraceError
from ..schema.printable import printable

if TYPE_CHECKING:
    import pandas as pd

Known = bool | None
"""What a condition says of a place: it holds, it does not, or that is unknown."""

LONGEST = 1000
"""Characters that a condition may have."""


class BadCondition(FittraceError):
    """A text that is no condition."""


@dataclass(frozen=True)
class Condition:
    """A condition and its `text`; made by `parse`.

    >>> high = Condition.parse("val_loss > 2 and epoch >= 3")
    >>> sorted(high.names)
    ['epoch', 'val_loss']
    >>> high.holds({"epoch": 3, "val_loss": 2.5}), high.holds({"epoch": 3})
    (True, False)
    """

    text: str
    _root: _Node

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Read a condition. Raises `BadCondition` where the text is none."""
        quoted: list[str] = []

        def stand_in(match: re.Match[str]) -> str:
            quoted.append(match.group(1))
            return f"_quoted_{len(quoted) - 1}_"

        if len(text) > LONGEST:
            raise BadCondition(f"a condition of {len(text):,} characters; {LONGEST} are the most")
        try:
            tree = ast.parse(re.sub("`([^`]+)`", stand_in, text.strip()), mode="eval")
            return cls(text.strip(), _node(tree.body, quoted))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise BadCondition(
                f"{printable(text)!r} is no condition; write one like: loss > 2 and epoch >= 3"
            ) from None

    @property
    def names(self) -> frozenset[str]:
        """The names of the values that it looks at."""
        return frozenset(self._root.names())

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds for these values, by name; a name `logs.key` is also found as `key`, and the reverse."""
        return self._root.of(values) is True

    def over(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """For each row of `frame` whether it holds; a column may be called `logs.key` or `key`.

        In a column of floats a missing value cannot be told from NaN, and counts as one.

        >>> import pandas as pd
        >>> Condition.parse("loss > 2 or not epoch").over(pd.DataFrame({"epoch": [0, 1, 1], "logs.loss": [0.5, 3, 1]}))
        array([ True,  True, False])
        """
        result = self._root.over(frame)
        return np.asarray(result.fillna(False), dtype=bool)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class _Name:
    name: str

    def find(self, values: Mapping[str, Any]) -> Any:
        other = self.name[5:] if self.name.startswith("logs.") else f"logs.{self.name}"
        return values.get(self.name, values.get(other))

    def column(self, frame: pd.DataFrame) -> pd.Series | None:
        for name in (self.name, self.name[5:] if self.name.startswith("logs.") else f"logs.{self.name}"):
            if name in frame:
                return frame[name]
        return None


_Operand = _Name | bool | int | float | str

_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _Node:
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
class _Joined(_Node):
    parts: tuple[_Node, ...]
    decisive: bool
    "What one part must say to decide the whole: True for `or`, False for `and`."

    def names(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.names()

    def of(self, values: Mapping[str, Any]) -> Known:
        said = [part.of(values) for part in self.parts]
        if self.decisive in said:
            return self.decisive
        return None if None in said else not self.decisive

    def over(self, frame: pd.DataFrame) -> Any:
        said: Any = self.parts[0].over(frame)
        for part in self.parts[1:]:
            said = said | part.over(frame) if self.decisive else said & part.over(frame)
        return said


@dataclass(frozen=True)
class _Not(_Node):
    part: _Node

    def names(self) -> Iterator[str]:
        return self.part.names()

    def of(self, values: Mapping[str, Any]) -> Known:
        said = self.part.of(values)
        return None if said is None else not said

    def over(self, frame: pd.DataFrame) -> Any:
        said: Any = self.part.over(frame)
        return ~said


@dataclass(frozen=True)
class _True(_Node):
    operand: _Operand

    def names(self) -> Iterator[str]:
        if isinstance(self.operand, _Name):
            yield self.operand.name

    def of(self, values: Mapping[str, Any]) -> Known:
        value = self.operand.find(values) if isinstance(self.operand, _Name) else self.operand
        return None if _unknown(value) else bool(value)

    def over(self, frame: pd.DataFrame) -> Any:
        return _each(frame, (self.operand,), lambda value: None if _unknown(value) else bool(value))


@dataclass(frozen=True)
class _Comparison(_Node):
    left: _Operand
    compare: Callable[[Any, Any], Any]
    right: _Operand

    def names(self) -> Iterator[str]:
        return (operand.name for operand in (self.left, self.right) if isinstance(operand, _Name))

    def of(self, values: Mapping[str, Any]) -> Known:
        left, right = (side.find(values) if isinstance(side, _Name) else side for side in (self.left, self.right))
        return self._said(left, right)

    def over(self, frame: pd.DataFrame) -> Any:
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
            value = left if isinstance(self.left, _Name) else right
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


def _numbers(frame: pd.DataFrame, operand: _Operand) -> npt.NDArray[np.float64] | None:
    """A side of a comparison as floats, NaN where it is unknown; None where it is not all numbers."""
    import pandas as pd

    if not isinstance(operand, _Name):
        return None if isinstance(operand, str) else np.array([operand], dtype=np.float64)
    column = operand.column(frame)
    if column is None:
        return np.array([np.nan])
    if not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _each(frame: pd.DataFrame, operands: tuple[_Operand, ...], say: Callable[..., Known]) -> Any:
    """What `say` says of the operands in each row, row by row."""
    import pandas as pd

    columns: list[list[Any]] = []
    for operand in operands:
        column = operand.column(frame) if isinstance(operand, _Name) else None
        if column is None:
            columns.append([None if isinstance(operand, _Name) else operand] * len(frame))
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


def _node(tree: ast.expr, quoted: list[str]) -> _Node:
    if isinstance(tree, ast.BoolOp):
        parts = tuple(_node(value, quoted) for value in tree.values)
        return _Joined(parts, decisive=isinstance(tree.op, ast.Or))
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return _Not(_node(tree.operand, quoted))
    if isinstance(tree, ast.Compare):
        operands = [_operand(side, quoted) for side in (tree.left, *tree.comparators)]
        pairs = zip(operands, tree.ops, operands[1:])
        parts = tuple(_Comparison(left, _COMPARE[type(op)], right) for left, op, right in pairs if _known(op))
        return parts[0] if len(parts) == 1 else _Joined(parts, decisive=False)
    return _True(_operand(tree, quoted))


def _known(op: ast.cmpop) -> bool:
    if type(op) not in _COMPARE:
        raise ValueError
    return True


def _operand(tree: ast.expr, quoted: list[str]) -> _Operand:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, (bool, int, float, str)):
        return tree.value
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        value = _operand(tree.operand, quoted)
        if isinstance(value, (int, float)):
            return -value
    if isinstance(tree, ast.Name) and tree.id in ("nan", "inf"):
        return float(tree.id)
    if isinstance(tree, (ast.Name, ast.Attribute)):
        return _Name(_dotted(tree, quoted))
    raise ValueError


def _dotted(tree: ast.expr, quoted: list[str]) -> str:
    if isinstance(tree, ast.Attribute):
        return f"{_dotted(tree.value, quoted)}.{_unquoted(tree.attr, quoted)}"
    if isinstance(tree, ast.Name):
        return _unquoted(tree.id, quoted)
    raise ValueError


def _unquoted(name: str, quoted: list[str]) -> str:
    match = re.fullmatch(r"_quoted_(\d+)_", name)
    return quoted[int(match.group(1))] if match and int(match.group(1)) < len(quoted) else name
