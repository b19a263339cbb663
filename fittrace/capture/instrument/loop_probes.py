"""What the probes of a loop tell of its turns: their numbers, the samples in them, and the order of these."""

from __future__ import annotations

import ast
from typing import Sequence

from ...engines import Loop
from ...engines.engine_table import loop_variables, mentioned
from ...schema.journal_format import ABSENT
from . import syntax
from .syntax import constant, items, name


def counted(loop: Loop, variables: Sequence[str]) -> tuple[str, str]:
    """Those of a loop's `variables` that count its turns: the first and the last number of a turn."""
    first = next(variable for variable in loop.number if variable in variables)
    return first, loop.last if loop.last is not None and loop.last in variables else first


def turn(loop: Loop, statement: ast.stmt) -> list[ast.expr]:
    """What a turn's record tells: its first and last number, how many samples it has, and the place of the first."""
    variables = loop_variables(statement)
    numbers = [name(variable) for variable in counted(loop, variables)]
    if not loop.bounds or not set(loop.bounds) <= set(variables):
        return [*numbers, constant(ABSENT), constant(ABSENT)]
    start, end = loop.bounds
    return [*numbers, ast.BinOp(name(end), ast.Sub(), name(start)), name(start)]


def sizes(loop: Loop, statement: ast.For, head: int) -> ast.expr:
    """The probe that tells how many samples are in the batches to come."""
    paths = items(*[constant(path) for path in loop.sizes])
    steps = constant(None if loop.last in loop_variables(statement) else loop.steps)
    return syntax.call("sizes", constant(head), name(syntax.first_name(statement.iter)), paths, steps)


def has_order(loop: Loop, statement: ast.For | ast.While) -> bool:
    """Whether a loop has its samples in an order, of which its first statement takes some."""
    return loop.order is not None and loop.over is not None and loop.order in mentioned(statement.body[0])


def order(loop: Loop, head: int) -> ast.expr:
    """The probe that tells the order of the samples."""
    assert loop.order is not None and loop.over is not None
    alone = name(loop.over) if loop.alone_is_whole else constant(None)
    return syntax.call("order", constant(head), name(loop.order), alone)
