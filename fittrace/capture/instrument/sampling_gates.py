"""Gates for sampling: the statements around what runs a batch's ops, and in place of the call of a session.

While no batch is to be sampled, a gate is one look at an attribute. A sampled batch runs the very statement that it
would run anyway, on its own line and in the engine's own frame, so that a traceback is as it would be. A gate is no
part of the control flow: what stands around a statement, or in its place, is put in when the graph has been drawn.
"""

from __future__ import annotations

import ast
import copy
import sys
from typing import Sequence

from ...engines import Cached, Loop, Phase, SessionRun
from ...engines.engine_table import callee, walk_without_functions
from ..sites import Site
from . import loop_probes, syntax
from .syntax import constant, items, name


def counted(around: Sequence[tuple[Loop, tuple[str, ...]]]) -> list[ast.expr] | None:
    """The epoch, the first and the last batch of the turn that is under way, after the loops `around` a statement with
    the variables of each; None where not all are there."""
    inner = {loop.phase: (loop, variables) for loop, variables in around}
    if "epoch" not in inner or "batch" not in inner:
        return None
    epoch, _ = loop_probes.counted(*inner["epoch"])
    first, last = loop_probes.counted(*inner["batch"])
    return [name(epoch), name(first), name(last)]


def before(rule: Phase, aside: Site, stage: str | None, numbers: list[ast.expr], place: ast.stmt) -> ast.stmt:
    """What begins to sample a batch, before the span of its function: `aside` ends what was open till then."""
    told = name(stage) if stage is not None else constant("train")
    begin = _sampler("begin", constant(aside.head), constant(rule.sampled), told, *numbers)
    return syntax.remark(_if("wants", begin), place)


def mark(statement: ast.stmt, aside: Site) -> None:
    """Let `around` know a statement that runs a batch."""
    statement.fittrace_aside = aside  # type: ignore[attr-defined]


def around(node: ast.AST) -> None:
    """Put around each statement in `node` that is marked what ends the sampling, however the statement is left, and
    before that the span of the batch's function."""
    for block in syntax.blocks(node):
        for place, statement in enumerate(block):
            around(statement)
            aside = getattr(statement, "fittrace_aside", None)
            if aside is not None:
                end = _if("is_open", _sampler("end", constant(aside.head)))
                block[place] = syntax.statement(ast.Try(body=[], handlers=[], orelse=[], finalbody=[end]), statement)
                # To enter the `try` is a step of its own to a debugger, so it is one with the statement.
                block[place].body = [statement]  # type: ignore[attr-defined]


def exchange(block: list[ast.stmt], rule: Cached | SessionRun, owner: str) -> bool:
    """Where a function, whose variable `owner` is its object, calls a session as `rule` says, let a sampled batch call
    it in a way of its own; whether there is such a statement."""
    found = False
    for place, statement in enumerate(block):
        for inner in syntax.blocks(statement):
            found |= exchange(inner, rule, owner)
        if not isinstance(statement, (ast.Assign, ast.Return, ast.Expr)) or _call(statement, rule) is None:
            continue
        sampled = copy.deepcopy(statement)
        call = _call(sampled, rule)
        assert call is not None
        takes = _of_double(call, rule, owner) if isinstance(rule, Cached) else _of_run(call, rule, owner)
        chosen = ast.If(ast.BoolOp(ast.And(), [_attribute("is_open"), takes]), [], [])
        syntax.statement(chosen, statement)
        chosen.body, chosen.orelse = [sampled], [statement]
        block[place] = chosen
        found = True
    return found


def _of_double(call: ast.Call, rule: Cached, owner: str) -> ast.expr:
    """Let `call` be one of the cached callable's double; the question whether there is one."""
    call.func = _placed(_attribute("callable"), call.func)
    theirs = next((one for one in call.keywords if one.arg == "run_metadata"), None)
    if theirs is None:
        # Before Python 3.8 a call is made in the line that ran last.
        parts = [call.func, *call.args, *(one.value for one in call.keywords)]
        theirs = ast.keyword("run_metadata", parts[-1 if sys.version_info < (3, 8) else 0])
        call.keywords.append(ast.copy_location(theirs, theirs.value))
    theirs.value = _placed(_attribute("metadata"), theirs.value)
    arguments = items(*map(name, rule.arguments))
    return _sampler("takes", name(owner), constant(rule.name), constant(rule.maker), arguments)


def _of_run(call: ast.Call, rule: SessionRun, owner: str) -> ast.expr:
    """Let `call` have other keywords; the question whether there are some."""
    for keyword in call.keywords:
        if keyword.arg is None:
            keyword.value = _placed(_attribute("keywords"), keyword.value)
    return _sampler("runs", ast.Attribute(name(owner), rule.keywords, ast.Load()))


def _if(attribute: str, call: ast.expr) -> ast.If:
    # Not `and`: at its end Python 3.11 leaves the line, and a debugger is told of the line again.
    return ast.If(_attribute(attribute), [ast.Expr(call)], [])


def _call(statement: ast.stmt, rule: Cached | SessionRun) -> ast.Call | None:
    calls = [node for node in walk_without_functions(statement) if isinstance(node, ast.Call)]
    return next((call for call in calls if callee(call) == rule.name), None)


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
