"""Probes for control flow: with them, a reader knows what ran between one record of a function and the next.

Most of it is known from the probes for phases. Where two ways through a function could look alike, a probe that
records nothing but its place tells them apart: in one arm of an `if`, in the turns of a loop, where an exception is
caught. Outside the loops over batches each statement also reads the clock, so that its own time is known.
"""

from __future__ import annotations

import ast
from typing import Any, Callable, FrozenSet, Sequence

from ...engines.engine_table import callee, walk_without_functions
from ...schema.record_kinds import CLOCKED
from ..sites import Site
from . import syntax
from .syntax import constant

MakeSite = Callable[..., Site]
Names = FrozenSet[str]

HARMLESS = frozenset([
    "isinstance", "hasattr", "getattr", "setattr", "len", "range", "zip", "enumerate", "sorted", "list", "tuple",
    "dict", "set", "int", "float", "str", "bool", "type", "id", "min", "max", "sum", "any", "all", "abs", "iter",
    "super", "append", "extend", "insert", "items", "keys", "values", "get", "pop", "copy", "format", "join", "update",
    "startswith", "endswith",
])  # fmt: skip
"""Names of what calls nothing that records: what Python itself brings."""


class FlowProbes:
    """Completes the probes of one function.

    site: makes a site of the function.
    entering: the last names of the functions that record.
    clocked: whether statements outside of loops read the clock.
    """

    def __init__(self, site: MakeSite, entering: frozenset[str], clocked: bool) -> None:
        self._site = site
        self._entering = entering
        self._clocked = clocked

    def complete(self, block: list[ast.stmt]) -> None:
        """Put into the statements of a function's body, in place, the probes that are missing.

        From a statement on that is not known here, the rest is left as it is; `StatementGraph` then says so.
        """
        try:
            self._block(block, self._clocked)
        except syntax.Unsupported:
            pass

    def frame(self, node: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
        """`body` as a frame that only the control flow knows: no span, no clock."""
        enter = self._step("enter", node, body[0])
        if not syntax.leaves(body[-1]):
            exit = self._make("exit", node)
            syntax.append(body, syntax.probe(exit, syntax.step(exit.head), body[-1]))
        returns = syntax.Returns(syntax.step, lambda: self._make("exit", node))
        body = returns.visit(ast.Module(body=body, type_ignores=[])).body
        if any(_holds_yield(statement) for statement in body):
            # Python closes a generator by an exception of which no debugger is told. So nothing may run there.
            return [enter, *body]
        return [enter, syntax.guarded(body, self._make("thrown", node), "raised", node)]

    def _make(self, kind: str, at: ast.AST) -> Site:
        return self._site(kind, at, level=3)

    def _step(self, kind: str, at: ast.AST, anchor: ast.AST) -> ast.stmt:
        site = self._make(kind, at)
        if kind == "line":
            return syntax.probe(site, syntax.mark(site.head), anchor)
        return syntax.probe(site, syntax.step(site.head), anchor)

    def _block(self, block: list[ast.stmt], clocked: bool, after: Names = frozenset()) -> None:
        """Complete a block. `after` are the functions that record and that may be called after it, before a probe."""
        has_entered = False
        for statement in list(block):
            if syntax.is_probe(statement):
                has_entered = has_entered and syntax.site_of(statement) is None
                continue
            index = _index(block, statement)
            if clocked and not _is_silent(statement) and not _is_clocked(block[:index]):
                block.insert(index, self._step("line", statement, statement))
                has_entered = False
            elif has_entered and self._enters(statement):
                # Else a reader could not tell which of two statements called the function that records.
                block.insert(index, self._step("step", statement, statement))
            has_entered = self._enters(statement) or (has_entered and isinstance(statement, syntax.SIMPLE))
            following = self._entries(block[_index(block, statement) + 1 :], after)
            if isinstance(statement, ast.If) and not clocked:
                self._tell_arms(statement, following)
            self._inside(statement, clocked, following)
            if _yields(statement):
                resume = self._step("enter", statement, statement)
                block.insert(_index(block, statement) + 1, resume)
        last = block[-1]
        if isinstance(last, (ast.Break, ast.Continue)) and not passes(block[:-1]):
            block.insert(len(block) - 1, self._step("step", last, last))

    def is_entry(self, name: str) -> bool:
        """Whether what has this name, by the engine's table or as a hook, is a function that records."""
        return name in self._entering or name.lstrip("_").startswith("on_")

    def _enters(self, statement: ast.stmt) -> bool:
        return any(name == "*" or self.is_entry(name) for name in called(statement))

    def _tell_arms(self, branch: ast.If, following: Names) -> None:
        """Put a probe into each arm of a branch that a reader could not tell from the other arm or from what follows.

        That is so where the same function, which records, may be called in both.
        """
        taken, other = self._entries(branch.body), self._entries(branch.orelse)
        for arm, is_unclear in ((branch.orelse, other & (taken | following)), (branch.body, taken & following)):
            if is_unclear:
                arm.insert(0, self._step("step", arm[0], arm[0]))

    def _entries(self, block: Sequence[ast.stmt], after: Names = frozenset()) -> Names:
        """The names of functions that record and that may be called, in a block and `after` it, before a probe."""
        found: Names = frozenset()
        for statement in block:
            if syntax.is_probe(statement) and syntax.site_of(statement) is not None:
                return found
            found = found.union(filter(self.is_entry, called(statement)))
            found = found.union(*map(self._entries, syntax.blocks(statement)))
            if isinstance(statement, (ast.Return, ast.Raise)):
                return found
        return found | after

    def _inside(self, statement: ast.stmt, clocked: bool, after: Names) -> None:
        if isinstance(statement, (ast.For, ast.While)):
            self._block(statement.body, clocked and syntax.loop_of(statement) == "epoch", after)
            if statement.orelse:
                self._block(statement.orelse, clocked, after)
            if not passes(statement.body):
                statement.body.insert(0, self._step("step", statement, statement.body[0]))
        elif isinstance(statement, ast.If):
            self._block(statement.body, clocked, after)
            if statement.orelse:
                self._block(statement.orelse, clocked, after)
            if not passes(statement.body) and not passes(statement.orelse):
                statement.body.insert(0, self._step("step", statement, statement.body[0]))
        elif isinstance(statement, ast.With):
            self._block(statement.body, clocked, after)
            # It may swallow what is raised in it; and to close a generator is to raise in it.
            if not _holds_yield(statement):
                raised = self._make("raised", statement)
                statement.body = [syntax.guarded(statement.body, raised, "raised", statement)]
        elif isinstance(statement, ast.Try):
            self._attempt(statement, clocked, after)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield):
            exit = self._make("exit", statement)
            value = statement.value.value or ast.copy_location(constant(None), statement.value)
            statement.value.value = syntax.handed_on(value, exit, syntax.step(exit.head), statement)
        elif not isinstance(statement, syntax.SIMPLE) or _yields(statement):
            raise syntax.Unsupported("%s in line %d" % (type(statement).__name__, statement.lineno))

    def _attempt(self, statement: ast.Try, clocked: bool, after: Names) -> None:
        if syntax.is_guard(statement):
            self._block(statement.body, False, after)
            return
        for block in (statement.body, statement.orelse, statement.finalbody):
            if block:
                self._block(block, clocked, after)
        for handler in statement.handlers:
            self._block(handler.body, clocked, after)
            raised = self._make("raised", handler)
            call = syntax.call("raised", constant(raised.head))
            handler.body.insert(0, syntax.probe(raised, call, handler.body[0]))
        if statement.finalbody:
            raised = self._site("raised", statement, level=3, goes_on=True)
            inner = ast.Try(statement.body, statement.handlers, statement.orelse, [])
            ast.copy_location(inner, statement)
            whole: list[ast.stmt] = [inner] if statement.handlers else statement.body
            statement.body = [syntax.guarded(whole, raised, "raised", statement)]
            statement.handlers, statement.orelse = [], []


_LITERALS = ("Constant", "Str", "Num", "Ellipsis", "NameConstant")  # all but the first before Python 3.8


def called(statement: ast.stmt) -> list[str]:
    """The last names of what a statement itself calls and does not come from Python; `*` for what a loop iterates
    over, and where what is called has no name.

    >>> called(ast.parse("outs = self.f(x)[len(y)]").body[0])
    ['f']
    """
    nodes: Sequence[ast.AST] = [statement]
    if isinstance(statement, (ast.If, ast.While)):
        nodes = [statement.test]
    elif isinstance(statement, ast.For):
        nodes = [statement.iter]
    elif isinstance(statement, ast.With):
        nodes = statement.items
    elif isinstance(statement, (ast.Try, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return []
    calls = [part for node in nodes for part in walk_without_functions(node) if isinstance(part, ast.Call)]
    names = [callee(call) or "*" for call in calls if not syntax.is_ours(call)]
    return [name for name in dict.fromkeys(names) if name not in HARMLESS] + ["*"] * isinstance(statement, ast.For)


def passes(block: Sequence[ast.stmt]) -> bool:
    """Whether every way through a block comes by a probe, or leaves the function."""
    for statement in block:
        if syntax.site_of(statement) is not None or isinstance(statement, (ast.Return, ast.Raise)):
            return True
        if isinstance(statement, (ast.Break, ast.Continue)):
            return False
        if isinstance(statement, ast.If) and passes(statement.body) and passes(statement.orelse):
            return True
        if isinstance(statement, (ast.With, ast.Try)) and passes(statement.body):
            return True
        if isinstance(statement, ast.Try) and passes(statement.finalbody):
            return True
        if _yields(statement):
            return True
    return False


def _yields(statement: ast.stmt) -> bool:
    return isinstance(statement, syntax.SIMPLE) and any(
        isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) for node in walk_without_functions(statement)
    )


def _holds_yield(statement: ast.stmt) -> bool:
    return any(_yields(part) for part in (statement, *syntax.inner(statement)))


def _index(block: list[ast.stmt], statement: ast.stmt) -> int:
    return next(index for index, found in enumerate(block) if found is statement)


def _is_silent(statement: ast.stmt) -> bool:
    """Whether a statement does nothing at its place."""
    literal = isinstance(statement, ast.Expr) and type(statement.value).__name__ in _LITERALS
    return literal or isinstance(statement, (ast.Global, ast.Nonlocal, ast.Pass, ast.Try))


def _is_clocked(before: Sequence[ast.stmt]) -> bool:
    site: Any = syntax.site_of(before[-1]) if before else None
    return site is not None and site.kind in CLOCKED
