"""Probes for phases: where in a function's statements a phase begins and ends, after an engine's table."""

from __future__ import annotations

import ast
import copy
from typing import Any, Callable, Sequence

from ..engines import Function, Loop, Phase, Tests
from ..engines.model import callee, loop_variables, mentioned, walk_without_functions
from ..schema.journal import ABSENT
from . import syntax
from .flow import Flow
from .sites import Site
from .syntax import FunctionNode, constant, items, name

MakeSite = Callable[..., Site]


class Body:
    """Rewrites the body of one function, in place.

    `found` collects the parts of the table that the source has.
    """

    def __init__(
        self,
        function: str,
        file: str,
        site: MakeSite,
        entering: frozenset[str],
        loops: Sequence[Loop] = (),
        phases: Sequence[Phase] = (),
    ) -> None:
        self.name = function
        self.file = file
        self.make_site = site
        self.entering = entering
        self.loops = loops
        self.phases = phases
        self.found: set[object] = set()
        self.generator = False
        self.turning: Sequence[Phase] = ()

    def missing(self) -> list[str]:
        """The parts of the table that the source does not have."""
        loops = [str(loop) for loop in self.loops if not loop.optional and loop not in self.found]
        return loops + [str(rule.where) for rule in self.phases if not rule.optional and rule not in self.found]

    def rewrite(self, node: FunctionNode, spec: Function) -> None:
        """Put in the probes that `spec` asks for."""
        docstring, body = syntax.split_docstring(node.body)
        if spec.phase is None:
            self.generator = True
            rewritten = self.block(body, depth=0, inside=None)
            flow = self.flow(clocked=False)
            flow.complete(rewritten)
            node.body = docstring + flow.frame(node, rewritten)
            return
        self.turning = spec.turning
        level = 0 if spec.loops or spec.root else 1
        facts = {"stage": spec.stage, "root": spec.root, "level": level}
        site = self.site("call", node, phases=(spec.phase,), names=(self.name,), **facts)
        if spec.root:
            enter = syntax.probe(site, syntax.call("enter", constant(site.head)), body[0])
        else:
            enter = self.record(site, body[0])
        rewritten = self.block(body, depth=1, inside=None, before=spec.before, after=spec.after)
        self.flow(clocked=bool(spec.loops or spec.root)).complete(rewritten)
        node.body = docstring + self.frame(node, enter, rewritten, level)
        if spec.root:
            node.body.insert(len(docstring) + 1, self.arguments(node, body[0]))

    def arguments(self, node: FunctionNode, place: ast.stmt) -> ast.stmt:
        """The probe that records what a function was called with."""
        given = [*getattr(node.args, "posonlyargs", ()), *node.args.args, *node.args.kwonlyargs]
        given += [more for more in (node.args.vararg, node.args.kwarg) if more is not None]
        names = [argument.arg for argument in given[1:]]
        site = self.site("values", node, level=1)
        values = items(*[name(one) for one in names])
        told = syntax.call("values", constant(site.head), items(*[constant(one) for one in names]), values)
        return syntax.remark(told, place)

    def frame(
        self, node: ast.stmt, enter: ast.stmt, body: list[ast.stmt], level: int, fence: bool = False
    ) -> list[ast.stmt]:
        """`body` between the probes of entering and leaving, however it is left."""
        end = [] if syntax.leaves(body[-1]) else [self.probe("leave", body[-1], level=level, fence=fence)]
        unwind = self.site("raise", node, level=level, fence=fence)
        if not fence:
            returns = syntax.Returns(syntax.record, lambda: self.site("leave", node, level=level))
            body = returns.visit(ast.Module(body=body, type_ignores=[])).body
        return [enter, syntax.guarded(body, unwind, "unwind", node), *end]

    def flow(self, clocked: bool) -> Flow:
        """What completes the probes, so that the control flow is known."""
        return Flow(self.site, self.entering, clocked)

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
                result.append(statement)
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
        statement.fittrace_loop = loop.phase  # type: ignore[union-attr]
        level = _level(loop)
        result: list[ast.stmt] = []
        if loop.sizes and isinstance(statement, ast.For):
            site = self.site("sizes", statement, depth=depth, level=level)
            paths = items(*[constant(path) for path in loop.sizes])
            over = name(syntax.first_name(statement.iter))
            steps = constant(None if loop.last in loop_variables(statement) else loop.steps)
            result.append(syntax.remark(syntax.call("sizes", constant(site.head), over, paths, steps), statement))
        result += self.order(statement, loop, depth)
        self.descend(statement, depth + 1, loop.phase)
        fetch: list[ast.stmt] = []
        if loop.header is None:
            phases: dict[str, Any] = {"phases": (loop.phase,), "names": (loop.phase,)}
            turn = self.site("turn", statement, depth=depth, counts=loop.phase, level=level, **phases)
        else:
            phases = {"phases": (loop.phase, loop.header), "names": (loop.phase, loop.header)}
            begin = self.probe("open", statement, depth=depth, level=level, **phases)
            turn = self.site("turn", statement, depth=depth + 1, counts=loop.phase, level=level)
            if isinstance(statement, ast.While):
                fetch = [begin, statement.body.pop(0)]
            else:
                syntax.Continues(begin).visit(ast.Module(body=statement.body, type_ignores=[]))
                result.append(begin)
                syntax.append(statement.body, begin)
        variables = loop_variables(statement)
        first = next(variable for variable in loop.number if variable in variables)
        last = loop.last if loop.last in variables else first
        operands = [name(first), name(last or first), *_bounds(loop, variables)]
        place = int(loop.guard is not None and Tests(loop.guard).matches(statement.body[0]))
        statement.body.insert(place, self.record(turn, statement.body[place], *operands))
        statement.body[:0] = fetch
        return [*result, statement]

    def order(self, statement: ast.For | ast.While, loop: Loop, depth: int) -> list[ast.stmt]:
        """The probe that tells the order of a loop's samples, which its first statement takes some of."""
        if loop.order is None or loop.over is None or loop.order not in mentioned(statement.body[0]):
            return []
        site = self.site("order", statement, depth=depth)
        alone = name(loop.over) if loop.alone_is_whole else constant(None)
        probe = syntax.call("order", constant(site.head), name(loop.order), alone)
        # What comes before is over: copying the order is none of its time.
        return [self.close(statement, depth, loop), syntax.remark(probe, statement)]

    def fenced(self, statement: ast.stmt, phase: str) -> list[ast.stmt]:
        """A phase in a generator, as a frame of its own: between its yields a generator is in nobody's frame."""
        enter = self.probe("call", statement, phases=(phase,), names=(self.name,), fence=True)
        return self.frame(statement, enter, [statement], level=2, fence=True)

    def distinguish(self, node: FunctionNode) -> None:
        """Give each probe a site of its own, also where one was put at the end of several ways."""
        seen: set[int] = set()
        for statement in syntax.inner(node):
            site = syntax.site_of(statement)
            if site is not None and site.number in seen:
                facts = {key: value for key, value in vars(site).items() if key not in ("number", "engine")}
                syntax.renumber(statement, self.make_site(**facts))
            elif site is not None:
                seen.add(site.number)

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
        return syntax.probe(site, syntax.record(site.head, *operands), at)


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
                    block.insert(index + 1, self.each(statement, arguments[0], facts))
                    if fixed is None:
                        named = self.site("named", statement, level=1)
                        # Only here: before, the variable may not have its value yet.
                        told = syntax.call("named", constant(named.head), hook)
                        block.insert(index, syntax.remark(told, statement))
        self.flow(clocked=False).complete(rewritten)
        node.body = docstring + self.frame(node, syntax.probe(site, call, body[0]), rewritten, level=1)
        if fixed == "on_train_begin":
            monitored = self.site("values", node, level=1)
            told = syntax.call("monitored", constant(monitored.head), name(arguments[0]))
            node.body.insert(len(docstring) + 1, syntax.remark(told, body[0]))

    def each(self, statement: ast.stmt, owner: str, facts: dict[str, Any]) -> ast.stmt:
        """Put the probe into a loop over the callbacks; the probe that comes after the loop is returned."""
        assert isinstance(statement, ast.For)
        logs = _logs_argument(statement)
        hook = self.site("hook", statement, depth=1, phases=("hooks",), names=(facts["hook"] or "",), **facts)
        hooked = self.site("hooked", statement, depth=1, level=1)
        callback = name(syntax.first_name(statement.target))
        probe = syntax.call("hook", constant(hook.head), name(owner), callback, logs)
        statement.body.insert(0, syntax.probe(hook, probe, statement.body[0]))
        # The hooks of one batch are followed by those of the next; after others the model may go.
        method = "hooked" if facts["counts"] == "batch" else "hooked_last"
        after = syntax.call(method, constant(hooked.head), name(owner), copy.deepcopy(logs))
        return syntax.probe(hooked, after, statement)


def _logs_argument(loop: ast.For) -> ast.expr:
    for call in syntax.calls_in(loop):
        for value in [keyword.value for keyword in call.keywords if keyword.arg == "logs"] + call.args[::-1]:
            if isinstance(value, ast.Name) and value.id.endswith("logs"):
                return name(value.id)
    return constant(None)


def _bounds(loop: Loop, variables: Sequence[str]) -> tuple[ast.expr, ast.expr]:
    """How many samples a turn has, and the place of the first."""
    if not loop.bounds or not set(loop.bounds) <= set(variables):
        return constant(ABSENT), constant(ABSENT)
    start, end = loop.bounds
    return ast.BinOp(name(end), ast.Sub(), name(start)), name(start)


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
