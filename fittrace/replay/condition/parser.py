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

if TYPE_CHECKING:
    import pandas as pd

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
    _root: ConditionNode

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


_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _node(tree: ast.expr, quoted: list[str]) -> ConditionNode:
    if isinstance(tree, ast.BoolOp):
        parts = tuple(_node(value, quoted) for value in tree.values)
        return Joined(parts, decisive=isinstance(tree.op, ast.Or))
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        return Not(_node(tree.operand, quoted))
    if isinstance(tree, ast.Compare):
        operands = [_operand(side, quoted) for side in (tree.left, *tree.comparators)]
        pairs = zip(operands, tree.ops, operands[1:])
        parts = tuple(ComparisonNode(left, _COMPARE[type(op)], right) for left, op, right in pairs if _known(op))
        return parts[0] if len(parts) == 1 else Joined(parts, decisive=False)
    return Truth(_operand(tree, quoted))


def _known(op: ast.cmpop) -> bool:
    if type(op) not in _COMPARE:
        raise ValueError
    return True


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
    match = re.fullmatch(r"_quoted_(\d+)_", name)
    return quoted[int(match.group(1))] if match and int(match.group(1)) < len(quoted) else name
