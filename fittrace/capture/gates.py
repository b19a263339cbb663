"""Gates for sampling: the statements around what runs a batch's ops, and in place of a session's cached callable.

While no batch is to be sampled, a gate is one look at an attribute. A sampled batch runs the very statement that it
would run anyway, on its own line and in the engine's own frame, so that a traceback is as it would be.
"""

from __future__ import annotations

import ast
import copy
from typing import Sequence

from ..engines import Cached, Loop, Phase
from ..engines.model import callee, walk_without_functions
from . import syntax
from .sites import Site
from .syntax import constant, items, name


def counted(loops: Sequence[tuple[Loop, tuple[str, ...]]]) -> list[ast.expr] | None:
    """The epoch, the first and the last batch of the turn that is under way, after the `loops` around a statement with
    the variables of each; None where not all are there."""
    inner = {loop.phase: (loop, variables) for loop, variables in loops}
    if "epoch" not in inner or "batch" not in inner:
        return None
    epoch, _ = _numbers(*inner["epoch"])
    first, last = _numbers(*inner["batch"])
    return [name(epoch), name(first), name(last)]


def _numbers(loop: Loop, variables: tuple[str, ...]) -> tuple[str, str]:
    first = next(variable for variable in loop.number if variable in variables)
    return first, loop.last if loop.last is not None and loop.last in variables else first


def before(rule: Phase, close: Site, stage: str | None, numbers: list[ast.expr], place: ast.stmt) -> ast.stmt:
    """What begins to sample a batch, before the span of its function: `close` ends what was open till then."""
    told = name(stage) if stage is not None else constant("train")
    begin = _sampler("begin", constant(close.head), constant(rule.sampled), told, *numbers)
    return syntax.statement(_if("wants", begin), place)


def around(statement: ast.stmt, close: Site) -> ast.stmt:
    """`statement`, and however it is left, what ends the sample and the span of the batch's function before."""
    end = _if("is_open", _sampler("end", constant(close.head)))
    result = ast.Try(body=[], handlers=[], orelse=[], finalbody=[end])
    syntax.statement(result, statement)
    # To enter the `try` is a step of its own to a debugger, so it is one with the statement.
    result.body = [statement]
    return result


def exchange(block: list[ast.stmt], cached: Cached, owner: str) -> bool:
    """Where a function calls its `cached` callable, which `owner` has, let a sampled batch call one of its own; whether
    there is such a statement."""
    found = False
    for place, statement in enumerate(block):
        for inner in syntax.blocks(statement):
            found |= exchange(inner, cached, owner)
        if not isinstance(statement, (ast.Assign, ast.Return, ast.Expr)) or _call(statement, cached) is None:
            continue
        sampled = copy.deepcopy(statement)
        call = _call(sampled, cached)
        assert call is not None
        call.func = _placed(_attribute("callable"), call.func)
        ours = _placed(_attribute("metadata"), call.func)
        call.keywords = [one for one in call.keywords if one.arg != "run_metadata"]
        call.keywords.append(ast.copy_location(ast.keyword("run_metadata", ours), call.func))
        arguments = items(*map(name, cached.arguments))
        takes = _sampler("takes", name(owner), constant(cached.name), constant(cached.maker), arguments)
        test = ast.BoolOp(ast.And(), [_attribute("is_open"), takes])
        chosen = ast.If(test, [], [])
        syntax.statement(chosen, statement)
        chosen.body, chosen.orelse = [sampled], [statement]
        block[place] = chosen
        found = True
    return found


def _if(attribute: str, call: ast.expr) -> ast.If:
    # Not `and`: at its end Python 3.11 leaves the line, and a debugger is told of the line again.
    return ast.If(_attribute(attribute), [ast.Expr(call)], [])


def _call(statement: ast.stmt, cached: Cached) -> ast.Call | None:
    calls = [node for node in walk_without_functions(statement) if isinstance(node, ast.Call)]
    return next((call for call in calls if callee(call) == cached.name), None)


def _placed(node: ast.expr, place: ast.AST) -> ast.expr:
    """`node`, all of it where `place` stands."""
    for child in ast.walk(node):
        if isinstance(child, ast.expr):
            ast.copy_location(child, place)
    return node


def _attribute(attribute: str) -> ast.expr:
    sampler = ast.Attribute(constant(syntax.RECORDER), "sampler", ast.Load())
    return ast.Attribute(sampler, attribute, ast.Load())


def _sampler(method: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_attribute(method), list(arguments), [])
