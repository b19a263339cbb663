"""Rewriting: puts probes into an engine's functions, from the engine's own source.

A probe is a statement that calls the recorder, which the code holds as a constant. So no name is added to any
namespace. Each statement keeps its line, and a probe takes the line of a statement that runs right beside it. So
tracebacks, breakpoints and coverage see the source as it is.

The source is compiled twice, as it is and rewritten. The first compilation is compared with the running function, which
proves that the function was made from this source.
"""

from __future__ import annotations

import ast
import types
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence, Union

from ...engines import CallbackLists, Function
from ...schema.capture_settings import NO_MEMORY
from . import assignments, main_thread
from .callback_lists import CallbackListRewriter
from .function_sites import MakeSite
from .phase_probes import FunctionRewriter
from .statement_graph import StatementGraph, StatementNode
from .syntax import (
    FunctionNode,
    Unsupported,
    forwarded_hook,
    guard_entries,
    inner_statements,
    make_sites_unique,
    split_docstring,
    statement,
)

_OF_A_FUNCTION = 1
"""The flag that the code of a function has, and that of a class has not (`inspect.CO_OPTIMIZED`)."""


class Rewritten(NamedTuple):
    """The rewritten functions of one module.

    - `codes`: by qualified name, the code as it is and the code that records.
    - `graphs`: by qualified name, the graph of the code that records. Without the functions whose control flow is not
      recorded.
    - `missing`: the parts of the engine's table that the source does not have, in words for the user.
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
    memory: str = NO_MEMORY,
) -> Rewritten:
    """Rewrite functions of one module. Raises `SyntaxError` or `ValueError` where its source cannot be compiled.

    - `source`: the module's source.
    - `file`: its file.
    - `functions`: the rows of the engine's table for this module.
    - `site`: makes a numbered `Site`.
    - `entering`: the names under which functions that record are called.
    - `variables`: whether the functions also record what their statements assign.
    - `memory`: around which hooks the memory is read, as `Settings.memory`.
    """
    tree = ast.parse(source, file)
    plain = dict(_codes(compile(tree, file, "exec", dont_inherit=True)))
    definitions = dict(_definitions(tree))
    originals = dict(_definitions(ast.parse(source, file)))
    rewriters, missing = _add_probes(functions, definitions, file, site, entering, memory)
    keys = {name: (name, _first_line(definitions[name])) for name in rewriters}
    graphs = {}
    for name, rewriter in rewriters.items():
        node = definitions[name]
        # The order matters: the graph has the probes, but nothing of what the steps after it add.
        make_sites_unique(node, site)
        try:
            if rewriter.has_flow:
                graphs[name] = StatementGraph(node, plain[keys[name]], rewriter.flow(clocked=False)).nodes
        except Unsupported as error:
            missing.append("the control flow of %s (%s)" % (name, error))
        rewriter.add_gates(node)
        if variables and rewriter.has_flow:
            assignments.add_value_probes(node, rewriter.site)
        missing += ["%s in %s" % (part, name) for part in rewriter.missing()]
        guard_entries(node)
        main_thread.split(node, originals[name])
    probed = dict(_codes(compile(tree, file, "exec", dont_inherit=True)))
    return Rewritten({name: (plain[key], probed[key]) for name, key in keys.items()}, graphs, missing)


def _add_probes(
    functions: Sequence[Union[Function, CallbackLists]],
    definitions: Mapping[str, FunctionNode],
    file: str,
    site: MakeSite,
    entering: "frozenset[str]",
    memory: str,
) -> tuple[dict[str, FunctionRewriter], list[str]]:
    """Put the probes into the `definitions` of a module's functions, which are given by qualified name.

    Returns the rewriter of each function, by qualified name, and what is missing. The other arguments are those of
    `rewrite`.
    """
    rewriters: dict[str, FunctionRewriter] = {}
    missing: list[str] = []
    for function in functions:
        if isinstance(function, CallbackLists):
            lists = [name for name, node in definitions.items() if _is_callback_list(name, node, function)]
            for name in lists:
                # The hooks that begin something are called with empty logs, so their loops hold no phase of the logs.
                phases = () if name.endswith("_begin") else function.phases
                rewriter = CallbackListRewriter(name, file, site, entering, (), phases)
                rewriter.rewrite(definitions[name], function.over, memory)
                rewriters[name] = rewriter
            for name in [name for name in definitions if _is_hook_of_list(name, function)]:
                if name not in rewriters and not any(name == other.name for other in functions):
                    rewriters[name] = FunctionRewriter(name, file, site, entering)
                    rewriters[name].rewrite(definitions[name], Function(function.module, name))
            if not lists and not function.optional:
                missing.append("the loops of %s over its %s" % (function.name, function.over))
        elif function.name in definitions:
            name, loops, phases = function.name, function.loops, function.phases
            rewriters[name] = FunctionRewriter(name, file, site, entering, loops, phases)
            rewriters[name].rewrite(definitions[name], function)
        elif not function.optional:
            missing.append(function.name)
    return rewriters, missing


def beginning_with(source: str, file: str, calls: Mapping[str, ast.expr]) -> Rewritten:
    """Let functions of one module begin with a call. Raises `SyntaxError` or `ValueError` as `rewrite` does.

    - `source`: the module's source.
    - `file`: its file.
    - `calls`: the call, by the function's qualified name.
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
    """Code with objects in the place of placeholders, in nested functions too.

    - `code`: the code, with the placeholders among its constants.
    - `values`: the objects by their placeholders.
    """
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
    return name.rpartition(".")[0] == spec.name and any(
        forwarded_hook(child, spec.over) for child in inner_statements(node)
    )


def _is_hook_of_list(name: str, spec: CallbackLists) -> bool:
    """Whether a method of a callback list is a hook by its name.

    One without a loop over the callbacks calls another method of the list, which has it.
    """
    owner, _, method = name.rpartition(".")
    is_hook = method.lstrip("_").startswith(("on_", "call_")) and method not in ("_on_begin", "_on_end")
    return owner == spec.name and is_hook


def _definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, FunctionNode]]:
    """The functions and methods of a module, by qualified name."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield prefix + child.name, child
            yield from _definitions(child, prefix + child.name + ".<locals>.")
        elif isinstance(child, ast.ClassDef):
            yield from _definitions(child, prefix + child.name + ".")
        elif isinstance(child, (ast.stmt, ast.excepthandler)):
            yield from _definitions(child, prefix)


def _codes(code: types.CodeType, prefix: str = "") -> Iterator[tuple[tuple[str, int], types.CodeType]]:
    """The code of the functions and classes of a module, by qualified name and first line."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield (prefix + constant.co_name, constant.co_firstlineno), constant
            inside = ".<locals>." if constant.co_flags & _OF_A_FUNCTION else "."
            yield from _codes(constant, prefix + constant.co_name + inside)


def _first_line(node: FunctionNode) -> int:
    """The first line of a function's code, which is that of its first decorator."""
    return min([node.lineno] + [decorator.lineno for decorator in node.decorator_list])
