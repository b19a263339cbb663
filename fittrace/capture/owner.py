"""The owner: the thread that begins the capture, whose probes do not look for their thread's recorder.

To find a thread's attributes takes `threading.local` as long as all the rest of a record, and nearly every fit runs on
the main thread. So the body of a rewritten function is there twice: for the owner with the functions of its own
recorder as constants, and for all others. Which of them runs is settled once in each call, by the thread's number.
"""

from __future__ import annotations

import ast
import copy
import sys
from typing import Any, Callable, Mapping

from . import syntax
from .syntax import RECORDER, FunctionNode

_IS_HERE = "is_here"
"""What tells the owner from other threads."""
_FUNCTIONS = ("hook", "hooked", "hooked_last", "hooks", "mark", "named", "record", "step")
"""What probes call of a recorder without looking for it."""
_SAMPLER = "sampler"
"""What gates look at in the same way."""


def owned(recorder: Any) -> Mapping[str, object]:
    """Make the calling thread the owner. Returns what stands for the constants of rewritten code, by their texts."""
    recorder.owns = _Owning(recorder.leave)
    functions = {_constant(name): getattr(recorder, name) for name in (_IS_HERE, *_FUNCTIONS)}
    functions[_constant("hooked")] = recorder.hooked_of_owner
    return dict(functions, **{RECORDER: recorder, _constant(_SAMPLER): recorder.sampler})


def split(node: FunctionNode) -> None:
    """Give a rewritten function its two bodies, where nothing in it stands against that."""
    docstring, body = syntax.split_docstring(node.body)
    parts = [part for statement in body for part in ast.walk(statement)]
    # A generator may be resumed by another thread; a name is made global once in a function.
    if any(isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal)) for part in parts):
        return
    owners = [_Owners().visit(copy.deepcopy(statement)) for statement in body]
    test = ast.Call(_named(_constant(_IS_HERE)), [], [])
    result = ast.If(test=test, body=[], orelse=[])
    syntax.statement(result, body[0])
    result.body, result.orelse = owners, body
    node.body = [*docstring, result]


class _Owning:
    """Lives as long as what `threading.local` keeps for the owner. Another thread may get its number afterwards."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave

    def __del__(self) -> None:
        self._leave()


def _constant(name: str) -> str:
    return "%s.%s" % (RECORDER, name)


def _named(constant: str) -> ast.expr:
    """What calls a constant. From Python 3.8 on the compiler warns of the call of a text, but not in a conditional
    expression, of which it leaves no more in the code; Python 3.7 leaves all of it."""
    text = syntax.constant(constant)
    return text if sys.version_info < (3, 8) else ast.IfExp(syntax.constant(1), text, syntax.constant(None))


class _Owners(ast.NodeTransformer):
    """Makes `recorder.record(...)` the call of a constant, and `recorder.sampler` a constant."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """The functions are texts until then, as constants are."""
        self.generic_visit(node)
        called = node.func
        if (
            isinstance(called, ast.Attribute)
            and called.attr in _FUNCTIONS
            and isinstance(called.value, ast.Constant)
            and called.value.value == RECORDER
        ):
            node.func = _named(_constant(called.attr))
            for part in ast.walk(node.func):
                ast.copy_location(part, called)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """The sampler is looked at, not called."""
        self.generic_visit(node)
        if node.attr == _SAMPLER and isinstance(node.value, ast.Constant) and node.value.value == RECORDER:
            return ast.copy_location(syntax.constant(_constant(_SAMPLER)), node)
        return node
