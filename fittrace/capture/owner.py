"""The owner: the thread that begins the capture, whose probes do not look for their thread's recorder.

To find a thread's attributes takes `threading.local` as long as all the rest of a record, and nearly every fit runs on
the main thread. So the body of a rewritten function is there twice: for the owner with what its own recorder has as
constants, and for all others. Which of them runs is settled once in each call, by the thread's number.

Nor does the owner call what most of its probes do. Each of these is a constant of its own, and an operator is asked of
it, which takes Python less than a call: `-probe`, or `probe | value` where a value is handed on.
"""

from __future__ import annotations

import ast
import copy
import sys
from typing import Any, Callable, Dict, Mapping

from . import syntax
from .syntax import RECORDER, FunctionNode

_IS_HERE = "is_here"
"""What tells the owner from other threads."""
_BEGINNING = {"mark": "begins", "hooks": "begins_hooks"}
"""What tells it too, instead of what is recorded first in a function, and records that."""
_FUNCTIONS = ("begins_hooks", "hook", "hooked", "hooked_last", "hooks", "mark", "named", "record")
"""What probes call of a recorder without looking for it."""
_OPERATORS = ("begins", "mark", "step")
"""What is an operator where it is given a head and nothing more."""
_SAMPLER = "sampler"
"""What gates look at in the same way."""


def owned(recorder: Any) -> Mapping[str, object]:
    """Make the calling thread the owner. Returns what stands for the constants of rewritten code, by their texts."""
    recorder.owns = _Owning(recorder.leave)
    return _Constants(recorder)


def split(node: FunctionNode) -> None:
    """Give a rewritten function its two bodies, where nothing in it stands against that."""
    docstring, body = syntax.split_docstring(node.body)
    parts = [part for statement in body for part in ast.walk(statement)]
    # A generator may be resumed by another thread; a name is made global once in a function.
    if any(isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal)) for part in parts):
        return
    owners = [_Owners().visit(copy.deepcopy(statement)) for statement in body]
    test = _tells(body[0]) if len(body) > 1 else None
    owners = owners if test is None else owners[1:]
    result = ast.If(test=test or ast.Call(_named(_constant(_IS_HERE)), [], []), body=[], orelse=[])
    syntax.statement(result, body[0])
    result.body, result.orelse = owners, body
    node.body = [*docstring, result]


def _tells(first: ast.stmt) -> ast.expr | None:
    """What the first probe of a body is for the owner, where it can tell whether that is who runs."""
    call = copy.deepcopy(first.value) if isinstance(first, ast.Expr) else None
    called = _called(call)
    if called not in _BEGINNING or (called in _OPERATORS and len(call.args) > 1):  # type: ignore[union-attr]
        return None
    call.func.attr = _BEGINNING[called]  # type: ignore[union-attr]
    return _Owners().visit_Call(call)  # type: ignore[arg-type]


class _Owning:
    """Lives as long as what `threading.local` keeps for the owner. Another thread may get its number afterwards."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave

    def __del__(self) -> None:
        self._leave()


class _Constants(Dict[str, object]):
    """What stands for the constants of rewritten code, by their texts; probes are made when they are asked for."""

    def __init__(self, recorder: Any) -> None:
        super().__init__({_constant(name): getattr(recorder, name) for name in (_IS_HERE, *_FUNCTIONS)})
        self[_constant("hooked")] = recorder.hooked_of_owner
        self[_constant(_SAMPLER)] = recorder.sampler
        self[RECORDER] = recorder
        self._probe = recorder.probe

    def __missing__(self, text: str) -> object:
        recorder, _, called = text.rpartition(".")
        name, _, head = called.partition("(")
        if recorder != RECORDER or name not in _OPERATORS:
            raise KeyError(text)
        self[text] = probe = self._probe(name, int(head.rstrip(")")))
        return probe


def _constant(name: str) -> str:
    return "%s.%s" % (RECORDER, name)


def _named(constant: str) -> ast.expr:
    """What calls a constant. From Python 3.8 on the compiler warns of the call of a text, but not in a conditional
    expression, of which it leaves no more in the code; Python 3.7 leaves all of it."""
    text = syntax.constant(constant)
    return text if sys.version_info < (3, 8) else ast.IfExp(syntax.constant(1), text, syntax.constant(None))


def _called(node: "ast.AST | None") -> str | None:
    """Which of a recorder's functions a node calls."""
    is_call = isinstance(node, ast.Call) and syntax.is_ours(node)
    return node.func.attr if is_call else None  # type: ignore[union-attr]


def _probe(name: str, head: ast.expr) -> ast.expr:
    """The text of the constant that is this probe."""
    return syntax.constant(_constant("%s(%d)" % (name, ast.literal_eval(head))))


def _operator(name: str, head: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), _probe(name, head))


class _Owners(ast.NodeTransformer):
    """Makes `recorder.mark(head)` and `(value, recorder.mark(head))[0]` operators, what else is called of a recorder
    the call of a constant, and `recorder.sampler` a constant."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """The functions are texts until then, as constants are."""
        self.generic_visit(node)
        called = _called(node)
        if called in _OPERATORS and len(node.args) == 1:
            return _placed(_operator(called, node.args[0]), node)
        if called in _FUNCTIONS:
            node.func = _placed(_named(_constant(called)), node.func)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """A value that is handed on."""
        handed = syntax.handed(node)
        called = _called(handed and handed[1])
        if handed is None or called not in _OPERATORS:
            return self.generic_visit(node)  # type: ignore[return-value]
        value, call = handed
        probe = _placed(_probe(called, call.args[0]), node)
        return ast.copy_location(ast.BinOp(probe, ast.BitOr(), self.visit(value)), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """The sampler is looked at, not called."""
        self.generic_visit(node)
        if node.attr == _SAMPLER and isinstance(node.value, ast.Constant) and node.value.value == RECORDER:
            return ast.copy_location(syntax.constant(_constant(_SAMPLER)), node)
        return node


def _placed(node: ast.expr, place: ast.expr) -> ast.expr:
    for part in ast.walk(node):
        ast.copy_location(part, place)
    return node
