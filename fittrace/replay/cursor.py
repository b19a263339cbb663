"""The cursor: walking through a finished fit in the engine's source, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from ..tables.sql_literals import literal
from .breakpoints import Breakpoint
from .recorded_flow import Ints, Recording
from .search import Search, find, hooks
from .span_blocks import SpanBlocks
from .step import NoStep, Step
from .step_values import Values
from .turn_runs import TurnRuns
from .walk import Moment, Visit


class Replay(Sequence[Step]):
    """The steps of one fit, and a place among them.

    An int gives a step, as iteration does; the other methods move: they return the step that they come to, or None
    where there is none, and then stay.

    >>> import fittrace
    >>> replay = fittrace.open("traces/reference-keras-3").replay()
    >>> step = replay.goto(epoch=1, batch=3)
    >>> step.function, step.epoch, step.batch, step.phase
    ('TensorFlowTrainer.fit', 1, 3, 'slice')
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.position = 0
        self.stretches = TurnRuns.of(recording)
        self.spans = SpanBlocks(recording)
        self._shallowest = np.array([min((v.depth for v in k.visits), default=1 << 30) for k in self.stretches.kinds])
        self.values = Values(recording, self.stretches, self.spans)
        self._hooks: dict[Breakpoint, Ints | None] = {}

    def __len__(self) -> int:
        return int(self.stretches.first[-1])

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self._step(one) for one in range(*index.indices(len(self)))]
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"step {index}: the fit has {len(self)} steps")
        return self._step(place)

    def __iter__(self) -> Iterator[Step]:
        return map(self._step, range(len(self)))

    @property
    def current(self) -> Step:
        """The step where the cursor is."""
        return self[self.position]

    def forward(self) -> Step | None:
        """To the next step, also into a call."""
        return self._move(self.position + 1 if self.position + 1 < len(self) else None)

    def back(self) -> Step | None:
        """To the step before."""
        return self._move(self.position - 1 if self.position else None)

    def over(self) -> Step | None:
        """To the next step that is no deeper: over calls."""
        return self._move(self.after(self.position, self._depth(self.position)))

    def over_back(self) -> Step | None:
        """To the last step before that is no deeper."""
        return self._move(self.before(self.position, self._depth(self.position)))

    def out(self) -> Step | None:
        """To the first step after the call that the cursor is in."""
        return self._move(self.after(self.position, self._depth(self.position) - 1))

    def out_back(self) -> Step | None:
        """To the step that made the call that the cursor is in."""
        return self._move(self.before(self.position, self._depth(self.position) - 1))

    def goto(self, epoch: int, batch: int | None = None, stage: str | None = None) -> Step:
        """To the first step of an epoch, or of a batch in it; of the fit's own stage, unless one is given.

        Raises `NoStep` where the fit has no such epoch or batch.
        """
        wanted = f"fit = {self.recording.fit} AND epoch = {int(epoch)}"
        if batch is not None:
            which = "stage IN ('train', 'test', 'predict')" if stage is None else f"stage = {literal(stage)}"
            order = "ORDER BY stage = 'test', span LIMIT 1"
            found = self.recording.rows("batches", "span", f"{wanted} AND batch = {int(batch)} AND {which} {order}")
        else:
            found = self.recording.rows("spans", "span", f"{wanted} AND phase = 'epoch' ORDER BY span LIMIT 1")
        step = self.first_in(int(found["span"][0].as_py())) if found.num_rows else None
        if step is None:
            what = f"epoch {epoch}" + ("" if batch is None else f", batch {batch}")
            raise NoStep(f"{self.recording.trace.path}: fit {self.recording.fit} has no {what}")
        self.position = step
        return self.current

    def first_in(self, span: int) -> int | None:
        """The index of the first step in the span of that number, None where there is none."""
        stretch = int(np.searchsorted(self.stretches.span, span, "right")) - 1
        while 0 <= stretch < len(self.stretches):
            kind = self.stretches.kinds[int(self.stretches.kind[stretch])]
            turn = min((span - int(self.stretches.span[stretch])) // max(kind.count, 1), self._turns(stretch) - 1)
            relative = span - self.stretches.span_of(stretch, turn)
            for place, visit in enumerate(kind.visits):
                if visit.span is not None and visit.span >= relative and relative < kind.count:
                    return self.number_of(stretch, turn, place)
            stretch += 1
            if stretch < len(self.stretches) and self.stretches.span[stretch] > span:
                return None
        return None

    def stack(self) -> list[Step]:
        """The calls that the cursor is in, outermost first: the step of each from which the next was called."""
        chain = [self.position]
        while (above := self.before(chain[-1], self._depth(chain[-1]) - 1)) is not None:
            chain.append(above)
        return [self[one] for one in reversed(chain)]

    def source_of(self, step: Step) -> Sequence[str]:
        """The lines of the file that a step is in, as it ran; none where it is not known."""
        return self.recording.sources.get(step.file or "", [])

    def function_lines(self, step: Step) -> tuple[int, int] | None:
        """The first and the last line of the function that a step is in, None where that is not known."""
        for graph in self.recording.program.graphs:
            if graph.name == step.function and graph.file == step.file:
                return graph.line, max([graph.line, *(node.end_line for node in graph.nodes)])
        return None

    def find(self, where: Breakpoint, backwards: bool = False) -> Step | None:
        """To the nearest step after the current one, or before it, at which `where` stops."""
        if where not in self._hooks:
            self._hooks[where] = hooks(self, where)
        return self._move(find(self, where, backwards, self._hooks[where]))

    def searching(self, matches: Callable[[Visit, int], bool]) -> Search:
        """What finds the nearest step after an index, or before it, whose visit matches.

        Turns of one kind have one answer for each visit: `matches` is asked once, with the index of its first step.
        """
        found: set[int] = set()
        kinds = np.zeros(len(self.stretches.kinds), bool)
        for number, places in self.matching(matches).items():
            kinds[number] = bool(places)
            found |= {id(self.stretches.kinds[number].visits[place]) for place in places}
        return lambda index, backwards: self._search(index, lambda visit: id(visit) in found, kinds, backwards)

    def matching(self, matches: Callable[[Visit, int], bool]) -> dict[int, list[int]]:
        """The places of the visits that match, by the number of their kind of turns."""
        found = {}
        for number, kind in enumerate(self.stretches.kinds):
            first = int(self.stretches.first[int(np.argmax(self.stretches.kind == number))])
            found[number] = [place for place, visit in enumerate(kind.visits) if matches(visit, first + place)]
        return found

    def visit(self, index: int) -> tuple[int, int, Visit]:
        """Which stretch and which turn of it a step is in, and its visit."""
        stretch = int(np.searchsorted(self.stretches.first, index, "right")) - 1
        visits = self.stretches.kinds[int(self.stretches.kind[stretch])].visits
        turn, place = divmod(index - int(self.stretches.first[stretch]), len(visits))
        return stretch, turn, visits[place]

    def moment(self, stretch: int, turn: int, moment: Moment) -> int | None:
        """The Unix time of a moment that a visit of a turn names."""
        if moment.what == "before":
            stretch, turn = (stretch, turn - 1) if turn else (stretch - 1, self._turns(stretch - 1) - 1)
            last = self.stretches.kinds[int(self.stretches.kind[stretch])].last
            return None if last is None else self.moment(stretch, turn, last)
        if moment.what == "line":
            clocks = self.recording.turns.clocks[int(self.stretches.row[stretch])]
            return clocks[moment.of] if moment.of < len(clocks) else None
        number = self.stretches.number(stretch, turn, moment.of)
        if number is None:
            return None
        return self.spans.start(number) if moment.what == "start" else self.spans.end(number)

    def elapsed(self, index: int) -> tuple[int | None, int]:
        """What passed from a step with a clock to the next one, no deeper, that has one; and how many steps share it.

        None for a step without a clock.
        """
        stretch, turn, visit = self.visit(index)
        start = self.moment(stretch, turn, visit.clock) if visit.clock is not None else None
        if start is None:
            return None, 0
        together, following = 1, self.after(index, visit.depth)
        while following is not None:
            stretch, turn, other = self.visit(following)
            end = self.moment(stretch, turn, other.clock) if other.clock is not None else None
            if end is not None:
                return end - start, together
            together += other.depth == visit.depth
            following = self.after(following, visit.depth)
        return self._end() - start, together

    def _end(self) -> int:
        rows = self.recording.rows("fits", "start_ns + duration_ns AS end_ns", f"fit = {self.recording.fit}")
        return int(rows["end_ns"][0].as_py())

    def _move(self, index: int | None) -> Step | None:
        if index is None:
            return None
        self.position = index
        return self.current

    def _turns(self, stretch: int) -> int:
        return int(self.stretches.turns[stretch])

    def number_of(self, stretch: int, turn: int, place: int) -> int:
        """The index of the step that is the `place`-th visit of a turn."""
        visits = self.stretches.kinds[int(self.stretches.kind[stretch])].visits
        return int(self.stretches.first[stretch]) + turn * len(visits) + place

    def _depth(self, index: int) -> int:
        return self.visit(index)[2].depth

    def after(self, index: int, depth: int) -> int | None:
        """The first step after `index` that is in no more than `depth` calls."""
        return self._search(index, lambda visit: visit.depth <= depth, self._shallowest <= depth)

    def before(self, index: int, depth: int) -> int | None:
        """The last step before `index` that is in no more than `depth` calls."""
        return self._search(index, lambda visit: visit.depth <= depth, self._shallowest <= depth, backwards=True)

    def _search(self, index: int, matches: Any, kinds: Any, backwards: bool = False) -> int | None:
        """The nearest step after, or before, `index` whose visit matches; `kinds` says which kinds have any."""
        stretch, turn, _ = self.visit(index)
        place = index - self.number_of(stretch, turn, 0)
        visits = self.stretches.kinds[int(self.stretches.kind[stretch])].visits
        found = _nearest(visits, matches, place, backwards)
        if found is not None:
            return self.number_of(stretch, turn, found)
        turns = turn if backwards else self._turns(stretch) - turn - 1
        if not (turns and kinds[self.stretches.kind[stretch]]):
            others = np.flatnonzero(kinds[self.stretches.kind])
            at = int(np.searchsorted(others, stretch, "left" if backwards else "right")) - backwards
            if not 0 <= at < len(others):
                return None
            stretch = int(others[at])
            turn = self._turns(stretch) if backwards else -1
            visits = self.stretches.kinds[int(self.stretches.kind[stretch])].visits
        found = _nearest(visits, matches, len(visits) if backwards else -1, backwards)
        return None if found is None else self.number_of(stretch, turn - 1 if backwards else turn + 1, found)

    def _step(self, index: int) -> Step:
        stretch, turn, visit = self.visit(index)
        number = None if visit.span is None else self.stretches.number(stretch, turn, visit.span)
        facts = self.spans.facts(number) if number is not None else {}
        start = self.moment(stretch, turn, visit.clock) if visit.clock is not None else None
        is_first = index == 0 or self.visit(index - 1)[2].depth < visit.depth
        function = file = line = end_line = None
        source = ""
        if visit.function is not None and visit.node is not None:
            graph = self.recording.program.graphs[visit.function]
            node = graph.nodes[visit.node]
            function, file, line, end_line = graph.name, graph.file, node.line, node.end_line
            source = "\n".join(self.recording.sources.get(file, ())[line - 1 : end_line])
        return Step(
            index=index,
            function=function,
            file=file,
            line=line,
            end_line=end_line,
            source=source,
            phase=visit.phase,
            depth=visit.depth,
            stage=facts.get("stage"),
            epoch=facts.get("epoch"),
            batch=facts.get("batch"),
            start_ns=start,
            duration_ns=self.elapsed(index)[0],
            values=self.values.of(visit, stretch, turn, index - self.number_of(stretch, turn, 0), is_first),
        )


def _nearest(visits: Sequence[Visit], matches: Any, place: int, backwards: bool) -> int | None:
    places = range(place - 1, -1, -1) if backwards else range(place + 1, len(visits))
    return next((one for one in places if matches(visits[one])), None)
