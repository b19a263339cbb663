"""The owner: the thread that begins the capture, whose probes do not look for their thread's recorder.

To find a thread's attributes takes `threading.local` as long as all the rest of a record, and nearly every fit runs on
the main thread. So the body of a rewritten function is there for the owner, with what its own recorder has at hand, and
for all others. Which of them runs is settled once in each call, by the thread's number.

Nor does the owner call what most of its probes do. Each of these is a constant of its own, and an operator is asked of
it, which takes Python less than a call: `-probe`, or `probe | value` where a value is handed on.

The body is there a third time, as it was. It is what runs where the code has come by `marshal` or `pickle`: all that
chooses the other two is no bytes then (`constants`), and nothing is in those.
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
"""What probes have at hand of the owner's recorder, without looking for it."""
_OPERATORS = ("leave_root", "mark", "step")
"""What is an operator where it is given a head and nothing more."""
_ASKED = ("begins", "is_here", "known")
"""What is asked by the operator `in`: `begins` is `mark` where the owner runs."""


def owned(recorder: Any) -> Mapping[str, object]:
    """Make the calling thread the owner. Returns what stands for the constants of rewritten code, by their texts."""
    recorder.owns = _Owning(recorder.leave)
    return _Constants(recorder)


def split(node: FunctionNode, original: FunctionNode) -> None:
    """Give a rewritten function a body for each of those who may run it; `original` is what was rewritten."""
    docstring, body = syntax.split_docstring(node.body)
    unknown = [_Original().visit(statement) for statement in syntax.split_docstring(original.body)[1]]
    parts = [part for statement in body for part in ast.walk(statement)]
    chosen = _choice(_asked("known"), [_Others().visit(copy.deepcopy(one)) for one in body], unknown, body[0])
    # A generator may be resumed by another thread; a name is made global once in a function.
    if not any(isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal)) for part in parts):
        begins = _begins(_first_of(body))
        owners = [_Owners().visit(statement) for statement in body]
        if begins is not None:
            del _first_of(owners)[0]
        chosen = _choice(begins or _asked("is_here"), owners, [chosen], body[0])
    node.body = [*docstring, chosen]


def _choice(test: ast.expr, body: Sequence[ast.stmt], others: Sequence[ast.stmt], place: ast.stmt) -> ast.stmt:
    result = syntax.statement(ast.If(test=test, body=[], orelse=[]), place)
    result.body, result.orelse = list(body), list(others)  # type: ignore[attr-defined]
    return result


def _asked(name: str, head: int = 0) -> ast.expr:
    """`0 in probe`. Of no bytes it is false, whatever the probe is."""
    return ast.Compare(syntax.constant(0), [ast.In()], [syntax.constant(_probe(name, head))])


def _first_of(body: list[ast.stmt]) -> list[ast.stmt]:
    """The block that a body begins with: what is guarded, or the body itself."""
    first = body[0]
    return first.body if isinstance(first, ast.Try) and syntax.is_guard(first) else body


def _begins(block: list[ast.stmt]) -> ast.expr | None:
    """What the first probe of a body is for the owner, where it can tell whether that is who runs.

    It can as an operator: a signal handler may run after a call, when nothing guards the frame yet.
    """
    call = block[0].value if isinstance(block[0], ast.Expr) and len(block) > 1 else None
    is_mark = _called(call) == "mark" and len(call.args) == 1  # type: ignore[union-attr]
    return _asked("begins", ast.literal_eval(call.args[0])) if is_mark else None  # type: ignore[union-attr]


class _Owning:
    """Lives as long as what `threading.local` keeps for the owner. Another thread may get its number afterwards."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave

    def __del__(self) -> None:
        self._leave()


class _OwnerConstant(Constant):
    """What the probes of all threads are reached by: the `recorder`, and what the owner has at hand of its own."""

    __slots__ = ("recorder", *_FUNCTIONS)

    def __init__(self, recorder: Any) -> None:
        self.recorder = recorder
        for name in _FUNCTIONS:
            setattr(self, name, getattr(recorder, name))
        self.hooked = recorder.hooked_of_owner


class _Constants(Dict[str, object]):
    """What stands for the constants of rewritten code, by their texts; probes are made when they are asked for."""

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
        """The recorder is reached by one constant."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Constant) and node.value.value == RECORDER:
            node.value = ast.copy_location(ast.Attribute(node.value, "recorder", ast.Load()), node)
        return node


class _Owners(_Others):
    """Makes `recorder.mark(head)` and `(value, recorder.mark(head))[0]` operators; what else is called of a recorder
    is at hand, or the owner's recorder is looked for."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """From Python 3.8 on a conditional expression lets the compiler load an attribute, and not look for a method;
        it leaves no more of it in the code."""
        called = _called(node)
        if called in _OPERATORS and len(node.args) == 1:
            return _placed(ast.UnaryOp(ast.USub(), self._constant(called, node)), node)
        self.generic_visit(node)
        if called in _FUNCTIONS and sys.version_info >= (3, 8):
            node.func = _placed(ast.IfExp(syntax.constant(1), node.func, syntax.constant(None)), node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """A value that is handed on."""
        handed = syntax.handed(node)
        called = _called(handed and handed[1])
        if handed is None or called not in _OPERATORS:
            return self.generic_visit(node)  # type: ignore[return-value]
        value, call = handed
        probe = _placed(self._constant(called, call), node)
        return ast.copy_location(ast.BinOp(probe, ast.BitOr(), self.visit(value)), node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Most of what is asked of a recorder is at hand."""
        return self.generic_visit(node) if node.attr in _FUNCTIONS else super().visit_Attribute(node)  # type: ignore[return-value]

    @staticmethod
    def _constant(called: str, call: ast.Call) -> ast.expr:
        return syntax.constant(_probe(called, ast.literal_eval(call.args[0])))


class _Original(ast.NodeTransformer):
    """Leaves out what may stand in a function only once."""

    def visit_Global(self, node: ast.stmt) -> ast.stmt:
        """The rewritten body says it for the whole function."""
        return ast.copy_location(ast.Pass(), node)

    visit_Nonlocal = visit_Global

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        """A function or class inside has its own."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_FunctionDef


def _placed(node: ast.expr, place: ast.expr) -> ast.expr:
    for part in ast.walk(node):
        ast.copy_location(part, place)
    return node
