"""Probes for phases: where in a function's statements a phase begins and ends, after an engine's table."""

from __future__ import annotations

import ast
import copy
from typing import Any, Callable, Sequence

from ..engines import Function, Loop, Phase
from ..engines.model import callee, walk_without_functions
from . import syntax
from .sites import Site
from .syntax import FunctionNode, constant, items, name, targets

MakeSite = Callable[..., Site]


class Body:
    """Rewrites the body of one function, in place.

    `found` collects the parts of the table that the source has.
    """

    def __init__(
        self, function: str, file: str, site: MakeSite, loops: Sequence[Loop] = (), phases: Sequence[Phase] = ()
    ) -> None:
        self.name = function
        self.file = file
        self.make_site = site
        self.loops = loops
        self.phases = phases
        self.found: set[object] = set()
        self.generator = False

    def missing(self) -> list[str]:
        """The parts of the table that the source does not have."""
        loops = [str(loop) for loop in self.loops if loop not in self.found]
        return loops + [str(rule.where) for rule in self.phases if not rule.optional and rule not in self.found]

    def rewrite(self, node: FunctionNode, spec: Function) -> None:
        """Put in the probes that `spec` asks for."""
        docstring, body = syntax.split_docstring(node.body)
        if spec.phase is None:
            self.generator = True
            node.body = docstring + self.block(body, depth=0, inside=None)
            return
        level = 0 if spec.stage else 1
        site = self.site("call", node, phases=(spec.phase,), names=(self.name,), stage=spec.stage, level=level)
        if spec.stage:
            enter = syntax.statement(syntax.call("enter", constant(site.head)), body[0])
        else:
            enter = self.record(site, body[0])
        rewritten = self.block(body, depth=1, inside=None, before=spec.before, after=spec.after)
        node.body = docstring + self.frame(node, enter, rewritten, level)

    def frame(self, node: ast.stmt, enter: ast.stmt, body: list[ast.stmt], level: int) -> list[ast.stmt]:
        """`body` between the probes of entering and leaving, however it is left."""
        leave = self.site("leave", node, level=level)
        unwind = self.site("raise", node, level=level)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = syntax.Returns(leave.head).visit(ast.Module(body=body, type_ignores=[])).body
        end = [] if syntax.leaves(body[-1]) else [self.record(leave, body[-1])]
        return [enter, syntax.guarded(body, syntax.call("unwind", constant(unwind.head)), node), *end]

    def block(
        self,
        statements: list[ast.stmt],
        depth: int,
        inside: str | None,
        before: str | None = None,
        after: str | None = None,
    ) -> list[ast.stmt]:
        """The statements of one block, with probes where a phase begins and ends.

        `depth` spans of the frame are open in it, and it is `inside` the loop of that phase. `before` and `after` are
        phases of what no rule claims, before and after the first statement that holds a loop. Neighbours of one phase
        share a span.
        """
        result: list[ast.stmt] = []
        default = before
        current: object | None = None
        for statement in statements:
            loop = self.loop(statement)
            rule = self.rule(statement, inside) if loop is None else None
            holds_loop = any(self.loop(child) for child in syntax.inner(statement)) or loop is not None
            phase = rule.phase if rule is not None else None if holds_loop else default
            owner = loop or (phase and (rule or phase))
            if self.generator and phase is not None:
                result += self.fenced(statement, phase)
                continue
            if owner != current and phase is not None:
                names = (_called(statement, rule) or phase,)
                level = _level(owner)
                result.append(self.probe("open", statement, depth=depth, phases=(phase,), names=names, level=level))
            elif owner != current and current is not None and loop is None:
                result.append(self.close(statement, depth, current))
            current = owner
            if loop is not None:
                result += self.turns(statement, loop, depth)
            else:
                self.descend(statement, depth + (phase is not None), inside)
                result.append(statement)
            default = after if holds_loop else default
        if current is not None and not syntax.leaves(statements[-1]):
            syntax.append(result, self.close(statements[-1], depth, current))
        return result

    def descend(self, statement: ast.stmt, depth: int, inside: str | None) -> None:
        """Rewrite the blocks in a compound statement."""
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in syntax.blocks(statement):
                block[:] = self.block(list(block), depth, inside)

    def turns(self, statement: ast.stmt, loop: Loop, depth: int) -> list[ast.stmt]:
        """A loop each of whose turns is a span, which begins with fetching the item where that is a phase."""
        assert isinstance(statement, ast.For)
        self.found.add(loop)
        level = _level(loop)
        result: list[ast.stmt] = []
        if loop.sizes:
            site = self.site("sizes", statement, depth=depth, level=level)
            paths = items(*[constant(path) for path in loop.sizes])
            over = name(syntax.first_name(statement.iter))
            steps = constant(None if loop.last in targets(statement) else loop.steps)
            result.append(syntax.statement(syntax.call("sizes", constant(site.head), over, paths, steps), statement))
        self.descend(statement, depth + 1, loop.phase)
        if loop.header is None:
            phases: dict[str, Any] = {"phases": (loop.phase,), "names": (loop.phase,)}
            turn = self.site("turn", statement, depth=depth, counts=loop.phase, level=level, **phases)
        else:
            phases = {"phases": (loop.phase, loop.header), "names": (loop.phase, loop.header)}
            begin = self.probe("open", statement, depth=depth, level=level, **phases)
            turn = self.site("turn", statement, depth=depth + 1, counts=loop.phase, level=level)
            syntax.Continues(begin).visit(ast.Module(body=statement.body, type_ignores=[]))
            result.append(begin)
            syntax.append(statement.body, begin)
        first = next(variable for variable in loop.number if variable in targets(statement))
        last = loop.last if loop.last in targets(statement) else first
        statement.body.insert(0, self.record(turn, statement.body[0], name(first), name(last or first)))
        return [*result, statement]

    def fenced(self, statement: ast.stmt, phase: str) -> list[ast.stmt]:
        """A phase in a generator, as a frame of its own: between its yields a generator is in nobody's frame."""
        enter = self.probe("call", statement, phases=(phase,), names=(self.name,))
        return self.frame(statement, enter, [statement], level=2)

    def loop(self, statement: ast.stmt) -> Loop | None:
        """The loop of the table that `statement` is."""
        for loop in self.loops:
            if loop.matches(statement) and any(variable in targets(statement) for variable in loop.number):
                return loop
        return None

    def rule(self, statement: ast.stmt, inside: str | None) -> Phase | None:
        """The rule of the table that claims `statement`."""
        for rule in self.phases:
            if (rule.inside is None or rule.inside == inside) and rule.where.matches(statement):
                self.found.add(rule)
                return rule
        return None

    def site(self, kind: str, at: ast.stmt, **facts: Any) -> Site:
        """A new site of this function."""
        return self.make_site(kind=kind, file=self.file, function=self.name, line=at.lineno, **facts)

    def probe(self, kind: str, at: ast.stmt, **facts: Any) -> ast.stmt:
        """A new site, and the probe that records it."""
        return self.record(self.site(kind, at, **facts), at)

    def close(self, at: ast.stmt, depth: int, current: object) -> ast.stmt:
        """The probe that ends what is open in a block."""
        return self.probe("close", at, depth=depth, level=_level(current))

    def record(self, site: Site, at: ast.stmt, *operands: ast.expr) -> ast.stmt:
        """`recorder.record((head, recorder.clock(), *operands))`, on the line of `at`."""
        values = items(constant(site.head), syntax.call("clock"), *operands)
        return syntax.statement(syntax.call("record", values), at)


class CallbackListBody(Body):
    """Rewrites a method that passes a hook on: `for callback in self.callbacks: callback.on_*(...)`."""

    def rewrite(self, node: FunctionNode, over: str) -> None:  # type: ignore[override]
        """Put in a probe before each callback's hook, and after the last."""
        hook = next(found for found in (syntax.passes_on(child, over) for child in syntax.inner(node)) if found)
        docstring, body = syntax.split_docstring(node.body)
        arguments = [argument.arg for argument in node.args.args]
        number = next((argument for argument in arguments if argument in ("batch", "epoch")), None)
        title = self.name.rpartition(".")[0] + "." + hook
        facts = {"hook": hook, "counts": number, "level": 1}
        site = self.site("hooks", node, phases=("hooks",), names=(title,), **facts)
        call = syntax.call("hooks", constant(site.head), name(arguments[0]), name(number) if number else constant(None))
        rewritten = self.block(body, depth=1, inside=None)
        for block in [rewritten, *(found for child in rewritten for found in _all_blocks(child))]:
            for index, statement in reversed(list(enumerate(block))):
                if syntax.passes_on(statement, over):
                    block.insert(index + 1, self.each(statement, facts))
        node.body = docstring + self.frame(node, syntax.statement(call, body[0]), rewritten, level=1)

    def each(self, statement: ast.stmt, facts: dict[str, Any]) -> ast.stmt:
        """Put the probe into a loop over the callbacks; the probe that comes after the loop is returned."""
        assert isinstance(statement, ast.For)
        logs = _logs_argument(statement)
        hook = self.site("hook", statement, depth=1, phases=("hooks",), names=(facts["hook"],), **facts)
        hooked = self.site("hooked", statement, depth=1, level=1)
        probe = syntax.call("hook", constant(hook.head), name(targets(statement)[0]), logs)
        statement.body.insert(0, syntax.statement(probe, statement.body[0]))
        after = syntax.call("hooked", constant(hooked.head), copy.deepcopy(logs))
        return syntax.statement(after, statement)


def _logs_argument(loop: ast.For) -> ast.expr:
    call = syntax.hook_call(loop)
    assert call is not None
    values = [keyword.value for keyword in call.keywords if keyword.arg == "logs"] + call.args[::-1]
    for value in values:
        if isinstance(value, ast.Name) and value.id.endswith("logs"):
            return name(value.id)
    return constant(None)


def _all_blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    found = [child for child in walk_without_functions(statement) if isinstance(child, ast.stmt)]
    return [block for child in found for block in syntax.blocks(child)]


def _called(statement: ast.stmt, rule: Phase | None) -> str | None:
    """What of its rule's names a statement calls."""
    names: tuple[str, ...] = rule.where.names if rule is not None else ()
    calls = [callee(node) for node in walk_without_functions(statement) if isinstance(node, ast.Call)]
    return next((called for called in calls if called in names), None)


def _level(owner: object) -> int:
    """What may be dropped before what: an epoch never, a batch when it must be, other phases first.

    Never a validation either, which tells that the `evaluate` in it is no fit of its own.
    """
    if isinstance(owner, (Loop, Phase)) and owner.phase in ("epoch", "validation"):
        return 0
    return 1 if isinstance(owner, Loop) else 2
