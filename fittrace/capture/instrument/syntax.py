"""Syntax trees: the calls that probes are made of, where probes are put in, and questions about statements."""

from __future__ import annotations

import ast
import copy
import sys
from typing import Any, Callable, Iterator, Union

from ...engines.engine_table import walk_without_functions
from ...schema.record_kinds import ENTER_FRAMES
from ..sites import Site

RECORDER = "fittrace: the recorder"
"""Stands for the recorder in the source; in the code the recorder itself takes its place."""

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef]


def call(method: str, *arguments: ast.expr) -> ast.Call:
    """`recorder.method(*arguments)`. On an attribute, so that the compiler does not warn of calling a text."""
    return ast.Call(ast.Attribute(constant(RECORDER), method, ast.Load()), list(arguments), [])


def mark(head: int, *operands: ast.expr) -> ast.Call:
    """`recorder.mark(head, *operands)`: a record whose first operand is the time."""
    return call("mark", constant(head), *operands)


def leave_root(head: int) -> ast.Call:
    """`recorder.leave_root(head)`: the same where a call of a model's method ends."""
    return call("leave_root", constant(head))


def step(head: int) -> ast.Call:
    """`recorder.step(head)`: a record that is nothing but its head."""
    return call("step", constant(head))


def constant(value: Union[int, str, None]) -> ast.expr:
    """A literal."""
    return ast.Constant(value=value)


def name(value: str) -> ast.expr:
    """A variable's value."""
    return ast.Name(value, ast.Load())


def items(*values: ast.expr) -> ast.expr:
    """A tuple."""
    return ast.Tuple(list(values), ast.Load())


SIMPLE = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise, ast.Assert, ast.Import,
    ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass, ast.Break, ast.Continue, ast.FunctionDef, ast.ClassDef,
)  # fmt: skip
"""Statements without blocks of their own that run where they stand."""


class Unsupported(ValueError):
    """A statement whose control flow is not known here."""


def probe(site: Site, node: ast.expr, anchor: ast.AST) -> ast.stmt:
    """The statement that records `site`, on the line where `anchor` begins to run."""
    result = statement(node, anchor)
    result.fittrace_site = site  # type: ignore[attr-defined]
    return _hidden(result)


def remark(node: Union[ast.expr, ast.stmt], anchor: ast.AST) -> ast.stmt:
    """A statement that records no step of the control flow, on the line where `anchor` begins to run."""
    return _hidden(statement(node, anchor))


def is_probe(node: ast.AST) -> bool:
    """Whether a statement was added by fittrace: a probe, or the `raise` after one."""
    return getattr(node, "fittrace_hidden", False)


def _hidden(node: ast.stmt) -> ast.stmt:
    node.fittrace_hidden = True  # type: ignore[attr-defined]
    return node


def site_of(node: ast.AST) -> "Site | None":
    """The site that a statement records, which may be one of the engine's own that hands a value through a probe."""
    return getattr(node, "fittrace_site", None)


def renumber(node: ast.stmt, site: Site) -> None:
    """Let a probe record another site."""
    old = site_of(node)
    assert old is not None
    numbers = (part for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value == old.head)
    next(numbers).value = site.head
    node.fittrace_site = site  # type: ignore[attr-defined]


def distinguish(node: FunctionNode, make_site: Callable[..., Site]) -> None:
    """Give each probe in a function a site of its own, also where one was put at the end of several ways."""
    seen: set[int] = set()
    for statement in inner(node):
        site = site_of(statement)
        if site is not None and site.number in seen:
            facts = {key: value for key, value in vars(site).items() if key not in ("number", "engine")}
            renumber(statement, make_site(**facts))
        elif site is not None:
            seen.add(site.number)


def loop_of(node: ast.AST) -> "str | None":
    """The phase of the turns of a loop that an engine's table names."""
    return getattr(node, "fittrace_loop", None)


def is_ours(node: ast.Call) -> bool:
    """Whether a call is one of a probe's."""
    function = node.func
    return isinstance(function, ast.Attribute) and getattr(function.value, "value", None) == RECORDER


def handed_on(value: ast.expr, site: Site, node: ast.expr, anchor: ast.stmt) -> ast.expr:
    """`(value, probe)[0]`: `value`, which belongs to the statement `anchor`, is handed on when the probe has run.

    `node` is the probe's call, which records `site`.
    """
    made = statement(node, anchor).value  # type: ignore[attr-defined]
    pair = items(value, made)
    first: Any = constant(0) if sys.version_info >= (3, 9) else ast.Index(constant(0))
    result = ast.Subscript(pair, first, ast.Load())
    for part in (result, pair, *ast.walk(first)):
        ast.copy_location(part, anchor)
        # Else a debugger sees control come back to the first line of a value of several.
        if hasattr(part, "lineno"):  # before Python 3.9 an index is a node without a position
            part.end_lineno = part.lineno  # type: ignore[attr-defined]
    anchor.fittrace_site = site  # type: ignore[attr-defined]
    return result


def handed(node: ast.Subscript) -> tuple[ast.expr, ast.Call] | None:
    """The value and the probe's call in what `handed_on` has made; None for any other node."""
    pair = node.value.elts if isinstance(node.value, ast.Tuple) else []
    call = pair[1] if len(pair) == 2 else None
    return (pair[0], call) if isinstance(call, ast.Call) and is_ours(call) else None


def statement(node: Union[ast.expr, ast.stmt], anchor: ast.AST) -> ast.stmt:
    """`node` as a statement on the line where `anchor` begins to run."""
    result = ast.Expr(node) if isinstance(node, ast.expr) else node
    anchor = _runs_first(anchor)
    line, column = anchor.lineno, anchor.col_offset  # type: ignore[attr-defined]
    for child in ast.walk(result):
        if isinstance(child, (ast.expr, ast.stmt, ast.excepthandler)):
            child.lineno = child.end_lineno = line
            child.col_offset = child.end_col_offset = column
    return result


def _runs_first(anchor: ast.AST) -> ast.AST:
    """The part of a statement that runs first, which may stand below its first line."""
    if isinstance(anchor, (ast.If, ast.While)):
        return anchor.test
    if isinstance(anchor, ast.With):
        return anchor.items[0].context_expr
    if isinstance(anchor, ast.For):
        return anchor.iter
    if isinstance(anchor, (ast.Assign, ast.Expr)):
        anchor = anchor.value
    if sys.version_info >= (3, 12) and isinstance(anchor, (ast.ListComp, ast.SetComp, ast.DictComp)):
        # No function of its own is made for it first: https://peps.python.org/pep-0709/
        return anchor.generators[0].iter
    return anchor


def append(block: list[ast.stmt], probe: ast.stmt) -> None:
    """Put `probe` at the end of a block, on the line that ran last: on each way through an `if` or a `try` that ends
    it."""
    last = block[-1]
    if isinstance(last, ast.If):
        append(last.body, probe)
        if last.orelse:
            append(last.orelse, probe)
        else:
            last.orelse.append(statement(copy.deepcopy(probe), last))
    elif isinstance(last, ast.Try) and not last.finalbody:
        for part in (last.orelse or last.body, *(handler.body for handler in last.handlers)):
            append(part, probe)
    elif not leaves(last):
        while isinstance(last, ast.Try):
            last = (last.finalbody or last.orelse or last.body)[-1]
        block.append(statement(copy.deepcopy(probe), last))


def guarded(body: list[ast.stmt], site: Site, method: str, anchor: ast.AST) -> ast.stmt:
    """`body`, and where an exception leaves it, a probe of `site` on the line of `anchor`."""
    caught = probe(site, call(method, constant(site.head)), anchor)
    handler = ast.ExceptHandler(type=None, name=None, body=[caught, _hidden(ast.Raise(exc=None, cause=None))])
    result = ast.Try(body=[], handlers=[handler], orelse=[], finalbody=[])
    statement(result, anchor)
    # A debugger stops where a `try` is entered, so it is entered on the line of its first statement.
    result.lineno = result.end_lineno = _runs_first(body[0]).lineno  # type: ignore[attr-defined]
    result.body = body
    result.fittrace_guard = True  # type: ignore[attr-defined]
    return result


def guard_beginnings(node: FunctionNode) -> None:
    """Put each probe that begins a frame into the guard after it, which ends the frame.

    A signal handler may raise as soon as the probe has returned. To the control flow the probe stands before the guard,
    so this comes after the graph is built.
    """
    for block in all_blocks(node.body):
        for index in reversed(range(len(block) - 1)):
            site, guard = site_of(block[index]), block[index + 1]
            begins = site is not None and site.kind in ENTER_FRAMES and is_probe(block[index])
            if begins and isinstance(guard, ast.Try) and is_guard(guard):
                guard.body.insert(0, block.pop(index))


def is_guard(node: ast.AST) -> bool:
    """Whether a `try` is one of `guarded`."""
    return getattr(node, "fittrace_guard", False)


def inner(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements inside a statement or function, at any depth, but not those of functions in it."""
    for child in ast.iter_child_nodes(node):
        for found in walk_without_functions(child):
            if isinstance(found, ast.stmt):
                yield found


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a compound statement."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block
    for handler in getattr(node, "handlers", ()):
        yield handler.body


def all_blocks(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    """A block and those in it, at any depth, but not those of functions and classes in it."""
    found = [body]
    for statement in body:
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in blocks(statement):
                found += all_blocks(block)
    return found


def first_name(node: ast.AST) -> str:
    """The first variable in an expression."""
    return next(child.id for child in ast.walk(node) if isinstance(child, ast.Name))


def leaves(last: ast.stmt) -> bool:
    """Whether control never comes past `last`."""
    return isinstance(last, (ast.Return, ast.Raise, ast.Break, ast.Continue))


def split_docstring(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The docstring of a function's body, and the rest."""
    first = body[0]
    text = first.value if isinstance(first, ast.Expr) else None
    # Python 3.7 has `s` for `value`; to ask a later one for it is a warning.
    text = text.value if hasattr(text, "value") else getattr(text, "s", None)  # type: ignore[union-attr]
    return (body[:1], body[1:]) if isinstance(text, str) and len(body) > 1 else ([], body)


def passes_on(node: ast.AST, over: str) -> ast.expr | None:
    """The name of the hook that a loop over the callbacks (`self.<over>`) passes on: a literal, or a variable where
    the loop gets the method by `getattr`. None where `node` is no such loop."""
    if not isinstance(node, ast.For) or not isinstance(node.iter, ast.Attribute) or node.iter.attr != over:
        return None
    for call in calls_in(node):
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("on_"):
            return constant(call.func.attr)
        if isinstance(call.func, ast.Name) and call.func.id == "getattr" and isinstance(call.args[1], ast.Name):
            return name(call.args[1].id)
    return None


def got_by_name(node: ast.AST) -> list[str]:
    """The variables to which a statement assigns a method that it gets by its name: `hook = getattr(...)`."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return []
    called = node.value.func
    is_got = isinstance(called, ast.Name) and called.id == "getattr"
    return [target.id for target in node.targets if isinstance(target, ast.Name) and is_got]


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in `node`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Call):
            yield child


class Returns(ast.NodeTransformer):
    """Makes every `return x` of a function `return (x, probe)[0]`, each with a `site` of its own."""

    def __init__(self, probe: Callable[[int], ast.expr], site: Callable[[], Site]) -> None:
        self.probe = probe
        self.site = site

    def visit_Return(self, node: ast.Return) -> ast.Return:
        """Keep the value's own position."""
        value = node.value or ast.copy_location(constant(None), node)
        site = self.site()
        node.value = handed_on(value, site, self.probe(site.head), node)
        return node

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        """A function inside has its own returns."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef


class Continues(ast.NodeTransformer):
    """Puts a probe before every `continue` of a loop."""

    def __init__(self, probe: ast.stmt) -> None:
        self.probe = probe

    def visit_Continue(self, node: ast.Continue) -> list[ast.stmt]:
        """On the line of the `continue`."""
        return [statement(copy.deepcopy(self.probe), node), node]

    def visit_For(self, node: ast.AST) -> ast.AST:
        """A loop inside has its own."""
        return node

    visit_While = visit_AsyncFor = visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_For
