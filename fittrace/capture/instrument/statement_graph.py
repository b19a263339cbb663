"""The graph of a function: which of its statements and probes may follow which.

It goes into the trace, so that a reader finds the way that control took between two records without knowing how the
function was rewritten, and without its Python.
"""

from __future__ import annotations

import ast
import dis
import types
from typing import Any, NamedTuple

from . import syntax
from .flow_probes import FlowProbes, called
from .syntax import FunctionNode


class StatementNode(NamedTuple):
    """A statement that a debugger stops at, or the record of a probe.

    line: the first line of a statement, 0 for a probe.
    end_line: the last line of a statement, of a compound one the last of its header; 0 for a probe.
    site: the number of a probe's site, -1 for a statement.
    calls: the names of what a statement calls, and `!` where one of them is known to record.
    next: the nodes that may follow.
    raises: the nodes that may follow when something is raised here.
    again: whether an exception that was caught is raised once more.
    """

    line: int
    end_line: int
    site: int
    calls: list[str]
    next: list[int]
    raises: list[int]
    again: bool


_END = 1


class Scope(NamedTuple):
    """The nodes to which control goes from inside a block, other than to its end: by `break`, `continue` and `return`,
    and when something is raised."""

    breaks: list[int]
    continues: list[int]
    returns: list[int]
    raises: list[int]


class StatementGraph:
    """The graph of one function; `plain` is its code without probes, whose lines a debugger sees.

    The first of `nodes` is where the function is entered, the second where it is left. Raises `syntax.Unsupported` for
    a statement that is not known here.
    """

    def __init__(self, node: FunctionNode, plain: types.CodeType, flow: FlowProbes) -> None:
        self._flow = flow
        self.nodes: list[StatementNode] = [
            StatementNode(0, 0, -1, [], [], [], False),
            StatementNode(0, 0, -1, [], [], [], False),
        ]
        self._lines = {line for _, line in dis.findlinestarts(plain) if line is not None}
        _, body = syntax.split_docstring(node.body)
        self.nodes[0].next.extend(self._block(body, [_END], Scope([], [], [_END], [])))

    def _add(self, node: StatementNode) -> list[int]:
        self.nodes.append(node)
        return [len(self.nodes) - 1]

    def _probe(self, statement: ast.AST, following: list[int]) -> list[int]:
        site = syntax.site_of(statement)
        assert site is not None
        return self._add(StatementNode(0, 0, site.number, [], following, [], False))

    def _line(self, statement: ast.stmt, following: list[int], scope: Scope) -> list[int]:
        """The node of a statement; of one that no debugger stops at, what follows it."""
        first, last = _lines(statement)
        if not self._lines.intersection(range(first, last + 1)):
            return following
        return self._add(
            StatementNode(first, last, -1, self._calls(statement), following, scope.raises, _is_again(statement))
        )

    def _calls(self, statement: ast.stmt) -> list[str]:
        names = called(statement)
        return names + ["!"] * any(map(self._flow.is_entry, names))

    def _block(self, block: list[ast.stmt], following: list[int], scope: Scope) -> list[int]:
        for statement in reversed(block):
            following = self._statement(statement, following, scope)
        return following

    def _statement(self, statement: ast.stmt, following: list[int], scope: Scope) -> list[int]:
        has_site = syntax.site_of(statement) is not None
        if isinstance(statement, ast.Return):
            return self._line(statement, self._probe(statement, scope.returns) if has_site else scope.returns, scope)
        if has_site:
            after = self._probe(statement, following)
            return after if syntax.is_probe(statement) else self._line(statement, after, scope)
        if isinstance(statement, ast.Raise):
            return self._again([], scope) if syntax.is_probe(statement) else self._line(statement, [], scope)
        if syntax.is_probe(statement):
            return following
        if isinstance(statement, ast.Break):
            return self._line(statement, scope.breaks, scope)
        if isinstance(statement, ast.Continue):
            return self._line(statement, scope.continues, scope)
        if isinstance(statement, ast.If):
            arms = self._block(statement.body, following, scope)
            arms = arms + self._block(statement.orelse, following, scope) if statement.orelse else arms + following
            return self._line(statement, _unique(arms), scope)
        if isinstance(statement, (ast.For, ast.While)):
            return self._loop(statement, following, scope)
        if isinstance(statement, ast.With):
            if not syntax.is_guard(statement.body[0]):
                return self._line(statement, self._block(statement.body, following, scope), scope)
            # It may swallow what is raised in it.
            caught, body = self._guard(statement.body[0], self._again(following, scope))
            return self._line(statement, self._block(body, following, scope._replace(raises=caught)), scope)
        if isinstance(statement, ast.Try):
            return self._attempt(statement, following, scope)
        if not isinstance(statement, syntax.SIMPLE):
            raise syntax.Unsupported("%s in line %d" % (type(statement).__name__, statement.lineno))
        return self._line(statement, following, scope)

    def _again(self, following: list[int], scope: Scope) -> list[int]:
        return self._add(StatementNode(0, 0, -1, [], following, scope.raises, True))

    def _guard(self, guard: ast.stmt, following: list[int]) -> tuple[list[int], list[ast.stmt]]:
        """The node of a guard's probe, before `following`, and the statements that it guards."""
        assert isinstance(guard, ast.Try) and syntax.is_guard(guard)
        return self._probe(guard.handlers[0].body[0], following), guard.body

    def _loop(self, loop: Any, following: list[int], scope: Scope) -> list[int]:
        after = self._block(loop.orelse, following, scope) if loop.orelse else following
        first, last = _lines(loop)
        if not self._lines.intersection(range(first, last + 1)):
            first = last = 0  # `while True`: no debugger stops there, but control comes by
        turns: list[int] = []
        header = self._add(StatementNode(first, last, -1, self._calls(loop), turns, scope.raises, False))
        inside = scope._replace(breaks=following, continues=header)
        turns.extend(_unique(self._block(loop.body, header, inside) + after))
        return header

    def _attempt(self, statement: ast.Try, following: list[int], scope: Scope) -> list[int]:
        if statement.finalbody:
            return self._finally(statement, following, scope)
        handlers = [node for handler in statement.handlers for node in self._block(handler.body, following, scope)]
        after = self._block(statement.orelse, following, scope) if statement.orelse else following
        raises = handlers if any(handler.type is None for handler in statement.handlers) else handlers + scope.raises
        return self._block(statement.body, after, scope._replace(raises=raises))

    def _finally(self, statement: ast.Try, following: list[int], scope: Scope) -> list[int]:
        """Add the `finally` block once for each way out of the `try`, as Python compiles it."""

        def through(out: list[int]) -> list[int]:
            return self._block(statement.finalbody, out, scope) if out else out

        caught, body = self._guard(statement.body[0], through(self._again([], scope)))
        inside = Scope(through(scope.breaks), through(scope.continues), through(scope.returns), caught)
        return self._block(body, through(following), inside)


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """The first and last line of a statement, of a compound one those of its header."""
    first = statement.lineno
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return min([first, *(decorator.lineno for decorator in statement.decorator_list)]), statement.body[0].lineno - 1
    parts: list[ast.AST] = [statement]
    if isinstance(statement, (ast.If, ast.While)):
        parts = [statement.test]
    elif isinstance(statement, ast.For):
        parts = [statement.target, statement.iter]
    elif isinstance(statement, ast.With):
        parts = list(statement.items)
    # Before Python 3.8 a node does not tell where it ends.
    lines = [getattr(node, "lineno", first) for part in parts for node in ast.walk(part)]
    lines += [getattr(node, "end_lineno", None) or first for part in parts for node in ast.walk(part)]
    return first, max(lines)


def _is_again(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Raise) and statement.exc is None


def _unique(nodes: list[int]) -> list[int]:
    return list(dict.fromkeys(nodes))
