"""Walking: from the records of a thread, in order, to the statements that ran.

The walk is a state and what each record does to it. So what a sequence of records gives depends on the state before it
alone, and equal sequences from equal states need be walked only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..schema.record_kinds import CLOCKED, ENTER_FRAMES, KINDS
from .flow_graph import END, FlowGraph, Way

_BEGIN_CALLS = ENTER_FRAMES | {"enter"}
_RETURN = frozenset(["leave", "exit"])


@dataclass(frozen=True)
class WalkSite:
    """A place that records: its `kind`, the number of its `function` and its `node` in that function's graph.

    Its record leaves `depth` spans of its frame open and opens one for each of `phases`. A `fence` is a frame of the
    records that is none of the program's.
    """

    kind: str
    function: int | None
    node: int | None
    line: int
    depth: int
    phases: tuple[str, ...]
    fence: bool

    @property
    def has_line(self) -> bool:
        """Whether its records tell where an exception was raised."""
        return "line" in KINDS[self.kind].operands


class Frame(NamedTuple):
    """A call that has not returned: its `function`, the `node` of its last record or call (None: not known), the
    `line` of its last statement, and the phases of the spans that are open in it, `fenced` those inside a fence."""

    function: int
    node: int | None
    line: int
    phases: tuple[str, ...]
    fenced: tuple[str, ...]


class State(NamedTuple):
    """What a walk has come to: the calls that have not returned, outermost first, and whether its last moment is that
    at which the next statement begins."""

    frames: tuple[Frame, ...] = ()
    waits: bool = False


class Visit(NamedTuple):
    """One visit to a statement: `node` of `function`, both None where it is not known what ran.

    `depth` is the number of calls that it is in. `span` is the innermost span around it and `clock` the moment at
    which it began (None: no clock was read there). `arm` says of a branch where control went on, as an index of the
    node's `next`. `before` is the index of the record that came next.
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
    """One walk through records, from a `state`; `visits` collects what ran.

    Spans are numbered from 0 in the order in which the walk opens them. Those that were open before it are -1, the
    innermost, -2 and so on; `kept` says how many of them are still open, `opened` which of the new.
    """

    def __init__(self, program: RecordedProgram, state: State = _BEGINNING) -> None:
        self._program = program
        self._frames = list(state.frames)
        depth = sum(len(frame.phases) + len(frame.fenced) for frame in state.frames)
        self._before = depth
        self._spans = list(range(-depth, 0))
        self._count = 0
        self._lines = 0
        self._clock = Moment("before", 0) if state.waits else None
        self.visits: list[Visit] = []

    @property
    def state(self) -> State:
        """What the walk has come to."""
        return State(tuple(self._frames), self._clock is not None)

    @property
    def last(self) -> Moment | None:
        """The moment at which the next statement begins, where it was recorded."""
        return self._clock

    @property
    def kept(self) -> int:
        """How many of the spans that were open at the beginning are still open."""
        return sum(span < 0 for span in self._spans)

    @property
    def opened(self) -> tuple[int, ...]:
        """The spans that the walk has opened and not closed."""
        return tuple(span for span in self._spans if span >= 0)

    @property
    def count(self) -> int:
        """How many spans the walk has opened."""
        return self._count

    def records(self, tokens: Sequence[int]) -> None:
        """Walk on through `tokens`: the site of each record, and after those that tell a line its negative."""
        for index, site, line in tokens_of(tokens, self._program.sites):
            self._record(index, site, line)

    def _record(self, index: int, site: WalkSite | None, line: int) -> None:
        if site is None or site.function is None or site.node is None:
            self._lose(index)
        elif site.kind in _BEGIN_CALLS and not site.fence:
            self._call(index, site)
        elif site.has_line:
            self._meet(index, site)
            self._raise(index, site, line)
        else:
            self._meet(index, site)
            self._go(index, site)

    def _lose(self, index: int) -> None:
        """Records are missing, or cannot be placed."""
        self._unknown(index)
        self._frames = [frame._replace(node=None) for frame in self._frames]

    def _call(self, index: int, site: WalkSite) -> None:
        graph = self._program.graphs[site.function or 0]
        if self._frames:
            top = self._frames[-1]
            caller = self._program.graphs[top.function]
            name, iterates = graph.name.rpartition(".")[2], site.kind == "enter"
            found = caller.call(top.node, name, iterates) if top.node is not None else None
            if found is None:
                self._unknown(index)
            else:
                node, way = found
                self._visit(index, way, None)
                self._top(node=node)
        resumed = site.line if site.kind == "enter" and site.line != graph.line else 0
        self._frames.append(Frame(site.function or 0, site.node, resumed, (), ()))
        self._close(site, phases=site.phases)

    def _meet(self, index: int, site: WalkSite) -> None:
        """Go back to the innermost call of the site's function: those inside it have ended unseen."""
        known = [place for place, frame in enumerate(self._frames) if frame.function == site.function]
        if not known:
            self._frames.append(Frame(site.function or 0, None, 0, (), ()))
        elif known[-1] != len(self._frames) - 1:
            self._unknown(index)
            while len(self._frames) > known[-1] + 1:
                self._leave()

    def _go(self, index: int, site: WalkSite) -> None:
        top = self._frames[-1]
        graph = self._program.graphs[top.function]
        self._visit(index, graph.way(top.node, site.node or 0) if top.node is not None else None, site.node)
        self._top(node=site.node)
        if site.fence:
            self._close(site, fenced=site.phases)
        elif site.kind in _RETURN:
            self._visit(index, graph.way(site.node or 0, END) or (), None)
            self._close(site, phases=())
            self._leave()
        elif site.kind == "line":
            self._clock = Moment("line", self._lines)
            self._lines += 1
        elif site.kind in CLOCKED:
            self._close(site, phases=top.phases[: site.depth] + site.phases)

    def _raise(self, index: int, site: WalkSite, line: int) -> None:
        top = self._frames[-1]
        graph = self._program.graphs[top.function]
        self._visit(index, graph.exception(top.node, site.node or 0, line) if top.node is not None else None, None)
        self._top(node=site.node)
        if site.fence:
            self._close(site, fenced=())
        elif site.kind != "raised":
            self._close(site, phases=())
            self._leave()

    def _close(self, site: WalkSite, **changes: tuple[str, ...]) -> None:
        """Let the spans of the innermost call be those of `changes`, and note the moment."""
        top = self._frames[-1]
        frame = top._replace(**changes)  # type: ignore[arg-type]
        opens = len(site.phases)
        held = len(self._spans) - len(top.phases) - len(top.fenced)
        left = held + len(frame.phases) + len(frame.fenced) - opens
        closed, self._spans = self._spans[left:], self._spans[:left]
        self._spans += range(self._count, self._count + opens)
        if site.kind in CLOCKED and opens:
            self._clock = Moment("start", self._count)
        elif site.kind in CLOCKED and closed:
            self._clock = Moment("end", closed[0])
        self._count += opens
        self._frames[-1] = frame

    def _leave(self) -> None:
        frame = self._frames.pop()
        count = len(frame.phases) + len(frame.fenced)
        if count:
            del self._spans[-count:]

    def _top(self, **changes: Any) -> None:
        self._frames[-1] = self._frames[-1]._replace(**changes)

    def _visit(self, index: int, way: Way | None, end: int | None) -> None:
        """Visit the statements on a `way`, which goes on at the node `end`."""
        if way is None:
            self._unknown(index)
            return
        top = self._frames[-1]
        nodes = self._program.graphs[top.function].nodes
        for place, node in enumerate(way):
            following = way[place + 1] if place + 1 < len(way) else end
            if nodes[node].line in (0, top.line):
                continue  # a statement that begins in the line of the one before is one step with it
            top = top._replace(line=nodes[node].line)
            branches = len(nodes[node].next) > 1 and following in nodes[node].next
            arm = nodes[node].next.index(following) if branches and following is not None else None
            self._add(top.function, node, arm, index)
        self._frames[-1] = top

    def _unknown(self, index: int) -> None:
        self._add(None, None, None, index)

    def _add(self, function: int | None, node: int | None, arm: int | None, index: int) -> None:
        depth = max(len(self._frames) - 1, 0)
        span = self._spans[-1] if self._spans else None
        self.visits.append(Visit(function, node, depth, self._phase(), span, self._clock, arm, index))
        self._clock = None

    def _phase(self) -> str | None:
        for frame in reversed(self._frames):
            if frame.fenced or frame.phases:
                return (frame.fenced or frame.phases)[-1]
        return None


def tokens_of(tokens: Sequence[int], sites: Mapping[int, WalkSite]) -> Iterator[tuple[int, WalkSite | None, int]]:
    """The index, the site and the line (0 where there is none) of each record in `tokens`."""
    for index, token in enumerate(tokens):
        if token >= 0:
            line = -tokens[index + 1] if index + 1 < len(tokens) and tokens[index + 1] < 0 else 0
            yield index, sites.get(token), line
