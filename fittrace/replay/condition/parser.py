"""Parses conditions on recorded values, such as `loss > 2 and not stop_training`. A condition is never run as code.

    condition   = and { "or" and }
    and         = not { "and" not }
    not         = "not" not | comparison | "(" condition ")"
    comparison  = operand { ("==" | "!=" | "<" | "<=" | ">" | ">=") operand }
    operand     = number | text in quotes | True | False | nan | inf | name

A name is that of a value (`epoch`, `callback`, `logs.loss`) or of a key of the logs (`loss`). A name that is not an
identifier is written in backticks. A name alone asks whether the value is true.

A value that was not recorded is unknown, and so is NaN. A condition holds only if it holds whatever the unknown values
are. `loss == nan` is true for NaN itself.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...schema.errors import FittraceError
from ...schema.safe_text import printable
from .evaluation import ComparisonNode, ConditionNode, Joined, Name, Not, Operand, Truth
from .value_column import ValueColumn

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 1000
"""How many characters a condition may have."""


class BadCondition(FittraceError):
    """A text that is not a condition."""


@dataclass(frozen=True)
class Condition:
    """A condition. `parse` makes it from its `text`.

    >>> high = Condition.parse("val_loss > 2 and epoch >= 3")
    >>> sorted(high.names)
    ['epoch', 'val_loss']
    >>> high.holds({"epoch": 3, "val_loss": 2.5}), high.holds({"epoch": 3})
    (True, False)
    """

    text: str
    _root: ConditionNode

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Parse a condition. Raises `BadCondition` if the text is not one."""
        # Python's parser does the work. It gets an identifier in place of each name in backticks.
        quoted: list[str] = []

        def identifier(match: re.Match[str]) -> str:
            quoted.append(match.group(1))
            return f"_quoted_{len(quoted) - 1}_"

        if len(text) > LONGEST:
            raise BadCondition(f"a condition of {len(text):,} characters; at most {LONGEST} are allowed")
        try:
            tree = ast.parse(re.sub("`([^`]+)`", identifier, text.strip()), mode="eval")
            return cls(text.strip(), _node(tree.body, quoted))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise BadCondition(
                f"{printable(text)!r} is not a condition; write one like: loss > 2 and epoch >= 3"
            ) from None

    @property
    def names(self) -> frozenset[str]:
        """The names in it."""
        return frozenset(name.name for name in self._root.names())

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds for these values, by name. The name `logs.key` is also found as `key`, and the reverse."""
        return bool(self._root.evaluate(values).holds)

    def holds_in(self, frame: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """For each row of `frame` whether it holds. A column may be called `logs.key` or `key`.

        In a column of floats a missing value counts as NaN.

        >>> import pandas as pd
        >>> table = pd.DataFrame({"epoch": [0, 1, 1], "logs.loss": [0.5, 3, 1]})
        >>> Condition.parse("loss > 2 or not epoch").holds_in(table)
        array([ True,  True, False])
        """
        spellings = {spelling for name in self._root.names() for spelling in name.spellings}
        columns = {name: ValueColumn(frame[name]) for name in spellings if name in frame}
        # A condition on no column of the frame has one answer for all rows.
        return np.array(np.broadcast_to(self._root.evaluate(columns).holds, len(frame)), dtype=bool)

    def __str__(self) -> str:
        return self.text


_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _node(tree: ast.expr, quoted: list[str]) -> ConditionNode:
    """The part of a condition for a syntax tree. Raises `ValueError` if the grammar has no such expression."""
    if isinstance(tree, ast.BoolOp):
        parts = tuple(_node(value, quoted) for value in tree.values)
        return Joined(parts, operator.or_ if isinstance(tree.op, ast.Or) else operator.and_)
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return Not(_node(tree.operand, quoted))
    if isinstance(tree, ast.Compare):
        operands = [_operand(side, quoted) for side in (tree.left, *tree.comparators)]
        # `1 < epoch < 3` is two comparisons.
        triples = zip(operands, map(_comparison, tree.ops), operands[1:])
        parts = tuple(ComparisonNode(left, compare, right) for left, compare, right in triples)
        return parts[0] if len(parts) == 1 else Joined(parts, operator.and_)
    return Truth(_operand(tree, quoted))


def _comparison(op: ast.cmpop) -> Callable[[Any, Any], Any]:
    if type(op) not in _COMPARE:
        raise ValueError
    return _COMPARE[type(op)]


def _operand(tree: ast.expr, quoted: list[str]) -> Operand:
    if isinstance(tree, ast.Constant) and isinstance(tree.value, (bool, int, float, str)):
        return tree.value
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        value = _operand(tree.operand, quoted)
        if isinstance(value, (int, float)):
            return -value
    if isinstance(tree, ast.Name) and tree.id in ("nan", "inf"):
        return float(tree.id)
    if isinstance(tree, (ast.Name, ast.Attribute)):
        return Name(_dotted(tree, quoted))
    raise ValueError


def _dotted(tree: ast.expr, quoted: list[str]) -> str:
    if isinstance(tree, ast.Attribute):
        return f"{_dotted(tree.value, quoted)}.{_unquoted(tree.attr, quoted)}"
    if isinstance(tree, ast.Name):
        return _unquoted(tree.id, quoted)
    raise ValueError


def _unquoted(name: str, quoted: list[str]) -> str:
    """The name that an identifier stands for, if it is that of a name in backticks."""
    match = re.fullmatch(r"_quoted_(\d+)_", name)
    return quoted[int(match.group(1))] if match and int(match.group(1)) < len(quoted) else name
