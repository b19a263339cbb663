"""Probes for phases: where in a function's statements a phase begins and ends, after an engine's table."""

from __future__ import annotations

import ast
import copy
from typing import Any, Callable, Sequence

from ..engines import Cached, Function, Loop, Phase, Tests
from ..engines.model import callee, loop_variables, walk_without_functions
from ..schema.journal import ABSENT
from . import gates, syntax
from .sites import Site
from .syntax import FunctionNode, constant, items, name

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
        self.turning: Sequence[Phase] = ()
        self.stage_in: str | None = None
        self.cached: Cached | None = None
        self.around: list[tuple[Loop, tuple[str, ...]]] = []

    def missing(self) -> list[str]:
        """The parts of the table that the source does not have."""
        loops = [str(part) for part in (*self.loops, self.cached) if part is not None and part not in self.found]
        return loops + [str(rule.where) for rule in self.phases if not rule.optional and rule not in self.found]

    def rewrite(self, node: FunctionNode, spec: Function) -> None:
        """Put in the probes that `spec` asks for."""
        docstring, body = syntax.split_docstring(node.body)
        self.stage_in, self.cached = spec.stage_in, spec.cached
        if spec.traces:
            site = self.site("traced", node, level=1)
            mark = syntax.statement(syntax.call("record", items(constant(site.head))), body[0])
            node.body = [*docstring, mark, *body]
            return
        if spec.phase is None:
            self.generator = True
            node.body = docstring + self.block(body, depth=0, inside=None)
            return
        self.turning = spec.turning
        level = 0 if spec.loops or spec.root else 1
        facts = {"stage": spec.stage, "root": spec.root, "level": level}
        site = self.site("call", node, phases=(spec.phase,), names=(self.name,), **facts)
        if spec.root:
            enter = syntax.statement(syntax.call("enter", constant(site.head)), body[0])
        else:
            enter = self.record(site, body[0])
        rewritten = self.block(body, depth=1, inside=None, before=spec.before, after=spec.after)
        if self.cached is not None and gates.exchange(rewritten, self.cached, node.args.args[0].arg):
            self.found.add(self.cached)
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
        claimed: str | None = None,
    ) -> list[ast.stmt]:
        """The statements of one block, with probes where a phase begins and ends.

        `depth` spans of the frame are open in it, and it is `inside` the loop of that phase. `before` and `after` are
        phases of what no rule claims, before and after the first statement that holds a loop, also in the block that
        this statement is. `claimed` is the phase that the whole block is. Neighbours of one phase share a span.
        """
        result: list[ast.stmt] = []
        default = before
        current: object | None = None
        for statement in statements:
            loop = self.loop(statement)
            holds_loop = any(self.loop(child) for child in syntax.inner(statement)) or loop is not None
            rule = None if holds_loop else self.rule(statement, inside)
            rule = None if rule is not None and claimed is not None and rule.phase == claimed else rule
            default = self.turned(statement, default)
            phase = rule.phase if rule is not None else None if holds_loop else default
            owner = loop or (phase and (rule or phase))
            if self.generator and phase is not None:
                result += self.fenced(statement, phase)
                continue
            sampled = gates.counted(self.around) if rule is not None and rule.sampled and owner != current else None
            if rule is not None and sampled is not None:
                shut = self.site("close", statement, depth=depth, level=2)
                result.append(gates.before(rule, shut, self.stage_in, sampled, statement))
            if owner != current and phase is not None:
                names = (_title(statement, rule) or phase,)
                level = _level(owner)
                result.append(self.probe("open", statement, depth=depth, phases=(phase,), names=names, level=level))
            elif owner != current and current is not None and loop is None:
                result.append(self.close(statement, depth, current))
            current = owner
            if loop is not None:
                result += self.turns(statement, loop, depth)
            elif holds_loop:
                self.descend(statement, depth, inside, default, after)
                result.append(statement)
            else:
                self.descend(statement, depth + (phase is not None), inside, claimed=phase or claimed)
                result.append(statement if sampled is None else gates.around(statement, shut))
            default = after if holds_loop else default
        if current is not None and not syntax.leaves(statements[-1]):
            syntax.append(result, self.close(statements[-1], depth, current))
        return result

    def descend(
        self,
        statement: ast.stmt,
        depth: int,
        inside: str | None,
        before: str | None = None,
        after: str | None = None,
        claimed: str | None = None,
    ) -> None:
        """Rewrite the blocks in a compound statement."""
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in syntax.blocks(statement):
                block[:] = self.block(list(block), depth, inside, before, after, claimed)

    def turned(self, statement: ast.stmt, default: str | None) -> str | None:
        """The phase of what no rule claims, from `statement` on."""
        for rule in self.turning if default is not None else ():
            if rule.where.matches(statement):
                self.found.add(rule)
                return rule.phase
        return default

    def turns(self, statement: ast.stmt, loop: Loop, depth: int) -> list[ast.stmt]:
        """A loop each of whose turns is a span, which begins with fetching the item where that is a phase."""
        assert isinstance(statement, (ast.For, ast.While))
        self.found.add(loop)
        level = _level(loop)
        result: list[ast.stmt] = []
        if loop.sizes and isinstance(statement, ast.For):
            site = self.site("sizes", statement, depth=depth, level=level)
            paths = items(*[constant(path) for path in loop.sizes])
            over = name(syntax.first_name(statement.iter))
            steps = constant(None if loop.last in loop_variables(statement) else loop.steps)
            result.append(syntax.statement(syntax.call("sizes", constant(site.head), over, paths, steps), statement))
        self.around.append((loop, loop_variables(statement)))
        self.descend(statement, depth + 1, loop.phase)
        self.around.pop()
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
        variables = loop_variables(statement)
        first = next(variable for variable in loop.number if variable in variables)
        last = loop.last if loop.last in variables else first
        size = _size(loop) if set(loop.bounds) <= set(variables) else constant(ABSENT)
        place = int(loop.guard is not None and Tests(loop.guard).matches(statement.body[0]))
        probe = self.record(turn, statement.body[place], name(first), name(last or first), size)
        statement.body.insert(place, probe)
        return [*result, statement]

    def fenced(self, statement: ast.stmt, phase: str) -> list[ast.stmt]:
        """A phase in a generator, as a frame of its own: between its yields a generator is in nobody's frame."""
        enter = self.probe("call", statement, phases=(phase,), names=(self.name,))
        return self.frame(statement, enter, [statement], level=2)

    def loop(self, statement: ast.stmt) -> Loop | None:
        """The loop of the table that `statement` is."""
        for loop in self.loops:
            if loop.matches(statement):
                return loop
        return None

    def rule(self, statement: ast.stmt, inside: str | None) -> Phase | None:
        """The rule of the table that claims `statement`."""
        for rule in self.phases:
            if (not rule.inside or inside in rule.inside) and rule.where.matches(statement):
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
        fixed = str(hook.value) if isinstance(hook, ast.Constant) else None
        docstring, body = syntax.split_docstring(node.body)
        arguments = [argument.arg for argument in node.args.args]
        number = next((argument for argument in arguments if argument in ("batch", "epoch")), None)
        title = self.name.rpartition(".")[0] + "." + fixed if fixed is not None else self.name
        facts = {"hook": fixed, "counts": number, "level": 1}
        site = self.site("hooks", node, phases=("hooks",), names=(title,), **facts)
        call = syntax.call("hooks", constant(site.head), name(arguments[0]), name(number) if number else constant(None))
        rewritten = self.block(body, depth=1, inside=None)
        for block in [rewritten, *(found for child in rewritten for found in _all_blocks(child))]:
            for index, statement in reversed(list(enumerate(block))):
                if syntax.passes_on(statement, over):
                    block.insert(index + 1, self.each(statement, facts))
                    if fixed is None:
                        named = self.site("named", statement, level=1)
                        # Only here: before, the variable may not have its value yet.
                        told = syntax.call("named", constant(named.head), hook)
                        block.insert(index, syntax.statement(told, statement))
        node.body = docstring + self.frame(node, syntax.statement(call, body[0]), rewritten, level=1)

    def each(self, statement: ast.stmt, facts: dict[str, Any]) -> ast.stmt:
        """Put the probe into a loop over the callbacks; the probe that comes after the loop is returned."""
        assert isinstance(statement, ast.For)
        logs = _logs_argument(statement)
        hook = self.site("hook", statement, depth=1, phases=("hooks",), names=(facts["hook"] or "",), **facts)
        hooked = self.site("hooked", statement, depth=1, level=1)
        probe = syntax.call("hook", constant(hook.head), name(syntax.first_name(statement.target)), logs)
        statement.body.insert(0, syntax.statement(probe, statement.body[0]))
        after = syntax.call("hooked", constant(hooked.head), copy.deepcopy(logs))
        return syntax.statement(after, statement)


def _logs_argument(loop: ast.For) -> ast.expr:
    for call in syntax.calls_in(loop):
        for value in [keyword.value for keyword in call.keywords if keyword.arg == "logs"] + call.args[::-1]:
            if isinstance(value, ast.Name) and value.id.endswith("logs"):
                return name(value.id)
    return constant(None)


def _size(loop: Loop) -> ast.expr:
    if not loop.bounds:
        return constant(ABSENT)
    start, end = loop.bounds
    return ast.BinOp(name(end), ast.Sub(), name(start))


def _all_blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    found = [child for child in walk_without_functions(statement) if isinstance(child, ast.stmt)]
    return [block for child in found for block in syntax.blocks(child)]


def _title(statement: ast.stmt, rule: Phase | None) -> str | None:
    """What the span of a statement is called: as its rule says, or after what of the rule's names it calls."""
    if rule is not None and rule.name is not None:
        return rule.name
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
