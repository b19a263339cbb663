"""Probes for control flow: with them a reader knows each statement that ran between two records of a function.

The probes for phases already tell most of it. Where two paths through a function would leave the same records, a probe
that records nothing but its site tells them apart: in one arm of an `if`, in the turns of a loop, in an exception
handler. Outside the loops over batches each statement also reads the clock, so that its own time is known.
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
"""Names of Python's own functions and methods. None of them is taken for a function that records."""


class FlowProbes:
    """Adds to one function the probes that its control flow needs.

    - `site`: makes a site of the function.
    - `entering`: the last names of the functions that record (`fit` of `Model.fit`).
    - `clocked`: whether statements outside of loops read the clock.
    """

    def __init__(self, site: MakeSite, entering: frozenset[str], clocked: bool) -> None:
        self._site = site
        self._entering = entering
        self._clocked = clocked

    def complete(self, block: list[ast.stmt]) -> None:
        """Put the missing probes into the statements of a function's body, in place.

        A statement of an unknown type ends this, and the rest stays as it is: `StatementGraph` then raises, and its
        caller reports the function.
        """
        try:
            self._block(block, self._clocked)
        except syntax.Unsupported:
            pass

    def frame(self, node: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
        """The statements of `body` as a frame of the control flow alone, without a span and without a clock.

        `node` is the function. The frame begins with an `enter` record and ends with `exit` or `thrown`.
        """
        enter = self._step("enter", node, body[0])
        if not syntax.is_jump(body[-1]):
            exit = self._make("exit", node)
            syntax.append(body, syntax.probe(exit, syntax.step(exit.head), body[-1]))
        returns = syntax.Returns(syntax.step, lambda: self._make("exit", node))
        body = returns.visit(ast.Module(body=body, type_ignores=[])).body
        if any(_holds_yield(statement) for statement in body):
            # A generator is closed by an exception raised in it, of which Python tells no debugger. A guard's `except`
            # would run then, and a debugger would stop in it.
            return [enter, *body]
        return [enter, syntax.guarded(body, self._make("thrown", node), "raised", node)]

    def _make(self, kind: str, at: ast.AST) -> Site:
        return self._site(kind, at, level=3)

    def _step(self, kind: str, of: ast.AST, at: ast.AST) -> ast.stmt:
        """A probe of kind `line`, which reads the clock, or of another, which does not.

        Its site has the line of `of`; the probe goes on the line where `at` begins to run.
        """
        site = self._make(kind, of)
        if kind == "line":
            return syntax.probe(site, syntax.mark(site.head), at)
        return syntax.probe(site, syntax.step(site.head), at)

    def _block(self, block: list[ast.stmt], clocked: bool, after: Names = frozenset()) -> None:
        """Add the missing probes to a block.

        - `block`: its statements, changed in place.
        - `clocked`: whether each of them reads the clock.
        - `after`: the functions that record and that may be called after the block, before the next probe.
        """
        # Since the last probe of the block a statement has called a function that may record.
        has_entered = False
        for statement in list(block):
            if syntax.is_added(statement):
                has_entered = has_entered and syntax.site_of(statement) is None
                continue
            index = _index(block, statement)
            if clocked and not _is_silent(statement) and not _is_clocked(block[:index]):
                block.insert(index, self._step("line", statement, statement))
                has_entered = False
            elif has_entered and self._enters(statement):
                # Without a probe between two such statements a reader could not tell which of them made the call.
                block.insert(index, self._step("step", statement, statement))
            has_entered = self._enters(statement) or (has_entered and isinstance(statement, syntax.SIMPLE))
            following = self._entries(block[_index(block, statement) + 1 :], after)
            if isinstance(statement, ast.If) and not clocked:
                self._distinguish_arms(statement, following)
            self._inside(statement, clocked, following)
            if _yields(statement):
                resume = self._step("enter", statement, statement)
                block.insert(_index(block, statement) + 1, resume)
        last = block[-1]
        if isinstance(last, (ast.Break, ast.Continue)) and not always_records(block[:-1]):
            # A turn that ends here, without any record, would look like one that ends elsewhere.
            block.insert(len(block) - 1, self._step("step", last, last))

    def is_entry(self, name: str) -> bool:
        """Whether a function of this name may record: it is in the engine's table, or a hook."""
        return name in self._entering or name.lstrip("_").startswith("on_")

    def _enters(self, statement: ast.stmt) -> bool:
        """Whether a statement may call a function that records."""
        return any(name == "*" or self.is_entry(name) for name in called_names(statement))

    def _distinguish_arms(self, branch: ast.If, following: Names) -> None:
        """Put a probe into an arm of an `if` where the other arm, or what follows, may call the same function.

        The first record would be the same function's, whichever path control took.
        """
        taken, other = self._entries(branch.body), self._entries(branch.orelse)
        for arm, is_unclear in ((branch.orelse, other & (taken | following)), (branch.body, taken & following)):
            if is_unclear:
                arm.insert(0, self._step("step", arm[0], arm[0]))

    def _entries(self, block: Sequence[ast.stmt], after: Names = frozenset()) -> Names:
        """The functions that record and that a block may call before its first probe.

        Where control may come to the block's end without a probe, those in `after` belong to them.
        """
        entries: Names = frozenset()
        for statement in block:
            if syntax.is_added(statement) and syntax.site_of(statement) is not None:
                return entries
            entries = entries.union(filter(self.is_entry, called_names(statement)))
            entries = entries.union(*map(self._entries, syntax.blocks(statement)))
            if isinstance(statement, (ast.Return, ast.Raise)):
                return entries
        return entries | after

    def _inside(self, statement: ast.stmt, clocked: bool, after: Names) -> None:
        """Add the missing probes to the blocks in a statement. `after` is as in `_block`."""
        if isinstance(statement, (ast.For, ast.While)):
            self._block(statement.body, clocked and syntax.loop_of(statement) == "epoch", after)
            if statement.orelse:
                self._block(statement.orelse, clocked, after)
            if not always_records(statement.body):
                # Turns without a record could not be counted.
                statement.body.insert(0, self._step("step", statement, statement.body[0]))
        elif isinstance(statement, ast.If):
            self._block(statement.body, clocked, after)
            if statement.orelse:
                self._block(statement.orelse, clocked, after)
            if not always_records(statement.body) and not always_records(statement.orelse):
                statement.body.insert(0, self._step("step", statement, statement.body[0]))
        elif isinstance(statement, ast.With):
            self._block(statement.body, clocked, after)
            # A `with` may swallow an exception, so its guard records that there was one. A generator's gets no guard;
            # `frame` says why.
            if not _holds_yield(statement):
                raised = self._make("raised", statement)
                statement.body = [syntax.guarded(statement.body, raised, "raised", statement)]
        elif isinstance(statement, ast.Try):
            self._attempt(statement, clocked, after)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Yield):
            exit = self._make("exit", statement)
            value = statement.value.value or ast.copy_location(constant(None), statement.value)
            statement.value.value = syntax.value_then_probe(value, exit, syntax.step(exit.head), statement)
        elif not isinstance(statement, syntax.SIMPLE) or _yields(statement):
            raise syntax.Unsupported("%s in line %d" % (type(statement).__name__, statement.lineno))

    def _attempt(self, statement: ast.Try, clocked: bool, after: Names) -> None:
        """Add the missing probes to a `try`: in its blocks, at each `except`, and where it has a `finally`."""
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
            # The `finally` block runs with and without an exception. A guard around all before it records which. So
            # `try … except … finally` becomes `try: try … except … finally`, which Python treats alike.
            raised = self._site("raised", statement, level=3, goes_on=True)
            inner = ast.Try(statement.body, statement.handlers, statement.orelse, [])
            ast.copy_location(inner, statement)
            whole: list[ast.stmt] = [inner] if statement.handlers else statement.body
            statement.body = [syntax.guarded(whole, raised, "raised", statement)]
            statement.handlers, statement.orelse = [], []


_LITERALS = ("Constant", "Str", "Num", "Ellipsis", "NameConstant")
"""Types of nodes that are literals. All but the first are Python 3.7's."""


def called_names(statement: ast.stmt) -> list[str]:
    """The last names of the functions that a statement itself calls, without Python's own.

    A call of something without a name is `*`, and so is a loop's iteration over something.

    >>> called_names(ast.parse("outs = self.f(x)[len(y)]").body[0])
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


def always_records(block: Sequence[ast.stmt]) -> bool:
    """Whether each path through a block meets a probe or leaves the function."""
    for statement in block:
        if syntax.site_of(statement) is not None or isinstance(statement, (ast.Return, ast.Raise)):
            return True
        if isinstance(statement, (ast.Break, ast.Continue)):
            return False
        if isinstance(statement, ast.If) and always_records(statement.body) and always_records(statement.orelse):
            return True
        if isinstance(statement, (ast.With, ast.Try)) and always_records(statement.body):
            return True
        if isinstance(statement, ast.Try) and always_records(statement.finalbody):
            return True
        if _yields(statement):
            return True
    return False


def _yields(statement: ast.stmt) -> bool:
    """Whether a simple statement yields or awaits. A probe then follows it, so a path past it meets one."""
    return isinstance(statement, syntax.SIMPLE) and any(
        isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)) for node in walk_without_functions(statement)
    )


def _holds_yield(statement: ast.stmt) -> bool:
    return any(_yields(inner) for inner in (statement, *syntax.inner_statements(statement)))


def _index(block: list[ast.stmt], statement: ast.stmt) -> int:
    return next(index for index, other in enumerate(block) if other is statement)


def _is_silent(statement: ast.stmt) -> bool:
    """Whether a statement itself does nothing. A `try` does not: the statements in it do."""
    literal = isinstance(statement, ast.Expr) and type(statement.value).__name__ in _LITERALS
    return literal or isinstance(statement, (ast.Global, ast.Nonlocal, ast.Pass, ast.Try))


def _is_clocked(before: Sequence[ast.stmt]) -> bool:
    """Whether the last of the statements `before` another one is a probe that reads the clock."""
    site: Any = syntax.site_of(before[-1]) if before else None
    return site is not None and site.kind in CLOCKED
