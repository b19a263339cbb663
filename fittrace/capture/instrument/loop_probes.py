"""Probes for loops: where the span of each turn begins and ends, what numbers and how many samples it has.

A `for` and a `while` of the engine's table get the same records. A turn ends where the next one begins, or with the
loop.
"""

from __future__ import annotations

import ast
from typing import Any, Sequence

from ...engines import Loop, Tests
from ...engines.engine_table import loop_variables, mentioned
from ...schema.journal_format import ABSENT
from . import syntax
from .function_sites import FunctionSites, level_of
from .syntax import constant, items, name


def turn_variables(loop: Loop, variables: Sequence[str]) -> tuple[str, str]:
    """The variables that hold the first and the last number that a turn covers.

    They are the same unless a turn covers several, as with `steps_per_execution`.

    - `loop`: the loop in the engine's table.
    - `variables`: the variables that the loop sets, or tests, in this source.
    """
    first = next(variable for variable in loop.number if variable in variables)
    return first, loop.last if loop.last is not None and loop.last in variables else first


def sample_probes(loop: Loop, statement: ast.For | ast.While, depth: int, sites: FunctionSites) -> list[ast.stmt]:
    """The probes before a loop that record how many samples its batches have, and in which order they are taken.

    - `loop`: the loop in the table.
    - `statement`: the loop in the source.
    - `depth`: how many spans of the frame are open around it.
    - `sites`: makes the sites of the function.
    """
    probes: list[ast.stmt] = []
    if loop.sizes and isinstance(statement, ast.For):
        site = sites.site("sizes", statement, depth=depth, level=level_of(loop))
        probes.append(syntax.added(_sizes_call(loop, statement, site.head), statement))
    if _has_order(loop, statement):
        site = sites.site("order", statement, depth=depth)
        probe = _order_call(loop, site.head)
        # The span before the loop is closed first: copying the order is fittrace's time, not that span's.
        probes += [sites.close(statement, depth, loop), syntax.added(probe, statement)]
    return probes


def add_turn_probes(loop: Loop, statement: ast.For | ast.While, depth: int, sites: FunctionSites) -> list[ast.stmt]:
    """Make each turn of a loop a span, in place. Returns the probes that go right before the loop.

    Where the loop has a `header`, a turn's span begins before the loop fetches the item, and the fetch is a phase. The
    parameters are those of `sample_probes`.
    """
    statement.fittrace_loop = loop.phase  # type: ignore[union-attr]
    level = level_of(loop)
    before: list[ast.stmt] = []
    fetch: list[ast.stmt] = []
    if loop.header is None:
        phases: dict[str, Any] = {"phases": (loop.phase,), "names": (loop.phase,)}
        turn = sites.site("turn", statement, depth=depth, counts=loop.phase, level=level, **phases)
    else:
        phases = {"phases": (loop.phase, loop.header), "names": (loop.phase, loop.header)}
        begin = sites.probe("open", statement, depth=depth, level=level, **phases)
        turn = sites.site("turn", statement, depth=depth + 1, counts=loop.phase, level=level)
        if isinstance(statement, ast.While):
            fetch = [begin, statement.body.pop(0)]
        else:
            # A `for` fetches in its header. So the probe goes wherever control is about to come to the header:
            # before the loop, at each `continue`, and at the end of the body.
            syntax.Continues(begin).visit(ast.Module(body=statement.body, type_ignores=[]))
            before.append(begin)
            syntax.append(statement.body, begin)
    # A first `if` that may leave the loop is no part of a turn.
    index = int(loop.guard is not None and Tests(loop.guard).matches(statement.body[0]))
    statement.body.insert(index, sites.record(turn, statement.body[index], *_turn_operands(loop, statement)))
    statement.body[:0] = fetch
    return before


def _turn_operands(loop: Loop, statement: ast.stmt) -> list[ast.expr]:
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


def _sizes_call(loop: Loop, statement: ast.For, head: int) -> ast.expr:
    """The call that records how many samples the batches to come have."""
    paths = items(*[constant(path) for path in loop.sizes])
    steps = constant(None if loop.last in loop_variables(statement) else loop.steps)
    return syntax.call("sizes", constant(head), name(syntax.first_name(statement.iter)), paths, steps)


def _has_order(loop: Loop, statement: ast.For | ast.While) -> bool:
    """Whether a loop takes its samples in an order: its first statement takes some of an array of indices."""
    return loop.order is not None and loop.over is not None and loop.order in mentioned(statement.body[0])


def _order_call(loop: Loop, head: int) -> ast.expr:
    """The call that records the order of the samples."""
    assert loop.order is not None and loop.over is not None
    batches = name(loop.over) if loop.alone_is_whole else constant(None)
    return syntax.call("order", constant(head), name(loop.order), batches)
