"""The operands of a loop's probes: the numbers of its turns, their samples, and the order of the samples."""

from __future__ import annotations

import ast
from typing import Sequence

from ...engines import Loop
from ...engines.engine_table import loop_variables, mentioned
from ...schema.journal_format import ABSENT
from . import syntax
from .syntax import constant, items, name


def turn_variables(loop: Loop, variables: Sequence[str]) -> tuple[str, str]:
    """The variables that hold the first and the last number that a turn covers.

    They are the same unless a turn covers several, as with `steps_per_execution`.

    - `loop`: the loop in the engine's table.
    - `variables`: the variables that the loop sets, or tests, in this source.
    """
    first = next(variable for variable in loop.number if variable in variables)
    return first, loop.last if loop.last is not None and loop.last in variables else first


def turn_operands(loop: Loop, statement: ast.stmt) -> list[ast.expr]:
    """The operands of a `turn` record after its time.

    Its first and last number, the number of its samples, and the index of the first of them. The last two are absent
    where the loop does not tell them.
    """
    variables = loop_variables(statement)
    numbers = [name(variable) for variable in turn_variables(loop, variables)]
    if not loop.bounds or not set(loop.bounds) <= set(variables):
        return [*numbers, constant(ABSENT), constant(ABSENT)]
    start, end = loop.bounds
    return [*numbers, ast.BinOp(name(end), ast.Sub(), name(start)), name(start)]


def sizes_probe(loop: Loop, statement: ast.For, head: int) -> ast.expr:
    """The call that records how many samples the batches to come have."""
    paths = items(*[constant(path) for path in loop.sizes])
    steps = constant(None if loop.last in loop_variables(statement) else loop.steps)
    return syntax.call("sizes", constant(head), name(syntax.first_name(statement.iter)), paths, steps)


def has_order(loop: Loop, statement: ast.For | ast.While) -> bool:
    """Whether a loop takes its samples in an order: its first statement takes some of an array of indices."""
    return loop.order is not None and loop.over is not None and loop.order in mentioned(statement.body[0])


def order_probe(loop: Loop, head: int) -> ast.expr:
    """The call that records the order of the samples."""
    assert loop.order is not None and loop.over is not None
    batches = name(loop.over) if loop.alone_is_whole else constant(None)
    return syntax.call("order", constant(head), name(loop.order), batches)
