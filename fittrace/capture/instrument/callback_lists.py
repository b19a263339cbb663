"""Probes for callback lists: where a method calls a hook of each of its callbacks."""

from __future__ import annotations

import ast
import copy
from typing import Any

from ...schema.capture_settings import FULL_MEMORY, NO_MEMORY
from . import syntax
from .phase_probes import FunctionRewriter
from .syntax import FunctionNode, constant, name

_OF_FITS = ("on_train_begin", "on_train_end")
"""The hooks that are called as a fit begins and ends."""


class CallbackListRewriter(FunctionRewriter):
    """Rewrites a method that forwards a hook: `for callback in self.callbacks: callback.on_*(...)`."""

    def rewrite(self, node: FunctionNode, over: str, memory: str = NO_MEMORY) -> None:  # type: ignore[override]
        """Put a probe before each callback's hook, and one after the last.

        - `over`: the attribute that holds the callbacks.
        - `memory`: around which hooks the memory of the process is read, as `Settings.memory`.
        """
        hooks = (syntax.forwarded_hook(child, over) for child in syntax.inner_statements(node))
        hook = next(hook for hook in hooks if hook)
        fixed = str(hook.value) if isinstance(hook, ast.Constant) else None
        self.entering = self.entering.union(*map(syntax.getattr_variables, syntax.inner_statements(node)))
        docstring, body = syntax.split_docstring(node.body)
        arguments = [argument.arg for argument in node.args.args]
        number = next((argument for argument in arguments if argument in ("batch", "epoch")), None)
        title = self.name.rpartition(".")[0] + "." + fixed if fixed is not None else self.name
        facts = {"hook": fixed, "counts": number, "level": 1}
        site = self.site("hooks", node, phases=("hooks",), names=(title,), **facts)
        call = syntax.call("hooks", constant(site.head), name(arguments[0]), name(number) if number else constant(None))
        rewritten = self.block(body, depth=1, inside=None)
        for block in syntax.all_blocks(rewritten):
            for index, statement in reversed(list(enumerate(block))):
                if syntax.forwarded_hook(statement, over):
                    block.insert(index + 1, self.add_hook_probes(statement, arguments[0], facts))
                    if reads_memory(fixed, memory):
                        block.insert(index, self.add_memory_probes(statement, is_of_fit=fixed in _OF_FITS))
                    if fixed is None:
                        named = self.site("named", statement, level=1)
                        # Right before the loop: further up the variable may not have its value yet.
                        probe = syntax.call("named", constant(named.head), hook)
                        block.insert(index, syntax.added(probe, statement))
        self.flow(clocked=False).complete(rewritten)
        if fixed == "on_train_begin":
            settings = self.site("values", node, level=1)
            probe = syntax.call("settings", constant(settings.head), name(arguments[0]))
            rewritten.insert(0, syntax.added(probe, body[0]))
        node.body = docstring + self.frame(node, syntax.probe(site, call, body[0]), rewritten, level=1)

    def add_hook_probes(self, statement: ast.stmt, owner: str, facts: dict[str, Any]) -> ast.stmt:
        """Put the probe of each hook into a loop over the callbacks. Returns the probe that goes after the loop.

        - `statement`: the loop.
        - `owner`: the variable that holds the callback list.
        - `facts`: what the sites of this method have in common.
        """
        assert isinstance(statement, ast.For)
        logs = _logs_argument(statement)
        hook = self.site("hook", statement, depth=1, phases=("hooks",), names=(facts["hook"] or "",), **facts)
        hooked = self.site("hooked", statement, depth=1, level=1)
        callback = name(syntax.first_name(statement.target))
        probe = syntax.call("hook", constant(hook.head), name(owner), callback, logs)
        statement.body.insert(0, syntax.probe(hook, probe, statement.body[0]))
        # After a batch's hooks the next batch's follow. After any other the program may drop the model, so
        # `hooked_last` keeps no reference to it.
        method = "hooked" if facts["counts"] == "batch" else "hooked_last"
        after = syntax.call(method, constant(hooked.head), name(owner), copy.deepcopy(logs))
        return syntax.probe(hooked, after, statement)

    def add_memory_probes(self, statement: ast.stmt, is_of_fit: bool) -> ast.stmt:
        """Read the memory after each callback of a loop. Returns the probe that reads it before the first.

        `is_of_fit`: the fit begins or ends.
        """
        assert isinstance(statement, ast.For)
        after, before = (self.site("values", statement, level=1) for _ in range(2))
        last = statement.body[-1]
        statement.body.append(syntax.added(syntax.call("memory", constant(after.head), constant(False)), last))
        return syntax.added(syntax.call("memory", constant(before.head), constant(is_of_fit)), statement)


def reads_memory(hook: str | None, memory: str) -> bool:
    """Whether the memory is read around a hook. None stands for a hook of batches that is named at run time.

    >>> [hook for hook in ("on_epoch_end", "on_train_batch_end", None) if reads_memory(hook, "basic")]
    ['on_epoch_end']
    """
    if memory in (NO_MEMORY, FULL_MEMORY):
        return memory == FULL_MEMORY
    return hook is not None and "batch" not in hook and "predict" not in hook


def _logs_argument(loop: ast.For) -> ast.expr:
    """The variable that a loop gives to the hooks as their logs; the literal None where it gives none."""
    for call in syntax.calls_in(loop):
        for value in [keyword.value for keyword in call.keywords if keyword.arg == "logs"] + call.args[::-1]:
            if isinstance(value, ast.Name) and value.id.endswith("logs"):
                return name(value.id)
    return constant(None)
