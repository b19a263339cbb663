"""Probes for the variables of an engine's functions: what a statement has just assigned to them."""

from __future__ import annotations

import ast
import sys
from typing import Callable, Iterator, Sequence

from ..sites import Site
from . import syntax
from .syntax import FunctionNode, constant, items, name

MakeSite = Callable[..., Site]


def add_value_probes(node: FunctionNode, site: MakeSite) -> None:
    """Put a probe after each statement of a function that assigns to variables, in place.

    A loop's own variables are recorded at the first statement of each turn, unless that is another loop.
    Attributes and items are left out: to read them again may run the program's code.
    """
    _, body = syntax.split_docstring(node.body)
    for block in syntax.all_blocks(body):
        for statement in [statement for statement in block if not syntax.is_added(statement)]:
            _add_probe(block, statement, site)


def _add_probe(block: list[ast.stmt], statement: ast.stmt, site: MakeSite) -> None:
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        if statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            after = 1 + next(index for index, other in enumerate(block) if other is statement)
            block[after:after] = _probes(targets, site, statement, _runs_last(targets[-1], statement.value))
    elif isinstance(statement, ast.For):
        start = next((index for index, inner in enumerate(statement.body) if not syntax.is_added(inner)), 0)
        begin = first = statement.body[start]
        while isinstance(first, ast.Try):
            first = first.body[0]
        # A reader could not tell to which turn of the outer loop a visit of the inner loop's header belongs.
        if not isinstance(first, (ast.For, ast.While)):
            statement.body[start:start] = _probes([statement.target], site, first, begin)
    elif isinstance(statement, ast.With):
        targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
        first = statement.body[0]
        inside = first.body if isinstance(first, ast.Try) and syntax.is_guard(first) else statement.body
        inside[:0] = _probes(targets, site, statement, inside[0])


def _probes(targets: Sequence[ast.expr], site: MakeSite, visited: ast.stmt, at: ast.AST) -> list[ast.stmt]:
    """The probe for the variables among some targets of an assignment; an empty list where there are none.

    - `targets`: the targets.
    - `site`: makes the probe's site.
    - `visited`: the statement to which a reader shall ascribe the values.
    - `at`: the node on whose line the probe goes.
    """
    names = list(dict.fromkeys(variable for target in targets for variable in _variables(target)))
    if not names:
        return []
    head = constant(site("values", visited, level=2).head)
    probe = syntax.call("values", head, items(*map(constant, names)), items(*map(name, names)))
    return [syntax.added(probe, at)]


def _variables(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Starred):
        yield from _variables(target.value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from _variables(part)


def _runs_last(target: ast.expr, value: ast.expr) -> ast.AST:
    """The part of an assignment to `target` that runs last. It may stand on a line of its own."""
    if sys.version_info < (3, 8):
        # The compiler only goes forward in lines, so the lowest part of the value has the last line.
        return max((part for part in ast.walk(value) if hasattr(part, "lineno")), key=lambda part: part.lineno)
    while isinstance(target, ast.Starred) or (isinstance(target, (ast.Tuple, ast.List)) and target.elts):
        target = target.value if isinstance(target, ast.Starred) else target.elts[-1]
    return target
