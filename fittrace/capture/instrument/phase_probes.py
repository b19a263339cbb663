"""Probes for phases: where a function's phases begin and end, as the engine's table says."""

from __future__ import annotations

import ast
from typing import Sequence

from ...engines import Cached, Function, Loop, Phase, SessionRun
from ...engines.engine_table import callee, loop_variables, walk_without_functions
from . import loop_probes, sampling_gates, syntax
from .flow_probes import FlowProbes
from .function_sites import FunctionSites, MakeSite, level_of
from .syntax import FunctionNode, constant, items, name


class FunctionRewriter(FunctionSites):
    """Rewrites the body of one function, in place.

    - `function`, `file`, `site`: as of `FunctionSites`.
    - `entering`: the last names of the functions that record.
    - `loops`: the loops of the table that it may hold.
    - `phases`: the rules of the table for its statements.
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
        super().__init__(function, file, site)
        self.entering = entering
        self.loops = loops
        self.phases = phases
        self.found: set[object] = set()
        """The parts of the table that the source has."""
        self.in_generator = False
        """Whether the function has no span, as a generator: each phase in it is a frame of its own."""
        self.has_flow = True
        """Whether the control flow is recorded."""
        self.phase_changes: Sequence[Phase] = ()
        """Rules that change the phase of the statements that no other rule claims."""
        self.stage_in: str | None = None
        """The variable that tells the stage of a batch, where the function serves several."""
        self.session: Cached | SessionRun | None = None
        """The call of a session that the function makes."""
        self.enclosing_loops: list[tuple[Loop, tuple[str, ...]]] = []
        """The loops around the statement that is being rewritten, outermost first, each with its variables."""

    def missing(self) -> list[str]:
        """The parts of the table that the source does not have, in words for the user."""
        loops = [str(loop) for loop in self.loops if not loop.optional and loop not in self.found]
        session = self.session
        calls = [str(session)] if session and not session.optional and session not in self.found else []
        return loops + calls + [str(rule.where) for rule in self.phases if not rule.optional and rule not in self.found]

    def rewrite(self, node: FunctionNode, spec: Function) -> None:
        """Put in the probes that `spec`, the function's row of the table, asks for."""
        docstring, body = syntax.split_docstring(node.body)
        self.stage_in, self.session = spec.stage_in, spec.session
        if spec.traces:
            self.has_flow = False
            node.body = [*docstring, self.traced_probe(node, body[0]), *body]
            return
        if spec.phase is None:
            self.in_generator = True
            rewritten = self.block(body, depth=0, inside=None)
            flow = self.flow(spec.clocked)
            flow.complete(rewritten)
            node.body = docstring + flow.frame(node, rewritten)
            return
        self.phase_changes = spec.turning
        level = 0 if spec.loops or spec.root else 1
        facts = {"stage": spec.stage, "root": spec.root, "level": level}
        site = self.site("call", node, phases=(spec.phase,), names=(self.name,), **facts)
        if spec.root:
            model = name(node.args.args[0].arg) if node.args.args else constant(None)
            docstring = [*docstring, syntax.added(syntax.call("enter", constant(site.head), model), body[0])]
        enter = self.record(site, body[0])
        rewritten = self.block(body, depth=1, inside=None, before=spec.before, after=spec.after)
        self.flow(clocked=bool(spec.loops or spec.root)).complete(rewritten)
        if spec.root:
            begin = syntax.added(syntax.call("begin_root"), body[0])
            rewritten[:0] = [begin, self.arguments_probe(node, body[0])]
        node.body = docstring + self.frame(node, enter, rewritten, level, root=spec.root)

    def traced_probe(self, node: FunctionNode, at: ast.stmt) -> ast.stmt:
        """The probe that records that TensorFlow traces a `tf.function`."""
        site = self.site("traced", node, level=1)
        return syntax.added(syntax.call("record", items(constant(site.head))), at)

    def arguments_probe(self, node: FunctionNode, at: ast.stmt) -> ast.stmt:
        """The probe that records the arguments of a root, without the first, which is `self`, and its caller."""
        parameters = [*getattr(node.args, "posonlyargs", ()), *node.args.args, *node.args.kwonlyargs]
        parameters += [catch_all for catch_all in (node.args.vararg, node.args.kwarg) if catch_all is not None]
        names = [parameter.arg for parameter in parameters[1:]]
        site = self.site("values", node, level=1)
        probe = syntax.call("arguments", constant(site.head), items(*map(constant, names)), items(*map(name, names)))
        return syntax.added(probe, at)

    def frame(
        self,
        node: ast.stmt,
        enter: ast.stmt,
        body: list[ast.stmt],
        level: int,
        fence: bool = False,
        root: bool = False,
    ) -> list[ast.stmt]:
        """The statements of `body` as a frame, which ends however control leaves them.

        - `node`: the function, or the statement that is a frame of its own.
        - `enter`: the probe that begins the frame.
        - `body`: the statements in it.
        - `level`: the `level` of the frame's sites.
        - `fence`: whether the frame is fittrace's own, around a statement of a generator.
        - `root`: whether it is the frame of a root.
        """
        leave = syntax.leave_root if root else syntax.mark
        end = []
        if not syntax.is_jump(body[-1]):
            site = self.site("leave", body[-1], level=level, fence=fence)
            end.append(syntax.probe(site, leave(site.head), body[-1]))
        if root:
            # Inside the guard: where a signal handler raises in `leave_root`, `unwind_root` still ends the frame.
            body, end = [*body, *end], []
        unwind = self.site("raise", node, level=level, fence=fence)
        if not fence:
            returns = syntax.Returns(leave, lambda: self.site("leave", node, level=level))
            body = returns.visit(ast.Module(body=body, type_ignores=[])).body
        return [enter, syntax.guarded(body, unwind, "unwind_root" if root else "unwind", node), *end]

    def flow(self, clocked: bool) -> FlowProbes:
        """What adds the probes for the control flow. With `clocked`, statements outside of loops read the clock."""
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

        Neighbours share a span where the same rule claims them, or where no rule claims either.

        - `statements`: the block.
        - `depth`: how many spans of the frame are open in it.
        - `inside`: the phase of the innermost loop around it; None outside of the table's loops.
        - `before`: the phase of statements that no rule claims, up to the first one that holds a loop of the table. It
          goes on into the blocks of that statement.
        - `after`: the same from the statement after that one on.
        - `claimed`: the phase of the span that the whole block is in, which no rule opens a second time.
        """
        result: list[ast.stmt] = []
        default = before
        # What opened the span that is open before the next statement: a rule, a loop, or the name of a default phase.
        current: object | None = None
        for statement in statements:
            loop, inner_loop = self.loop(statement), self.loop_inside(statement)
            holds_loop = loop is not None or inner_loop is not None
            # A statement around a loop is no phase as a whole: the loop and what is beside it are.
            rule = None if holds_loop else self.rule(statement, inside)
            rule = None if rule is not None and claimed is not None and rule.phase == claimed else rule
            default = self.default_from(statement, default)
            phase = rule.phase if rule is not None else None if holds_loop else default
            # A rule of the phase None makes its statement no phase, whatever `default` is.
            owner = loop or (phase and (rule or phase))
            if self.in_generator and phase is not None:
                result += self.generator_phase(statement, phase)
                continue
            if rule is not None and rule.taken:
                result += [] if current is None else [self.close(statement, depth, current)]
                self.taken_arm(statement, rule, depth, inside)
                result.append(statement)
                current = None
                continue
            if owner != current:
                result += [] if rule is None else self.begin_gate(rule, statement, depth)
                if phase is not None:
                    result.append(self.open(statement, depth, phase, rule))
                elif current is not None and loop is None:
                    result.append(self.close(statement, depth, current))
            current = owner
            if loop is not None:
                result += self.loop_of_spans(statement, loop, depth)
            elif holds_loop:
                self.inner_blocks(statement, depth, inside, default, after)
                result.append(statement)
                # Where an exception ended the loop and this statement caught it, a turn is still open.
                current = inner_loop if isinstance(statement, (ast.With, ast.Try)) else None
            else:
                self.inner_blocks(statement, depth + (phase is not None), inside, claimed=phase or claimed)
                result.append(statement)
            default = after if holds_loop else default
        if current is not None and not syntax.is_jump(statements[-1]):
            syntax.append(result, self.close(statements[-1], depth, current))
        return result

    def taken_arm(self, statement: ast.stmt, rule: Phase, depth: int, inside: str | None) -> None:
        """Make the first arm of an `if` a phase. The arguments are those of `block`."""
        assert isinstance(statement, ast.If) and rule.phase is not None
        first, last = statement.body[0], statement.body[-1]
        names = (_title(statement, rule) or rule.phase,)
        facts = {"depth": depth, "phases": (rule.phase,), "names": names, "level": level_of(rule)}
        block = self.block(list(statement.body), depth + 1, inside, claimed=rule.phase)
        statement.body = [self.probe("open", first, **facts), *block]
        if not syntax.is_jump(last):
            syntax.append(statement.body, self.close(last, depth, rule))
        statement.orelse = self.block(list(statement.orelse), depth, inside)

    def begin_gate(self, rule: Phase, statement: ast.stmt, depth: int) -> list[ast.stmt]:
        """The gate that may begin to sample a batch, before the span of the statement that runs it.

        The statement is marked for `add_gates`. There is no gate where the rule does not sample, or outside of the
        loops over epochs and batches.
        """
        numbers = sampling_gates.batch_numbers(self.enclosing_loops) if rule.sampled else None
        if numbers is None:
            return []
        aside = self.site("aside", statement, depth=depth)
        sampling_gates.mark_batch(statement, aside)
        return [sampling_gates.begin_gate(rule, aside, self.stage_in, numbers, statement)]

    def inner_blocks(
        self,
        statement: ast.stmt,
        depth: int,
        inside: str | None,
        before: str | None = None,
        after: str | None = None,
        claimed: str | None = None,
    ) -> None:
        """Rewrite the blocks in a compound statement, in place. The arguments are those of `block`."""
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for block in syntax.blocks(statement):
                block[:] = self.block(list(block), depth, inside, before, after, claimed)

    def default_from(self, statement: ast.stmt, default: str | None) -> str | None:
        """The phase of statements that no rule claims, from `statement` on; `default` up to there."""
        for rule in self.phase_changes if default is not None else ():
            if rule.where.matches(statement):
                self.found.add(rule)
                return rule.phase
        return default

    def loop_of_spans(self, statement: ast.stmt, loop: Loop, depth: int) -> list[ast.stmt]:
        """A loop of the table: each turn is a span. Returns the loop with what goes before it.

        - `statement`: the loop in the source.
        - `loop`: the loop in the table.
        - `depth`: how many spans of the frame are open around it.
        """
        assert isinstance(statement, (ast.For, ast.While))
        self.found.add(loop)
        before = loop_probes.sample_probes(loop, statement, depth, self)
        self.enclosing_loops.append((loop, loop_variables(statement)))
        self.inner_blocks(statement, depth + 1, loop.phase)
        self.enclosing_loops.pop()
        return [*before, *loop_probes.add_turn_probes(loop, statement, depth, self), statement]

    def generator_phase(self, statement: ast.stmt, phase: str) -> list[ast.stmt]:
        """A statement of a generator as a phase, in a frame of its own.

        The generator itself has no frame: between two of its yields other functions run.
        """
        enter = self.probe("call", statement, phases=(phase,), names=(self.name,), fence=True)
        return self.frame(statement, enter, [statement], level=2, fence=True)

    def add_gates(self, node: FunctionNode) -> None:
        """Put in the gates for sampling.

        Gates are added after the graph is built, so the graph does not have them.
        """
        sampling_gates.add_end_gates(node)
        if self.session is not None and sampling_gates.add_session_gates(
            node.body, self.session, node.args.args[0].arg
        ):
            self.found.add(self.session)

    def loop(self, statement: ast.stmt) -> Loop | None:
        """The loop of the table that `statement` is; None where it is none."""
        for loop in self.loops:
            if loop.matches(statement):
                return loop
        return None

    def loop_inside(self, statement: ast.stmt) -> Loop | None:
        """The first loop of the table in the blocks of `statement`; None where there is none."""
        loops = map(self.loop, syntax.inner_statements(statement))
        return next((loop for loop in loops if loop is not None), None)

    def rule(self, statement: ast.stmt, inside: str | None) -> Phase | None:
        """The first rule of the table that claims `statement`, which is in a loop of the phase `inside`."""
        for rule in self.phases:
            if (not rule.inside or inside in rule.inside) and rule.where.matches(statement):
                self.found.add(rule)
                return rule
        return None

    def open(self, at: ast.stmt, depth: int, phase: str, rule: Phase | None) -> ast.stmt:
        """The probe that opens a span of `phase` before a statement; `rule` is what claims the statement, if any."""
        names = (_title(at, rule) or phase,)
        return self.probe("open", at, depth=depth, phases=(phase,), names=names, level=level_of(rule or phase))


def _title(statement: ast.stmt, rule: Phase | None) -> str | None:
    """The name of a statement's span: its rule's `name`, or the one of the rule's functions that it calls."""
    if rule is not None and rule.name is not None:
        return rule.name
    names: tuple[str, ...] = rule.where.names if rule is not None else ()
    called = [callee(node) for node in walk_without_functions(statement) if isinstance(node, ast.Call)]
    return next((function for function in called if function in names), None)
