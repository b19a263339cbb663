"""Gates for sampling: statements around what runs a batch's ops, and in place of the call of a session.

While no batch is to be sampled, a gate reads one attribute and does nothing else. A sampled batch runs the same
statement that it would run anyway, on its own line and in the engine's own frame, so tracebacks stay as they are. Gates
are inserted after the graph is built, so the graph omits them.
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


def batch_numbers(enclosing_loops: Sequence[tuple[Loop, tuple[str, ...]]]) -> list[ast.expr] | None:
    """The epoch, the first and the last batch of the turn that is under way.

    `enclosing_loops` are the loops around a statement, each with its variables. None where those of epochs and batches
    are not both among them.
    """
    by_phase = {loop.phase: (loop, variables) for loop, variables in enclosing_loops}
    if "epoch" not in by_phase or "batch" not in by_phase:
        return None
    epoch, _ = loop_probes.turn_variables(*by_phase["epoch"])
    first, last = loop_probes.turn_variables(*by_phase["batch"])
    return [name(epoch), name(first), name(last)]


def begin_gate(rule: Phase, aside: Site, stage_in: str | None, numbers: list[ast.expr], at: ast.stmt) -> ast.stmt:
    """The gate that may begin to sample a batch. It goes before the span of the batch's function.

    - `rule`: the rule of the table for the statement that runs the batch.
    - `aside`: the site whose record ends the span before.
    - `stage_in`: the variable that tells the stage; None where it is always `train`.
    - `numbers`: what `batch_numbers` gives.
    - `at`: the statement on whose line the gate goes.
    """
    stage = name(stage_in) if stage_in is not None else constant("train")
    begin = _sampler_call("begin", constant(aside.head), constant(rule.sampled), stage, *numbers)
    return syntax.added(_if("wants", begin), at)


def mark_batch(statement: ast.stmt, aside: Site) -> None:
    """Mark a statement that runs a batch for `add_end_gates`. `aside` is the site whose record ends its span."""
    statement.fittrace_aside = aside  # type: ignore[attr-defined]


def add_end_gates(node: ast.AST) -> None:
    """Put each marked statement in `node` into a `try` whose `finally` ends the sampling and, before it, the span."""
    for block in syntax.blocks(node):
        for index, statement in enumerate(block):
            add_end_gates(statement)
            aside = getattr(statement, "fittrace_aside", None)
            if aside is not None:
                end = _if("is_open", _sampler_call("end", constant(aside.head)))
                block[index] = syntax.statement(ast.Try(body=[], handlers=[], orelse=[], finalbody=[end]), statement)
                # The body is set only now and keeps its lines. The `try` is on its first line, since a debugger would
                # stop at a line of its own.
                block[index].body = [statement]  # type: ignore[attr-defined]


def add_session_gates(block: list[ast.stmt], rule: Cached | SessionRun, owner: str) -> bool:
    """Put a choice in place of each statement that calls a session: a sampled batch makes the call in its own way.

    - `block`: the statements of a function, changed in place.
    - `rule`: how the table says that the function calls the session.
    - `owner`: the variable that holds the function's object, its `self`.

    Returns whether there is such a statement.
    """
    found = False
    for index, statement in enumerate(block):
        for inner in syntax.blocks(statement):
            found |= add_session_gates(inner, rule, owner)
        if not isinstance(statement, (ast.Assign, ast.Return, ast.Expr)) or _session_call(statement, rule) is None:
            continue
        sampled = copy.deepcopy(statement)
        call = _session_call(sampled, rule)
        assert call is not None
        test = _call_double(call, rule, owner) if isinstance(rule, Cached) else _call_run(call, rule, owner)
        choice = ast.If(ast.BoolOp(ast.And(), [_sampler_attribute("is_open"), test]), [], [])
        syntax.statement(choice, statement)
        choice.body, choice.orelse = [sampled], [statement]
        block[index] = choice
        found = True
    return found


def _call_double(call: ast.Call, rule: Cached, owner: str) -> ast.expr:
    """Let `call` be one of the sampler's double of the cached callable. Returns the test whether the batch takes it."""
    call.func = _located(_sampler_attribute("callable"), call.func)
    metadata = next((keyword for keyword in call.keywords if keyword.arg == "run_metadata"), None)
    if metadata is None:
        # Python 3.7 gives the call the line of the argument that ran last, so the new one goes on that line.
        parts = [call.func, *call.args, *(keyword.value for keyword in call.keywords)]
        metadata = ast.keyword("run_metadata", parts[-1 if sys.version_info < (3, 8) else 0])
        call.keywords.append(ast.copy_location(metadata, metadata.value))
    metadata.value = _located(_sampler_attribute("metadata"), metadata.value)
    arguments = items(*map(name, rule.arguments))
    return _sampler_call("takes", name(owner), constant(rule.name), constant(rule.maker), arguments)


def _call_run(call: ast.Call, rule: SessionRun, owner: str) -> ast.expr:
    """Let `call` take the sampler's keywords. Returns the test whether the batch takes them."""
    for keyword in call.keywords:
        if keyword.arg is None:
            keyword.value = _located(_sampler_attribute("keywords"), keyword.value)
    return _sampler_call("runs", ast.Attribute(name(owner), rule.keywords, ast.Load()))


def _if(attribute: str, call: ast.expr) -> ast.If:
    """The statement `if recorder.sampler.attribute: call`.

    An expression with `and` would be shorter. But at its end Python 3.11 leaves the line, and comes back to it for the
    statement: a debugger would stop there twice.
    """
    return ast.If(_sampler_attribute(attribute), [ast.Expr(call)], [])


def _session_call(statement: ast.stmt, rule: Cached | SessionRun) -> ast.Call | None:
    """The call of a session in a statement; None where it has none."""
    calls = [node for node in walk_without_functions(statement) if isinstance(node, ast.Call)]
    return next((call for call in calls if callee(call) == rule.name), None)


def _located(node: ast.expr, at: ast.AST) -> ast.expr:
    """The node itself, with all its parts at the location of `at`."""
    for child in ast.walk(node):
        if isinstance(child, ast.expr):
            ast.copy_location(child, at)
    return node


def _sampler_attribute(attribute: str) -> ast.expr:
    sampler = ast.Attribute(constant(syntax.RECORDER), "sampler", ast.Load())
    return ast.Attribute(sampler, attribute, ast.Load())


def _sampler_call(method: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_sampler_attribute(method), list(arguments), [])
