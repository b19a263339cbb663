"""Rewriting: puts probes into functions, from their own source.

A probe is a statement that appends to the recorder, which the code holds as a constant: no name is added anywhere,
and every statement keeps its place, so that tracebacks, breakpoints and coverage see the source as it is. A probe
takes the line of a statement that runs right beside it.

The source is compiled twice, as it is and rewritten; the first compilation proves that the file is what the running
function was made from.
"""

from __future__ import annotations

import ast
import types
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence, Union

from ...engines import CallbackLists, Function
from . import assignments, main_thread
from .callback_lists import CallbackListBody
from .phase_probes import Body, MakeSite
from .statement_graph import StatementGraph, StatementNode
from .syntax import (
    FunctionNode,
    Unsupported,
    distinguish,
    guard_beginnings,
    inner,
    passes_on,
    split_docstring,
    statement,
)

_OF_A_FUNCTION = 1
"""The flag of a function's code (`inspect.CO_OPTIMIZED`). A class' code does not have it."""


class Rewritten(NamedTuple):
    """What became of the functions of an engine's table in one module.

    codes: the code without probes and the code that records, by qualified name.
    graphs: the graphs of the functions that record, by qualified name.
    missing: the parts of the table that the source does not have.
    """

    codes: dict[str, tuple[types.CodeType, types.CodeType]]
    graphs: dict[str, list[StatementNode]]
    missing: list[str]


def rewrite(
    source: str,
    file: str,
    functions: Sequence[Union[Function, CallbackLists]],
    site: MakeSite,
    entering: "frozenset[str]" = frozenset(),
    variables: bool = False,
) -> Rewritten:
    """Rewrite functions of one module. Raises `SyntaxError` or `ValueError` where its source cannot be compiled.

    source, file: the module's source, and the file in which it lies.
    functions: what an engine's table says of the functions to rewrite.
    site: makes a numbered `Site`.
    entering: the names under which functions that record are called.
    variables: whether the functions record what they assign, too.
    """
    tree = ast.parse(source, file)
    plain = dict(_codes(compile(tree, file, "exec", dont_inherit=True)))
    definitions = dict(_definitions(tree))
    originals = dict(_definitions(ast.parse(source, file)))
    bodies: dict[str, Body] = {}
    missing: list[str] = []
    for function in functions:
        if isinstance(function, CallbackLists):
            lists = [name for name, node in definitions.items() if _is_callback_list(name, node, function)]
            for name in lists:
                phases = () if name.endswith("_begin") else function.phases
                bodies[name] = CallbackListBody(name, file, site, entering, (), phases)
                bodies[name].rewrite(definitions[name], function.over)  # type: ignore[arg-type]
            for name in [name for name in definitions if _passes_to_one(name, function)]:
                if name not in bodies and not any(name == other.name for other in functions):
                    bodies[name] = Body(name, file, site, entering)
                    bodies[name].rewrite(definitions[name], Function(function.module, name))
            if not lists and not function.optional:
                missing.append("the loops of %s over its %s" % (function.name, function.over))
        elif function.name in definitions:
            body = bodies[function.name] = Body(function.name, file, site, entering, function.loops, function.phases)
            body.rewrite(definitions[function.name], function)
        elif not function.optional:
            missing.append(function.name)
    keys = {name: (name, _first_line(definitions[name])) for name in bodies}
    graphs = {}
    for name, body in bodies.items():
        distinguish(definitions[name], site)
        try:
            if body.has_flow:
                graphs[name] = StatementGraph(definitions[name], plain[keys[name]], body.flow(clocked=False)).nodes
        except Unsupported as error:
            missing.append("the control flow of %s (%s)" % (name, error))
        body.enclose(definitions[name])
        if variables and body.has_flow:
            assignments.tell_all(definitions[name], body.site)
        missing += ["%s in %s" % (what, name) for what in body.missing()]
        guard_beginnings(definitions[name])
        main_thread.split(definitions[name], originals[name])
    probed = dict(_codes(compile(tree, file, "exec", dont_inherit=True)))
    return Rewritten({name: (plain[key], probed[key]) for name, key in keys.items()}, graphs, missing)


def beginning_with(source: str, file: str, calls: Mapping[str, ast.expr]) -> Rewritten:
    """Let functions of the module whose `source` lies in `file` begin with one of `calls`, by qualified name.

    Raises `SyntaxError` or `ValueError` where the source cannot be compiled.
    """
    tree = ast.parse(source, file)
    plain = dict(_codes(compile(tree, file, "exec", dont_inherit=True)))
    definitions = dict(_definitions(tree))
    missing = [name for name in calls if name not in definitions]
    keys = {name: (name, _first_line(definitions[name])) for name in calls if name in definitions}
    for name in keys:
        docstring, body = split_docstring(definitions[name].body)
        definitions[name].body = [*docstring, statement(calls[name], body[0]), *body]
    probed = dict(_codes(compile(tree, file, "exec", dont_inherit=True)))
    return Rewritten({name: (plain[key], probed[key]) for name, key in keys.items()}, {}, missing)


def with_constants(code: types.CodeType, values: Mapping[str, object]) -> types.CodeType:
    """`code` with `values` in the place of the texts that stand for them, in nested functions too."""
    constants = tuple(_with_values(constant, values) for constant in code.co_consts)
    if hasattr(code, "replace"):
        return code.replace(co_consts=constants)
    make: Callable[..., types.CodeType] = types.CodeType
    return make(  # Python 3.7 has no `replace`
        code.co_argcount, code.co_kwonlyargcount, code.co_nlocals, code.co_stacksize, code.co_flags, code.co_code,
        constants, code.co_names, code.co_varnames, code.co_filename, code.co_name, code.co_firstlineno,
        code.co_lnotab, code.co_freevars, code.co_cellvars,
    )  # fmt: skip


def _with_values(constant: object, values: Mapping[str, object]) -> object:
    if isinstance(constant, types.CodeType):
        return with_constants(constant, values)
    if type(constant) is not str:
        return constant
    try:
        return values[constant]
    except KeyError:
        return constant


def _is_callback_list(name: str, node: FunctionNode, spec: CallbackLists) -> bool:
    return name.rpartition(".")[0] == spec.name and any(passes_on(child, spec.over) for child in inner(node))


def _passes_to_one(name: str, spec: CallbackLists) -> bool:
    """Whether a method of a callback list passes a hook on to another method of it, by its name."""
    owner, _, method = name.rpartition(".")
    is_hook = method.lstrip("_").startswith(("on_", "call_")) and method not in ("_on_begin", "_on_end")
    return owner == spec.name and is_hook


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, FunctionNode]]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child
            for found in _definitions(child, prefix + child.name + ".<locals>."):
                yield found
        elif isinstance(child, ast.ClassDef):
            for found in _definitions(child, prefix + child.name + "."):
                yield found
        elif isinstance(child, (ast.stmt, ast.excepthandler)):
            for found in _definitions(child, prefix):
                yield found


def _codes(code: types.CodeType, prefix: str = "") -> Iterator[tuple[tuple[str, int], types.CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield (prefix + constant.co_name, constant.co_firstlineno), constant
            inside = ".<locals>." if constant.co_flags & _OF_A_FUNCTION else "."
            for found in _codes(constant, prefix + constant.co_name + inside):
                yield found


def _first_line(node: FunctionNode) -> int:
    # A code object begins at its first decorator.
    return min([node.lineno] + [decorator.lineno for decorator in node.decorator_list])
