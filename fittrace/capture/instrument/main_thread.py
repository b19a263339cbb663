"""Quicker probes for the owner: the thread that begins the capture, which nearly always is the main thread.

`threading.local` takes as long to find a thread's attributes as all the rest of a record takes. So a rewritten function
has its body twice: once for the owner, whose recorder is at hand, and once for all other threads. Each call chooses
once, by the thread's number.

Most probes of the owner are operators on constants, which takes Python less than a call: `-probe`, or `probe | value`
where a value is handed on.

The body is there a third time, without probes. It runs where the code was sent by `marshal` or `pickle`: there the
constants that choose a body are empty bytes (`probe_constants`), of which `in` is False.
"""

from __future__ import annotations

import ast
import copy
import sys
from typing import Any, Callable, Dict, Mapping, Sequence

from ..record.probe_constants import Constant
from . import syntax
from .syntax import RECORDER, FunctionNode

_FUNCTIONS = ("hook", "hooked", "hooked_last", "hooks", "mark", "named", "record", "sampler")
"""The functions of the owner's recorder that its probes call without looking for the recorder."""
_OPERATORS = ("leave_root", "mark", "step")
"""The functions that are operators where a head is their only argument."""
_ASKED = ("begins", "is_here", "known")
"""The questions that the operator `in` asks. `begins` is `mark` too, where the owner runs."""


def owned(recorder: Any) -> Mapping[str, object]:
    """Make the calling thread the owner. Returns the constants of rewritten code, by the texts that stand for them."""
    recorder.owns = _Owning(recorder.leave)
    return _Constants(recorder)


def split(node: FunctionNode, original: FunctionNode) -> None:
    """Give a rewritten function its three bodies; `original` is the function before it was rewritten."""
    docstring, body = syntax.split_docstring(node.body)
    unknown = [_Original().visit(statement) for statement in syntax.split_docstring(original.body)[1]]
    parts = [part for statement in body for part in ast.walk(statement)]
    others = [_Others().visit(copy.deepcopy(statement)) for statement in body]
    chosen = _choice(_asked("known"), others, unknown, body[0])
    # A generator may be resumed by another thread; a name is made global once in a function.
    if not any(isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal)) for part in parts):
        begins = _begins(_first_of(body))
        owners = [_Owners().visit(statement) for statement in body]
        if begins is not None:
            del _first_of(owners)[0]
        chosen = _choice(begins or _asked("is_here"), owners, [chosen], body[0])
    node.body = [*docstring, chosen]


def _choice(test: ast.expr, body: Sequence[ast.stmt], others: Sequence[ast.stmt], anchor: ast.stmt) -> ast.stmt:
    result = syntax.statement(ast.If(test=test, body=[], orelse=[]), anchor)
    result.body, result.orelse = list(body), list(others)  # type: ignore[attr-defined]
    return result


def _asked(name: str, head: int = 0) -> ast.expr:
    """The test `0 in probe`. It is False where the code was sent elsewhere, and the probe is empty bytes."""
    return ast.Compare(syntax.constant(0), [ast.In()], [syntax.constant(_probe(name, head))])


def _first_of(body: list[ast.stmt]) -> list[ast.stmt]:
    """The block that a body begins with: what is guarded, or the body itself."""
    first = body[0]
    return first.body if isinstance(first, ast.Try) and syntax.is_guard(first) else body


def _begins(block: list[ast.stmt]) -> ast.expr | None:
    """The owner's test, where the first probe of a body can be the test too; else None.

    The probe must be an operator: after a call a signal handler may run, when nothing guards the frame yet.
    """
    call = block[0].value if isinstance(block[0], ast.Expr) and len(block) > 1 else None
    is_mark = _called(call) == "mark" and len(call.args) == 1  # type: ignore[union-attr]
    return _asked("begins", ast.literal_eval(call.args[0])) if is_mark else None  # type: ignore[union-attr]


class _Owning:
    """Lives as long as the owner's thread: `threading.local` keeps it. Another thread may get its number afterwards."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave

    def __del__(self) -> None:
        self._leave()


class _OwnerConstant(Constant):
    """The constant by which rewritten code reaches the `recorder`, and the functions that the owner calls directly."""

    __slots__ = ("recorder", *_FUNCTIONS)

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        for name in _FUNCTIONS:
            setattr(self, name, getattr(recorder, name))
        self.hooked = recorder.hooked_of_owner


class _Constants(Dict[str, object]):
    """The constants of rewritten code, by the texts that stand for them. Probes are made when they are asked for."""

    def __init__(self, recorder: Any) -> None:
        super().__init__({RECORDER: _OwnerConstant(recorder)})
        self._make = recorder.probe

    def __missing__(self, text: str) -> object:
        recorder, _, called = text.rpartition(".")
        name, _, head = called.partition("(")
        if recorder != RECORDER or name not in _OPERATORS + _ASKED:
            raise KeyError(text)
        self[text] = probe = self._make(name, int(head.rstrip(")")))
        return probe


def _probe(name: str, head: int) -> str:
    """The text of the constant that is this probe."""
    return "%s.%s(%d)" % (RECORDER, name, head)


def _called(node: "ast.AST | None") -> str | None:
    """Which of a recorder's functions a node calls."""
    is_call = isinstance(node, ast.Call) and syntax.is_ours(node)
    return node.func.attr if is_call else None  # type: ignore[union-attr]


class _Others(ast.NodeTransformer):
    """Lets `recorder.name` be that of the running thread's recorder."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Go by the constant to the recorder."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value == RECORDER:
            node.value = ast.copy_location(ast.Attribute(node.value, "recorder", ast.Load()), node)
        return node


class _Owners(_Others):
    """Makes `recorder.mark(head)` and `(value, recorder.mark(head))[0]` operators.

    Other functions of the recorder are called directly (`_FUNCTIONS`), or of the owner's recorder.
    """

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Make a call an operator, or load its function as an attribute.

        For `(f if 1 else None)()` the compiler loads an attribute, from Python 3.8 on, which is quicker here than to
        look for a method. Nothing else of the conditional expression is left in the code.
        """
        called = _called(node)
        if called in _OPERATORS and len(node.args) == 1:
            return _placed(ast.UnaryOp(ast.USub(), self._constant(called, node)), node)
        self.generic_visit(node)
        if called in _FUNCTIONS and sys.version_info >= (3, 8):
            node.func = _placed(ast.IfExp(syntax.constant(1), node.func, syntax.constant(None)), node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """Make an operator of a probe that hands a value on."""
        handed = syntax.split_value_then_probe(node)
        called = _called(handed and handed[1])
        if handed is None or called not in _OPERATORS:
            return self.generic_visit(node)  # type: ignore[return-value]
        value, call = handed
        probe = _placed(self._constant(called, call), node)
        return ast.copy_location(ast.BinOp(probe, ast.BitOr(), self.visit(value)), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Leave alone what the owner calls directly."""
        return self.generic_visit(node) if node.attr in _FUNCTIONS else super().visit_Attribute(node)  # type: ignore[return-value]

    @staticmethod
    def _constant(called: str, call: ast.Call) -> ast.expr:
        return syntax.constant(_probe(called, ast.literal_eval(call.args[0])))


class _Original(ast.NodeTransformer):
    """Leaves out the statements that may stand in a function only once."""

    def visit_Global(self, node: ast.stmt) -> ast.stmt:
        """The rewritten body says it for the whole function."""
        return ast.copy_location(ast.Pass(), node)

    visit_Nonlocal = visit_Global

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        """A function or class inside has its own."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef


def _placed(node: ast.expr, anchor: ast.expr) -> ast.expr:
    for part in ast.walk(node):
        ast.copy_location(part, anchor)
    return node
