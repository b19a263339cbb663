"""Probes for phases: where in a function's statements a phase begins and ends, after an engine's table."""

from __future__ import annotations

import ast
from typing import Any, Callable, Sequence

from ...engines import Cached, Function, Loop, Phase, SessionRun, Tests
from ...engines.engine_table import callee, loop_variables, walk_without_functions
from ..sites import Site
from . import loop_probes, sampling_gates, syntax
from .flow_probes import FlowProbes
from .syntax import FunctionNode, constant, items, name

MakeSite = Callable[..., Site]


class Body:
    """Rewrites the body of one function, in place.

    `found` collects the parts of the table that the source has; `has_flow` says whether the control flow is recorded.
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
        self.has_flow = True
        self.turning: Sequence[Phase] = ()
        self.stage_in: str | None = None
        self.session: Cached | SessionRun | None = None
        self.around: list[tuple[Loop, tuple[str, ...]]] = []

    def missing(self) -> list[str]:
        """The parts of the table that the source does not have."""
        loops = [str(loop) for loop in self.loops if not loop.optional and loop not in self.found]
        session = self.session
        calls = [str(session)] if session and not session.optional and session not in self.found else []
        return loops + calls + [str(rule.where) for rule in self.phases if not rule.optional and rule not in self.found]

    def rewrite(self, node: FunctionNode, spec: Function) -> None:
        """Put in the probes that `spec` asks for."""
        docstring, body = syntax.split_docstring(node.body)
        self.stage_in, self.session = spec.stage_in, spec.session
        if spec.traces:
            self.has_flow = False
            node.body = [*docstring, self.traced(node, body[0]), *body]
            return
        if spec.phase is None:
            self.generator = True
            rewritten = self.block(body, depth=0, inside=None)
            flow = self.flow(spec.clocked)
            flow.complete(rewritten)
            node.body = docstring + flow.frame(node, rewritten)
            return
        self.turning = spec.turning
        level = 0 if spec.loops or spec.root else 1
        facts = {"stage": spec.stage, "root": spec.root, "level": level}
        site = self.site("call", node, phases=(spec.phase,), names=(self.name,), **facts)
        if spec.root:
            model = name(node.args.args[0].arg) if node.args.args else constant(None)
            docstring = [*docstring, syntax.remark(syntax.call("enter", constant(site.head), model), body[0])]
        enter = self.record(site, body[0])
        rewritten = self.block(body, depth=1, inside=None, before=spec.before, after=spec.after)
        self.flow(clocked=bool(spec.loops or spec.root)).complete(rewritten)
        if spec.root:
            begin = syntax.remark(syntax.call("begin_root"), body[0])
            rewritten[:0] = [begin, self.arguments(node, body[0])]
        node.body = docstring + self.frame(node, enter, rewritten, level, root=spec.root)

    def traced(self, node: FunctionNode, anchor: ast.stmt) -> ast.stmt:
        """The probe that records that a `tf.function` is traced."""
        site = self.site("traced", node, level=1)
        return syntax.remark(syntax.call("record", items(constant(site.head))), anchor)

    def arguments(self, node: FunctionNode, anchor: ast.stmt) -> ast.stmt:
        """The probe that records what a function was called with."""
        given = [*getattr(node.args, "posonlyargs", ()), *node.args.args, *node.args.kwonlyargs]
        given += [more for more in (node.args.vararg, node.args.kwarg) if more is not None]
        names = [argument.arg for argument in given[1:]]
        site = self.site("values", node, level=1)
        probe = syntax.call("values", constant(site.head), items(*map(constant, names)), items(*map(name, names)))
        return syntax.remark(probe, anchor)

    def frame(
        self,
        node: ast.stmt,
        enter: ast.stmt,
        body: list[ast.stmt],
        level: int,
        fence: bool = False,
        root: bool = False,
    ) -> list[ast.stmt]:
        """`body` between the probes of entering and leaving, however it is left."""
        leave = syntax.leave_root if root else syntax.mark
        end = []
        if not syntax.leaves(body[-1]):
            site = self.site("leave", body[-1], level=level, fence=fence)
            end.append(syntax.probe(site, leave(site.head), body[-1]))
        if root:
            # Where a signal handler raises in the probe, the frame ends as one that an exception leaves.
            body, end = [*body, *end], []
        unwind = self.site("raise", node, level=level, fence=fence)
        if not fence:
            returns = syntax.Returns(leave, lambda: self.site("leave", node, level=level))
            body = returns.visit(ast.Module(body=body, type_ignores=[])).body
        return [enter, syntax.guarded(body, unwind, "unwind_root" if root else "unwind", node), *end]

    def flow(self, clocked: bool) -> FlowProbes:
        """Makes what completes the probes, so that the control flow is known."""
        return FlowProbes(self.site, self.entering, clocked)

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
        this statement is. `claimed` is the phase that the whole block is. Neighbours share a span where one
        rule claims them, or none does.
        """
        result: list[ast.stmt] = []
        default = before
        current: object | None = None
        for statement in statements:
            loop = self.loop(statement)
            held = next((found for found in map(self.loop, syntax.inner(statement)) if found is not None), None)
            holds_loop = held is not None or loop is not None
            rule = None if holds_loop else self.rule(statement, inside)
            rule = None if rule is not None and claimed is not None and rule.phase == claimed else rule
            default = self.turned(statement, default)
            phase = rule.phase if rule is not None else None if holds_loop else default
            owner = loop or (phase and (rule or phase))
            if self.generator and phase is not None:
                result += self.fenced(statement, phase)
                continue
            if rule is not None and rule.taken:
                result += [] if current is None else [self.close(statement, depth, current)]
                self.taken(statement, rule, depth, inside)
                result.append(statement)
                current = None
                continue
            if rule is not None and owner != current:
                result += self.gate(rule, statement, depth)
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
                # Where an exception ended the loop, and was caught here, a turn is open still.
                current = held if isinstance(statement, (ast.With, ast.Try)) else None
            else:
                self.descend(statement, depth + (phase is not None), inside, claimed=phase or claimed)
                result.append(statement)
            default = after if holds_loop else default
        if current is not None and not syntax.leaves(statements[-1]):
            syntax.append(result, self.close(statements[-1], depth, current))
        return result

    def taken(self, statement: ast.stmt, rule: Phase, depth: int, inside: str | None) -> None:
        """Make a phase of the first arm of an `if`."""
        assert isinstance(statement, ast.If) and rule.phase is not None
        first, last = statement.body[0], statement.body[-1]
        names = (_title(statement, rule) or rule.phase,)
        facts = {"depth": depth, "phases": (rule.phase,), "names": names, "level": _level(rule)}
        block = self.block(list(statement.body), depth + 1, inside, claimed=rule.phase)
        statement.body = [self.probe("open", first, **facts), *block]
        if not syntax.leaves(last):
            syntax.append(statement.body, self.close(last, depth, rule))
        statement.orelse = self.block(list(statement.orelse), depth, inside)

    def gate(self, rule: Phase, statement: ast.stmt, depth: int) -> list[ast.stmt]:
        """The gate that begins to sample a batch, before the span of the statement that runs it.

        It marks that statement.
        """
        numbers = sampling_gates.counted(self.around) if rule.sampled else None
        if numbers is None:
            return []
        aside = self.site("aside", statement, depth=depth)
        sampling_gates.mark(statement, aside)
        return [sampling_gates.before(rule, aside, self.stage_in, numbers, statement)]

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
            result.append(syntax.remark(loop_probes.sizes(loop, statement, site.head), statement))
        if loop_probes.has_order(loop, statement):
            site = self.site("order", statement, depth=depth)
            # What comes before is over: copying the order is none of its time.
            result += [self.close(statement, depth, loop), syntax.remark(loop_probes.order(loop, site.head), statement)]
        self.around.append((loop, loop_variables(statement)))
        self.descend(statement, depth + 1, loop.phase)
        self.around.pop()
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
        index = int(loop.guard is not None and Tests(loop.guard).matches(statement.body[0]))
        statement.body.insert(index, self.record(turn, statement.body[index], *loop_probes.turn(loop, statement)))
        statement.body[:0] = fetch
        return [*result, statement]

    def fenced(self, statement: ast.stmt, phase: str) -> list[ast.stmt]:
        """A phase in a generator, as a frame of its own: between its yields a generator is in nobody's frame."""
        enter = self.probe("call", statement, phases=(phase,), names=(self.name,), fence=True)
        return self.frame(statement, enter, [statement], level=2, fence=True)

    def enclose(self, node: FunctionNode) -> None:
        """Put in the gates for sampling, which are no part of the control flow."""
        sampling_gates.around(node)
        if self.session is not None and sampling_gates.exchange(node.body, self.session, node.args.args[0].arg):
            self.found.add(self.session)

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
        """`recorder.mark(head, *operands)`, on the line of `at`."""
        return syntax.probe(site, syntax.mark(site.head, *operands), at)


def _title(statement: ast.stmt, rule: Phase | None) -> str | None:
    """What the span of a statement is called: as its rule says, or after what of the rule's names it calls."""
    if rule is not None and rule.name is not None:
        return rule.name
    names: tuple[str, ...] = rule.where.names if rule is not None else ()
    calls = [callee(node) for node in walk_without_functions(statement) if isinstance(node, ast.Call)]
    return next((called for called in calls if called in names), None)


def _level(owner: object) -> int:
    """How soon a span may be dropped (`Site.level`): an epoch never, other phases before batches.

    Nor is a validation ever: it says that the `evaluate` in it is no fit of its own.
    """
    if isinstance(owner, (Loop, Phase)) and owner.phase in ("epoch", "validation"):
        return 0
    return 1 if isinstance(owner, Loop) else 2
