"""Probes for the variables of an engine's functions: what a statement has just assigned to them."""

from __future__ import annotations

import ast
import sys
from typing import Callable, Iterator, Sequence

from ..sites import Site
from . import syntax
from .syntax import FunctionNode, constant, items, name

MakeSite = Callable[..., Site]


def tell_all(node: FunctionNode, site: MakeSite) -> None:
    """Put a probe after every statement of a function that assigns to its variables, in place.

    A loop sets its own at the first statement of each turn, unless that is another loop.
    Attributes and items are left out: to read them again may run the program's code.
    """
    _, body = syntax.split_docstring(node.body)
    for block in syntax.all_blocks(body):
        for statement in [found for found in block if not syntax.is_probe(found)]:
            _tell(block, statement, site)


def _tell(block: list[ast.stmt], statement: ast.stmt, site: MakeSite) -> None:
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        if statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            after = 1 + next(index for index, found in enumerate(block) if found is statement)
            block[after:after] = _probes(targets, site, statement, _runs_last(targets[-1], statement.value))
    elif isinstance(statement, ast.For):
        before = next((index for index, found in enumerate(statement.body) if not syntax.is_probe(found)), 0)
        begin = first = statement.body[before]
        while isinstance(first, ast.Try):
            first = first.body[0]
        # A visit of an inner loop's header may belong to either of two turns of the outer loop.
        if not isinstance(first, (ast.For, ast.While)):
            statement.body[before:before] = _probes([statement.target], site, first, begin)
    elif isinstance(statement, ast.With):
        targets = [item.optional_vars for item in statement.items if item.optional_vars is not None]
        first = statement.body[0]
        inside = first.body if isinstance(first, ast.Try) and syntax.is_guard(first) else statement.body
        inside[:0] = _probes(targets, site, statement, inside[0])


def _probes(targets: Sequence[ast.expr], site: MakeSite, at: ast.stmt, anchor: ast.AST) -> list[ast.stmt]:
    """The probe of the variables among `targets`, on the line where `anchor` begins; none where there are none."""
    names = list(dict.fromkeys(found for target in targets for found in _variables(target)))
    if not names:
        return []
    head = constant(site("values", at, level=2).head)
    probe = syntax.call("values", head, items(*map(constant, names)), items(*map(name, names)))
    return [syntax.remark(probe, anchor)]


def _variables(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Starred):
        yield from _variables(target.value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from _variables(part)


def _runs_last(target: ast.expr, value: ast.expr) -> ast.AST:
    """The part of an assignment to `target` that runs last, which may stand on a line of its own."""
    if sys.version_info < (3, 8):
        # Nothing leads back to a line above.
        return max((part for part in ast.walk(value) if hasattr(part, "lineno")), key=lambda part: part.lineno)
    while isinstance(target, ast.Starred) or (isinstance(target, (ast.Tuple, ast.List)) and target.elts):
        target = target.value if isinstance(target, ast.Starred) else target.elts[-1]
    return target
