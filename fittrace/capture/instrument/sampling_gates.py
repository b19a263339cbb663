"""Gates for sampling: the statements around one that runs a batch's ops, and the branch at the call of a session.

While no batch is to be sampled, a gate reads one attribute. A sampled batch runs the very statement that it would run
anyway, on its own line and in the engine's own frame, so that a traceback is as it would be. Gates are inserted after
the graph is built, so the graph omits them.
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


def before(rule: Phase, aside: Site, stage: str | None, numbers: list[ast.expr], anchor: ast.stmt) -> ast.stmt:
    """The gate that begins to sample a batch, before the span of its function.

    rule: the phase that runs the batch; it says how it is sampled.
    aside: the site whose record closes the span that is open till then.
    stage: the variable that holds the stage; None where it is always that of training.
    numbers: the epoch, the first and the last batch of the turn.
    anchor: the statement that runs the batch.
    """
    stage_value = name(stage) if stage is not None else constant("train")
    begin = _sampler("begin", constant(aside.head), constant(rule.sampled), stage_value, *numbers)
    return syntax.remark(_if("wants", begin), anchor)


def mark(statement: ast.stmt, aside: Site) -> None:
    """Mark a statement that runs a batch, for `around`."""
    statement.fittrace_aside = aside  # type: ignore[attr-defined]


def around(node: ast.AST) -> None:
    """Put a gate around each marked statement in `node`. It ends the span and the sampling, however control leaves."""
    for block in syntax.blocks(node):
        for index, statement in enumerate(block):
            around(statement)
            aside = getattr(statement, "fittrace_aside", None)
            if aside is not None:
                end = _if("is_open", _sampler("end", constant(aside.head)))
                block[index] = syntax.statement(ast.Try(body=[], handlers=[], orelse=[], finalbody=[end]), statement)
                # A debugger stops where a `try` is entered, so it is entered on the line of the statement.
                block[index].body = [statement]  # type: ignore[attr-defined]


def exchange(block: list[ast.stmt], rule: Cached | SessionRun, owner: str) -> bool:
    """Let a sampled batch call a session in a way of its own, wherever `block` calls one as `rule` says.

    `owner` is the variable of the function's object. Returns whether there is such a call.
    """
    found = False
    for index, statement in enumerate(block):
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
        block[index] = chosen
        found = True
    return found


def _of_double(call: ast.Call, rule: Cached, owner: str) -> ast.expr:
    """Let `call` call the double of the cached callable. Returns the test whether there is a double."""
    call.func = _placed(_attribute("callable"), call.func)
    theirs = next((keyword for keyword in call.keywords if keyword.arg == "run_metadata"), None)
    if theirs is None:
        # Before Python 3.8 a call is made in the line that ran last.
        parts = [call.func, *call.args, *(keyword.value for keyword in call.keywords)]
        theirs = ast.keyword("run_metadata", parts[-1 if sys.version_info < (3, 8) else 0])
        call.keywords.append(ast.copy_location(theirs, theirs.value))
    theirs.value = _placed(_attribute("metadata"), theirs.value)
    arguments = items(*map(name, rule.arguments))
    return _sampler("takes", name(owner), constant(rule.name), constant(rule.maker), arguments)


def _of_run(call: ast.Call, rule: SessionRun, owner: str) -> ast.expr:
    """Let `call` have other keywords. Returns the test whether there are some."""
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


def _placed(node: ast.expr, anchor: ast.AST) -> ast.expr:
    """`node`, all parts of it at the position of `anchor`."""
    for child in ast.walk(node):
        if isinstance(child, ast.expr):
            ast.copy_location(child, anchor)
    return node


def _attribute(attribute: str) -> ast.expr:
    sampler = ast.Attribute(constant(syntax.RECORDER), "sampler", ast.Load())
    return ast.Attribute(sampler, attribute, ast.Load())


def _sampler(method: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_attribute(method), list(arguments), [])
