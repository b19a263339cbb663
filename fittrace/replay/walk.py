"""Walking: from the records of a thread, in order, to the statements that ran.

A walk is a state, and what each record does to it. So the visits that some records give depend on them and on the state
before them alone: equal records from equal states need be walked only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..schema.record_kinds import CLOCKED, ENTER_FRAMES, RAISED_AT
from .flow_graph import END, FlowGraph, Way

_CALLS = ENTER_FRAMES | {"enter"}
_RETURNS = frozenset(["leave", "exit"])


@dataclass(frozen=True)
class WalkSite:
    """A site as the walk needs it.

    - `kind`: its kind of record.
    - `function`: the number of its function; None where that is not known.
    - `node`: its node in that function's graph; None where it has none.
    - `line`: its line in the source.
    - `depth`: how many spans of the frame its records leave open.
    - `phases`: the phases of the spans that its records then open.
    - `synthetic_frame`: whether it begins or ends a frame of the records that is no call of a function.
    """

    kind: str
    function: int | None
    node: int | None
    line: int
    depth: int
    phases: tuple[str, ...]
    synthetic_frame: bool


class WalkedSpan(NamedTuple):
    """A span that is open: its `phase`, and its `number` in the walk."""

    phase: str
    number: int


class Frame(NamedTuple):
    """A call that has not returned.

    - `function`: the number of the function that is called.
    - `node`: the node of its last record or call; None where it is not known.
    - `line`: the line of its last statement.
    - `spans`: the spans that are open in it, outermost first.
    - `synthetic_spans`: those in a synthetic frame inside it. They are inside all of `spans`.
    """

    function: int
    node: int | None
    line: int
    spans: tuple[WalkedSpan, ...]
    synthetic_spans: tuple[WalkedSpan, ...]

    @property
    def all_spans(self) -> tuple[WalkedSpan, ...]:
        """The open spans of both, outermost first."""
        return self.spans + self.synthetic_spans


class State(NamedTuple):
    """What a walk has come to.

    - `frames`: the calls that have not returned, outermost first. The open spans of all of them are numbered anew: the
      innermost is -1, the one around it -2, and so on.
    - `waits`: whether the walk's last moment is that at which the next statement begins.
    """

    frames: tuple[Frame, ...] = ()
    waits: bool = False


class Visit(NamedTuple):
    """One visit to a statement.

    - `function`, `node`: the function and the statement's node in its graph; None where it is not known what ran.
    - `depth`: the number of calls that it is in.
    - `phase`, `span`: the phase and the number of the innermost span around it.
    - `clock`: the moment at which it began; None where no clock was read.
    - `arm`: of a branch, where control went on, as an index of the node's `next`.
    - `before`: the index of the record that came next.
    """

    function: int | None
    node: int | None
    depth: int
    phase: str | None
    span: int | None
    clock: Moment | None
    arm: int | None
    before: int


class Moment(NamedTuple):
    """A moment that was recorded: the `start` or `end` of a span, or a `line`'s own clock, `of` that number.

    The moment `before` is the last of the walk that came before this one.
    """

    what: str
    of: int


@dataclass(frozen=True)
class RecordedProgram:
    """The functions that record, as graphs, and the sites in them."""

    graphs: Sequence[FlowGraph]
    sites: Mapping[int, WalkSite]


_BEGINNING = State()


class Walk:
    """One walk through the records of a `program`, from a `state`.

    `visits` collects what ran. Spans that the walk opens are numbered from 0 in order of opening; those that were open
    before keep the numbers of the state, below 0.
    """

    def __init__(self, program: RecordedProgram, state: State = _BEGINNING) -> None:
        self._program = program
        self._frames = list(state.frames)
        self._count = 0
        self._lines = 0
        self._clock = Moment("before", 0) if state.waits else None
        self.visits: list[Visit] = []

    @property
    def state(self) -> State:
        """What the walk has come to."""
        # Turns of one kind begin with equal states. So a number must not tell how many spans were opened before.
        number = -len(self._spans)
        frames = []
        for frame in self._frames:
            spans, synthetic = (
                tuple(WalkedSpan(span.phase, number + index) for index, span in enumerate(some, start))
                for some, start in ((frame.spans, 0), (frame.synthetic_spans, len(frame.spans)))
            )
            number += len(frame.all_spans)
            frames.append(frame._replace(spans=spans, synthetic_spans=synthetic))
        return State(tuple(frames), self._clock is not None)

    @property
    def last(self) -> Moment | None:
        """The moment at which the next statement begins, where it was recorded."""
        return self._clock

    @property
    def kept(self) -> int:
        """How many of the spans that were open at the beginning are still open."""
        return sum(span.number < 0 for span in self._spans)

    @property
    def opened(self) -> tuple[int, ...]:
        """The numbers of the spans that the walk has opened and not closed, outermost first."""
        return tuple(span.number for span in self._spans if span.number >= 0)

    @property
    def count(self) -> int:
        """How many spans the walk has opened."""
        return self._count

    @property
    def _spans(self) -> list[WalkedSpan]:
        """All spans that are open, outermost first."""
        return [span for frame in self._frames for span in frame.all_spans]

    def records(self, tokens: Sequence[int]) -> None:
        """Walk on through `tokens`: the site of each record, and after those that tell a line its negative."""
        for index, site, line in tokens_of(tokens, self._program.sites):
            self._record(index, site, line)

    def _record(self, index: int, site: WalkSite | None, line: int) -> None:
        if site is None or site.function is None or site.node is None:
            self._lose(index)
        elif site.kind in _CALLS and not site.synthetic_frame:
            self._call(index, site)
        elif site.kind in RAISED_AT:
            self._return_to(index, site)
            self._raise(index, site, line)
        else:
            self._return_to(index, site)
            self._go_on(index, site)

    def _lose(self, index: int) -> None:
        """Records are missing here, or this one cannot be placed."""
        self._visit_unknown(index)
        # Without a node no way is found. So what runs until the next record is called unknown, not guessed.
        self._frames = [frame._replace(node=None) for frame in self._frames]

    def _call(self, index: int, site: WalkSite) -> None:
        """A function begins: find the statement of its caller that calls it."""
        graph = self._program.graphs[site.function or 0]
        if self._frames:
            top = self._frames[-1]
            caller = self._program.graphs[top.function]
            # A loop runs a generator, which has no span: its kind is `enter`.
            name, iterates = graph.name.rpartition(".")[2], site.kind == "enter"
            found = caller.call(top.node, name, iterates) if top.node is not None else None
            if found is None:
                self._visit_unknown(index)
            else:
                node, way = found
                self._visit(index, way, None)
                self._change_top(node=node)
        # A generator goes on in the line of its `yield`, where no statement begins.
        resumed = site.line if site.kind == "enter" and site.line != graph.line else 0
        self._frames.append(Frame(site.function or 0, site.node, resumed, (), ()))
        self._open(site)

    def _return_to(self, index: int, site: WalkSite) -> None:
        """Go back to the innermost call of the site's function: those inside it have ended unseen."""
        known = [depth for depth, frame in enumerate(self._frames) if frame.function == site.function]
        if not known:
            self._frames.append(Frame(site.function or 0, None, 0, (), ()))
        elif known[-1] != len(self._frames) - 1:
            self._visit_unknown(index)
            del self._frames[known[-1] + 1 :]

    def _go_on(self, index: int, site: WalkSite) -> None:
        """Control comes from the last record of the frame to this one."""
        top = self._frames[-1]
        graph = self._program.graphs[top.function]
        self._visit(index, graph.way(top.node, site.node or 0) if top.node is not None else None, site.node)
        self._change_top(node=site.node)
        if site.synthetic_frame:
            # It closes only the spans of fittrace's own frame. Those of the call stay open.
            self._close(site, len(top.spans))
            self._open(site)
        elif site.kind in _RETURNS:
            self._visit(index, graph.way(site.node or 0, END) or (), None)
            self._close(site, 0)
            self._frames.pop()
        elif site.kind == "line":
            self._clock = Moment("line", self._lines)
            self._lines += 1
        elif site.kind in CLOCKED:
            self._close(site, site.depth)
            self._open(site)

    def _raise(self, index: int, site: WalkSite, line: int) -> None:
        """An exception, raised in `line`, comes to this record."""
        top = self._frames[-1]
        graph = self._program.graphs[top.function]
        self._visit(index, graph.exception(top.node, site.node or 0, line) if top.node is not None else None, None)
        self._change_top(node=site.node)
        if site.synthetic_frame:
            self._close(site, len(top.spans))
        elif site.kind != "raised":
            self._close(site, 0)
            self._frames.pop()

    def _close(self, site: WalkSite, depth: int) -> None:
        """Close the spans of the innermost call, but for the outermost `depth` of them."""
        top = self._frames[-1]
        closed = top.all_spans[depth:]
        if closed:
            self._change_top(spans=top.spans[:depth], synthetic_spans=())
            if site.kind in CLOCKED:
                # All of them end at one moment. The outermost stands for it.
                self._clock = Moment("end", closed[0].number)

    def _open(self, site: WalkSite) -> None:
        """Open the spans of a site in the innermost call."""
        if not site.phases:
            return
        opened = tuple(WalkedSpan(phase, self._count + nth) for nth, phase in enumerate(site.phases))
        top = self._frames[-1]
        if site.synthetic_frame:
            self._change_top(synthetic_spans=top.synthetic_spans + opened)
        else:
            self._change_top(spans=top.spans + opened)
        self._clock = Moment("start", self._count)
        self._count += len(opened)

    def _change_top(self, **changes: Any) -> None:
        self._frames[-1] = self._frames[-1]._replace(**changes)

    def _visit(self, index: int, way: Way | None, end: int | None) -> None:
        """Visit the statements on a `way`, which goes on at the node `end`."""
        if way is None:
            self._visit_unknown(index)
            return
        top = self._frames[-1]
        nodes = self._program.graphs[top.function].nodes
        for node, following in zip(way, (*way[1:], end)):
            if nodes[node].line in (0, top.line):
                continue  # a statement that begins in the line of the one before is one step with it
            top = top._replace(line=nodes[node].line)
            branches = len(nodes[node].next) > 1 and following in nodes[node].next
            arm = nodes[node].next.index(following) if branches and following is not None else None
            self._add_visit(top.function, node, arm, index)
        self._frames[-1] = top

    def _innermost(self) -> WalkedSpan | None:
        for frame in reversed(self._frames):
            if frame.synthetic_spans or frame.spans:
                return (frame.synthetic_spans or frame.spans)[-1]
        return None

    def _visit_unknown(self, index: int) -> None:
        self._add_visit(None, None, None, index)

    def _add_visit(self, function: int | None, node: int | None, arm: int | None, index: int) -> None:
        depth = max(len(self._frames) - 1, 0)
        phase, span = self._innermost() or (None, None)
        self.visits.append(Visit(function, node, depth, phase, span, self._clock, arm, index))
        # The moment is that of this statement. The next one has none until a clock is read again.
        self._clock = None


def tokens_of(tokens: Sequence[int], sites: Mapping[int, WalkSite]) -> Iterator[tuple[int, WalkSite | None, int]]:
    """The index, the site and the line (0 where there is none) of each record in `tokens`."""
    for index, token in enumerate(tokens):
        if token >= 0:
            line = -tokens[index + 1] if index + 1 < len(tokens) and tokens[index + 1] < 0 else 0
            yield index, sites.get(token), line
