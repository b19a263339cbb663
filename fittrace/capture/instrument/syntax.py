"""Building blocks of the rewriting: nodes that probes are made of, and questions about statements.

Statements carry marks of fittrace's as attributes: `fittrace_added` (not the engine's own), `fittrace_site` (the site
that it records), `fittrace_guard` (a `try` made by `guarded`), `fittrace_loop` (the phase of a loop's turns) and
`fittrace_aside` (it runs a sampled batch; see `sampling_gates`).
"""

from __future__ import annotations

import ast
import copy
import sys
from typing import Any, Callable, Iterator, Union

from ...engines.engine_table import walk_without_functions
from ...schema.record_kinds import ENTER_FRAMES
from ..sites import Site

RECORDER = "fittrace: the recorder"
"""Placeholder for the recorder, a text constant. Compiled code gets the recorder itself in its place.

Only attributes of it are called: the compiler would warn of a text that is called.
"""

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef]


def call(method: str, *arguments: ast.expr) -> ast.Call:
    """The call `recorder.method(*arguments)`."""
    return ast.Call(ast.Attribute(constant(RECORDER), method, ast.Load()), list(arguments), [])


def mark(head: int, *operands: ast.expr) -> ast.Call:
    """The call `recorder.mark(head, *operands)`, which appends a record whose first operand is the time."""
    return call("mark", constant(head), *operands)


def leave_root(head: int) -> ast.Call:
    """The call `recorder.leave_root(head)`: like `mark`, at the end of a root, a call of one of a model's methods."""
    return call("leave_root", constant(head))


def step(head: int) -> ast.Call:
    """The call `recorder.step(head)`, which appends a record of the head alone."""
    return call("step", constant(head))


def constant(value: Union[int, str, None]) -> ast.expr:
    """A literal expression."""
    return ast.Constant(value=value)


def name(value: str) -> ast.expr:
    """An expression that reads a variable."""
    return ast.Name(value, ast.Load())


def items(*values: ast.expr) -> ast.expr:
    """A tuple expression."""
    return ast.Tuple(list(values), ast.Load())


SIMPLE = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Delete, ast.Raise, ast.Assert, ast.Import,
    ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass, ast.Break, ast.Continue, ast.FunctionDef, ast.ClassDef,
)  # fmt: skip
"""Types of statements that hold no block which runs as part of them."""


class Unsupported(ValueError):
    """A statement whose control flow the rewriting does not know, such as `match`."""


def probe(site: Site, node: ast.expr, at: ast.AST) -> ast.stmt:
    """A statement that records a site.

    - `site`: the site that it records.
    - `node`: the call that does so.
    - `at`: a statement of the engine's. The probe goes on the line where that one begins to run.
    """
    result = statement(node, at)
    result.fittrace_site = site  # type: ignore[attr-defined]
    return _mark_added(result)


def added(node: Union[ast.expr, ast.stmt], at: ast.AST) -> ast.stmt:
    """A statement of fittrace's that is no part of the control flow, on the line where `at` begins to run."""
    return _mark_added(statement(node, at))


def is_added(node: ast.AST) -> bool:
    """Whether fittrace added a statement: a probe, or the `raise` after one."""
    return getattr(node, "fittrace_added", False)


def _mark_added(node: ast.stmt) -> ast.stmt:
    node.fittrace_added = True  # type: ignore[attr-defined]
    return node


def site_of(node: ast.AST) -> "Site | None":
    """The site that a statement records. It may be one of the engine's own: `value_then_probe` puts a probe into it."""
    return getattr(node, "fittrace_site", None)


def renumber(node: ast.stmt, site: Site) -> None:
    """Let a probe record `site` instead of its own."""
    old = site_of(node)
    assert old is not None
    # Heads are negative, and a negative number in a source is no constant: the first that is found is the probe's.
    heads = (part for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value == old.head)
    next(heads).value = site.head
    node.fittrace_site = site  # type: ignore[attr-defined]


def make_sites_unique(node: FunctionNode, make_site: Callable[..., Site]) -> None:
    """Give each probe of a function a site of its own. `append` puts copies of one probe at several ends of a block."""
    seen: set[int] = set()
    for statement in inner_statements(node):
        site = site_of(statement)
        if site is not None and site.number in seen:
            facts = {key: value for key, value in vars(site).items() if key not in ("number", "engine")}
            renumber(statement, make_site(**facts))
        elif site is not None:
            seen.add(site.number)


def loop_of(node: ast.AST) -> "str | None":
    """The phase of a loop's turns; None for a loop that is not in the engine's table."""
    return getattr(node, "fittrace_loop", None)


def is_ours(node: ast.Call) -> bool:
    """Whether a call is a probe's."""
    function = node.func
    return isinstance(function, ast.Attribute) and getattr(function.value, "value", None) == RECORDER


def value_then_probe(value: ast.expr, site: Site, node: ast.expr, owner: ast.stmt) -> ast.expr:
    """The expression `(value, probe)[0]`: it evaluates the value, then records, and is the value.

    A statement after a `return` would not run, and one before it would run too early.

    - `value`: the expression of the engine's.
    - `site`: the site that is recorded.
    - `node`: the call that records it.
    - `owner`: the statement whose value this is. It is marked as the one that records the site.
    """
    call = statement(node, owner).value  # type: ignore[attr-defined]
    pair = items(value, call)
    first: Any = constant(0) if sys.version_info >= (3, 9) else ast.Index(constant(0))
    result = ast.Subscript(pair, first, ast.Load())
    for part in (result, pair, *ast.walk(first)):
        ast.copy_location(part, owner)
        # On one line: a debugger would see control come back to the first line of a value that has several.
        if hasattr(part, "lineno"):  # before Python 3.9 an index is a node without a location
            part.end_lineno = part.lineno  # type: ignore[attr-defined]
    owner.fittrace_site = site  # type: ignore[attr-defined]
    return result


def split_value_then_probe(node: ast.Subscript) -> tuple[ast.expr, ast.Call] | None:
    """The value and the probe's call of an expression that `value_then_probe` made; None for any other."""
    pair = node.value.elts if isinstance(node.value, ast.Tuple) else []
    call = pair[1] if len(pair) == 2 else None
    return (pair[0], call) if isinstance(call, ast.Call) and is_ours(call) else None


def statement(node: Union[ast.expr, ast.stmt], at: ast.AST) -> ast.stmt:
    """`node` as a statement on the line where `at` begins to run. All of it is on that line."""
    result = ast.Expr(node) if isinstance(node, ast.expr) else node
    first = _runs_first(at)
    line, column = first.lineno, first.col_offset  # type: ignore[attr-defined]
    for child in ast.walk(result):
        if isinstance(child, (ast.expr, ast.stmt, ast.excepthandler)):
            child.lineno = child.end_lineno = line
            child.col_offset = child.end_col_offset = column
    return result


def _runs_first(node: ast.AST) -> ast.AST:
    """The part of a statement that runs first. It may stand below the statement's first line."""
    if isinstance(node, (ast.If, ast.While)):
        return node.test
    if isinstance(node, ast.With):
        return node.items[0].context_expr
    if isinstance(node, ast.For):
        return node.iter
    if isinstance(node, (ast.Assign, ast.Expr)):
        node = node.value
    if sys.version_info >= (3, 12) and isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
        # Python inlines comprehensions, so no function is made first: https://peps.python.org/pep-0709/
        return node.generators[0].iter
    return node


def append(block: list[ast.stmt], probe: ast.stmt) -> None:
    """Put copies of `probe` at the end of a block, on the line that ran last.

    Where the block ends with an `if` or a `try`, each of its arms gets a copy.
    """
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
    elif not is_jump(last):
        while isinstance(last, ast.Try):
            last = (last.finalbody or last.orelse or last.body)[-1]
        block.append(statement(copy.deepcopy(probe), last))


def guarded(body: list[ast.stmt], site: Site, method: str, at: ast.AST) -> ast.stmt:
    """A guard: `body` in a `try` whose `except` records the exception and raises it again.

    - `body`: the statements to guard.
    - `site`: the site that is recorded where an exception leaves them.
    - `method`: the recorder's function that records it.
    - `at`: the statement on whose line the `except` goes.
    """
    caught = probe(site, call(method, constant(site.head)), at)
    handler = ast.ExceptHandler(type=None, name=None, body=[caught, _mark_added(ast.Raise(exc=None, cause=None))])
    result = ast.Try(body=[], handlers=[handler], orelse=[], finalbody=[])
    statement(result, at)
    # A debugger stops where a `try` is entered. On the line of its first statement that is no stop of its own.
    result.lineno = result.end_lineno = _runs_first(body[0]).lineno  # type: ignore[attr-defined]
    result.body = body
    result.fittrace_guard = True  # type: ignore[attr-defined]
    return result


def guard_entries(node: FunctionNode) -> None:
    """Move each probe that enters a frame into the guard after it, which ends the frame.

    A signal handler may raise as soon as the probe has returned: outside the guard the frame would stay open. This is
    done after the graph is built, in which the probe precedes the guard.
    """
    for block in all_blocks(node.body):
        for index in reversed(range(len(block) - 1)):
            site, guard = site_of(block[index]), block[index + 1]
            begins = site is not None and site.kind in ENTER_FRAMES and is_added(block[index])
            if begins and isinstance(guard, ast.Try) and is_guard(guard):
                guard.body.insert(0, block.pop(index))


def is_guard(node: ast.AST) -> bool:
    """Whether `guarded` made this `try`."""
    return getattr(node, "fittrace_guard", False)


def inner_statements(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements inside a statement or function, at any depth. Those of functions defined in it are left out."""
    for child in ast.iter_child_nodes(node):
        for inner in walk_without_functions(child):
            if isinstance(inner, ast.stmt):
                yield inner


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """The blocks (lists of statements) directly in a compound statement."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(node, field, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block
    for handler in getattr(node, "handlers", ()):
        yield handler.body


def all_blocks(body: list[ast.stmt]) -> list[list[ast.stmt]]:
    """A block and all blocks in it, at any depth. Those of functions and classes defined in it are left out."""
    result = [body]
    for statement in body:
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in blocks(statement):
                result += all_blocks(block)
    return result


def first_name(node: ast.AST) -> str:
    """The name of the first variable in an expression."""
    return next(child.id for child in ast.walk(node) if isinstance(child, ast.Name))


def is_jump(statement: ast.stmt) -> bool:
    """Whether control always leaves the block at this statement."""
    return isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue))


def split_docstring(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The docstring of a function's body, as a block, and the rest. A body that is a docstring alone is all rest."""
    first = body[0]
    text = first.value if isinstance(first, ast.Expr) else None
    # A text is in `s` on Python 3.7 and in `value` since; a later Python warns of `s`.
    text = text.value if hasattr(text, "value") else getattr(text, "s", None)  # type: ignore[union-attr]
    return (body[:1], body[1:]) if isinstance(text, str) and len(body) > 1 else ([], body)


def forwarded_hook(node: ast.AST, over: str) -> ast.expr | None:
    """The name of the hook that a loop over the callbacks (`self.<over>`) calls on each; None for any other statement.

    The name is a literal, or a variable where the loop gets the method by `getattr`.

    >>> loop = ast.parse("for callback in self.callbacks: callback.on_epoch_end(epoch, logs)").body[0]
    >>> ast.literal_eval(forwarded_hook(loop, "callbacks"))
    'on_epoch_end'
    """
    if not isinstance(node, ast.For) or not isinstance(node.iter, ast.Attribute) or node.iter.attr != over:
        return None
    for call in calls_in(node):
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("on_"):
            return constant(call.func.attr)
        if isinstance(call.func, ast.Name) and call.func.id == "getattr" and isinstance(call.args[1], ast.Name):
            return name(call.args[1].id)
    return None


def getattr_variables(node: ast.AST) -> list[str]:
    """The variables to which a statement assigns what `getattr` returns.

    >>> getattr_variables(ast.parse("hook = getattr(callback, hook_name)").body[0])
    ['hook']
    """
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return []
    function = node.value.func
    is_getattr = isinstance(function, ast.Name) and function.id == "getattr"
    return [target.id for target in node.targets if isinstance(target, ast.Name) and is_getattr]


def calls_in(node: ast.AST) -> Iterator[ast.Call]:
    """All calls in a node."""
    for child in ast.walk(node):
        if isinstance(child, ast.Call):
            yield child


class Returns(ast.NodeTransformer):
    """Turns each `return x` of a function into `return (x, probe)[0]`.

    - `probe`: makes the call that records a head.
    - `site`: makes a site; each `return` gets its own.
    """

    def __init__(self, probe: Callable[[int], ast.expr], site: Callable[[], Site]) -> None:
        self.probe = probe
        self.site = site

    def visit_Return(self, node: ast.Return) -> ast.Return:
        """Let the `return` record. A bare one returns None."""
        value = node.value or ast.copy_location(constant(None), node)
        site = self.site()
        node.value = value_then_probe(value, site, self.probe(site.head), node)
        return node

    def visit_FunctionDef(self, node: ast.AST) -> ast.AST:
        """Leave out a function inside: its returns are its own."""
        return node

    visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = visit_FunctionDef


class Continues(ast.NodeTransformer):
    """Puts a copy of `probe` before each `continue` of a loop."""

    def __init__(self, probe: ast.stmt) -> None:
        self.probe = probe

    def visit_Continue(self, node: ast.Continue) -> list[ast.stmt]:
        """Put the probe on the line of the `continue`."""
        return [statement(copy.deepcopy(self.probe), node), node]

    def visit_For(self, node: ast.AST) -> ast.AST:
        """Leave out a loop or function inside: its `continue` statements are its own."""
        return node

    visit_While = visit_AsyncFor = visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_For
