"""The graph of a function: which of its statements and probes may follow which.

It goes into the trace. With it a reader finds the path that control took between two records, without knowing how the
function was rewritten, and without the Python that ran it.
"""

from __future__ import annotations

import ast
import dis
import types
from typing import Any, NamedTuple

from . import syntax
from .flow_probes import FlowProbes, called_names
from .syntax import FunctionNode


class StatementNode(NamedTuple):
    """A node: a statement that a debugger stops at, or the record of a probe.

    - `line`: the first line of the statement, of a compound one the first of its header; 0 for a probe.
    - `end_line`: the last of these lines; 0 for a probe.
    - `site`: the number of the probe's site; -1 for a statement.
    - `calls`: the last names of what the statement calls, then `!` where one of them is known to record.
    - `next`: the numbers of the nodes that may follow.
    - `raises`: the numbers of those that may follow where an exception is raised here.
    - `again`: whether an exception that was caught is raised again here.
    """

    line: int
    end_line: int
    site: int
    calls: list[str]
    next: list[int]
    raises: list[int]
    again: bool


_END = 1


class Exits(NamedTuple):
    """Where control goes from a block other than to its end: the nodes that may follow each way of leaving it.

    - `breaks`: after a `break`.
    - `continues`: after a `continue`.
    - `returns`: after a `return`.
    - `raises`: after an exception.
    """

    breaks: list[int]
    continues: list[int]
    returns: list[int]
    raises: list[int]


class StatementGraph:
    """The graph of one function. Raises `syntax.Unsupported` for a statement of an unknown type.

    A block is walked from its end to its begin, since a node needs the numbers of the nodes that follow it. The methods
    take what follows a statement, `following`, and return what comes first in it: lists of node numbers.

    - `node`: the function with its probes.
    - `plain`: its code without them. A debugger stops at the lines of that code.
    - `flow`: says which of the called functions record.
    """

    def __init__(self, node: FunctionNode, plain: types.CodeType, flow: FlowProbes) -> None:
        self._flow = flow
        self.nodes: list[StatementNode] = [
            StatementNode(0, 0, -1, [], [], [], False),
            StatementNode(0, 0, -1, [], [], [], False),
        ]
        """The nodes. The first is where the function is entered, the second where it is left."""
        self._lines = {line for _, line in dis.findlinestarts(plain) if line is not None}
        _, body = syntax.split_docstring(node.body)
        self.nodes[0].next.extend(self._block(body, [_END], Exits([], [], [_END], [])))

    def _add(self, node: StatementNode) -> list[int]:
        self.nodes.append(node)
        return [len(self.nodes) - 1]

    def _probe(self, statement: ast.AST, following: list[int]) -> list[int]:
        site = syntax.site_of(statement)
        assert site is not None
        return self._add(StatementNode(0, 0, site.number, [], following, [], False))

    def _line(self, statement: ast.stmt, following: list[int], exits: Exits) -> list[int]:
        """The node of a statement. Where no debugger stops at it there is none, and this is what follows it."""
        first, last = _lines(statement)
        if not self._lines.intersection(range(first, last + 1)):
            return following
        return self._add(
            StatementNode(first, last, -1, self._calls(statement), following, exits.raises, _is_again(statement))
        )

    def _calls(self, statement: ast.stmt) -> list[str]:
        names = called_names(statement)
        return names + ["!"] * any(map(self._flow.is_entry, names))

    def _block(self, block: list[ast.stmt], following: list[int], exits: Exits) -> list[int]:
        for statement in reversed(block):
            following = self._statement(statement, following, exits)
        return following

    def _statement(self, statement: ast.stmt, following: list[int], exits: Exits) -> list[int]:
        has_site = syntax.site_of(statement) is not None
        if isinstance(statement, ast.Return):
            return self._line(statement, self._probe(statement, exits.returns) if has_site else exits.returns, exits)
        if has_site:
            after = self._probe(statement, following)
            return after if syntax.is_added(statement) else self._line(statement, after, exits)
        if isinstance(statement, ast.Raise):
            return self._again([], exits) if syntax.is_added(statement) else self._line(statement, [], exits)
        if syntax.is_added(statement):
            return following
        if isinstance(statement, ast.Break):
            return self._line(statement, exits.breaks, exits)
        if isinstance(statement, ast.Continue):
            return self._line(statement, exits.continues, exits)
        if isinstance(statement, ast.If):
            arms = self._block(statement.body, following, exits)
            arms = arms + self._block(statement.orelse, following, exits) if statement.orelse else arms + following
            return self._line(statement, _unique(arms), exits)
        if isinstance(statement, (ast.For, ast.While)):
            return self._loop(statement, following, exits)
        if isinstance(statement, ast.With):
            if not syntax.is_guard(statement.body[0]):
                return self._line(statement, self._block(statement.body, following, exits), exits)
            # The `with` may swallow an exception, and then control goes on after it. Otherwise it is raised again.
            caught, body = self._guard(statement.body[0], self._again(following, exits))
            return self._line(statement, self._block(body, following, exits._replace(raises=caught)), exits)
        if isinstance(statement, ast.Try):
            return self._attempt(statement, following, exits)
        if not isinstance(statement, syntax.SIMPLE):
            raise syntax.Unsupported("%s in line %d" % (type(statement).__name__, statement.lineno))
        return self._line(statement, following, exits)

    def _again(self, following: list[int], exits: Exits) -> list[int]:
        """A node where an exception that was caught is raised again, or is swallowed and `following` comes next."""
        return self._add(StatementNode(0, 0, -1, [], following, exits.raises, True))

    def _guard(self, guard: ast.stmt, following: list[int]) -> tuple[list[int], list[ast.stmt]]:
        """The node of a guard's probe, which `following` follows, and the statements in the guard."""
        assert isinstance(guard, ast.Try) and syntax.is_guard(guard)
        return self._probe(guard.handlers[0].body[0], following), guard.body

    def _loop(self, loop: Any, following: list[int], exits: Exits) -> list[int]:
        after = self._block(loop.orelse, following, exits) if loop.orelse else following
        first, last = _lines(loop)
        if not self._lines.intersection(range(first, last + 1)):
            first = last = 0  # no debugger stops at `while True`, but each turn passes it
        # The body needs the header's number, and the header what comes first in the body: that is filled in last.
        turns: list[int] = []
        header = self._add(StatementNode(first, last, -1, self._calls(loop), turns, exits.raises, False))
        inside = exits._replace(breaks=following, continues=header)
        turns.extend(_unique(self._block(loop.body, header, inside) + after))
        return header

    def _attempt(self, statement: ast.Try, following: list[int], exits: Exits) -> list[int]:
        if statement.finalbody:
            return self._finally(statement, following, exits)
        handlers = [node for handler in statement.handlers for node in self._block(handler.body, following, exits)]
        after = self._block(statement.orelse, following, exits) if statement.orelse else following
        # A bare `except` lets nothing past it.
        catches_all = any(handler.type is None for handler in statement.handlers)
        raises = handlers if catches_all else handlers + exits.raises
        return self._block(statement.body, after, exits._replace(raises=raises))

    def _finally(self, statement: ast.Try, following: list[int], exits: Exits) -> list[int]:
        """A `try` with a `finally`. That block is there once for each exit of the `try`, as Python compiles it."""

        def through(target: list[int]) -> list[int]:
            """The `finally` block on the way to `target`, if control can go there at all."""
            return self._block(statement.finalbody, target, exits) if target else target

        caught, body = self._guard(statement.body[0], through(self._again([], exits)))
        inside = Exits(through(exits.breaks), through(exits.continues), through(exits.returns), caught)
        return self._block(body, through(following), inside)


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """The first and last line of a statement; of a compound one, those of its header."""
    first = statement.lineno
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        decorators = [decorator.lineno for decorator in statement.decorator_list]
        return min([first, *decorators]), statement.body[0].lineno - 1
    parts: list[ast.AST] = [statement]
    if isinstance(statement, (ast.If, ast.While)):
        parts = [statement.test]
    elif isinstance(statement, ast.For):
        parts = [statement.target, statement.iter]
    elif isinstance(statement, ast.With):
        parts = list(statement.items)
    # Before Python 3.8 a node has no `end_lineno`. The lines where its parts begin come close.
    lines = [getattr(node, "lineno", first) for part in parts for node in ast.walk(part)]
    lines += [getattr(node, "end_lineno", None) or first for part in parts for node in ast.walk(part)]
    return first, max(lines)


def _is_again(statement: ast.stmt) -> bool:
    """Whether a statement raises the exception that is being handled: a bare `raise`."""
    return isinstance(statement, ast.Raise) and statement.exc is None


def _unique(nodes: list[int]) -> list[int]:
    return list(dict.fromkeys(nodes))
