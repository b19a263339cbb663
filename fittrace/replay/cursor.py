"""A cursor on a recorded fit: moves through its steps in the engine's source, forwards and backwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from ..tables.sql_literals import literal
from .breakpoints import Breakpoint
from .hook_search import hook_spans
from .recorded_flow import Ints, RecordedFlow
from .search import find_step
from .step import NoStep, Step
from .step_reader import StepReader
from .timeline import Timeline


class Replay(Sequence[Step]):
    """The steps of one fit, and a position among them.

    As a sequence it gives steps by index. The other methods move the position: they return the step there, or None if
    there is no such step, and then the position stays.

    - `recording`: what was recorded of the fit.
    - `timeline`: where its steps are.
    - `position`: the index of the current step.

    >>> import fittrace
    >>> replay = fittrace.open("traces/reference-keras-3").replay()
    >>> step = replay.goto(epoch=1, batch=3)
    >>> step.function, step.epoch, step.batch, step.phase
    ('TensorFlowTrainer.fit', 1, 3, 'slice')
    """

    def __init__(self, recording: RecordedFlow) -> None:
        self.recording = recording
        self.timeline = Timeline(recording)
        self.position = 0
        self._reader = StepReader(self.timeline)
        self._hook_spans: dict[Breakpoint, Ints | None] = {}

    def __len__(self) -> int:
        return len(self.timeline)

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self._reader.step(number) for number in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"step {index}: the fit has {len(self)} steps")
        return self._reader.step(number)

    def __iter__(self) -> Iterator[Step]:
        return map(self._reader.step, range(len(self)))

    @property
    def current(self) -> Step:
        """The step at the position."""
        return self[self.position]

    def forward(self) -> Step | None:
        """Move to the next step, also into a call."""
        return self._move(self.position + 1 if self.position + 1 < len(self) else None)

    def back(self) -> Step | None:
        """Move to the previous step, also into a call."""
        return self._move(self.position - 1 if self.position else None)

    def over(self) -> Step | None:
        """Move to the next step that is no deeper in calls."""
        return self._move(self.timeline.after(self.position, self._depth(self.position)))

    def over_back(self) -> Step | None:
        """Move to the previous step that is no deeper in calls."""
        return self._move(self.timeline.before(self.position, self._depth(self.position)))

    def out(self) -> Step | None:
        """Move out of the current call, to the first step after it."""
        return self._move(self.timeline.after(self.position, self._depth(self.position) - 1))

    def out_back(self) -> Step | None:
        """Move out of the current call, to the step that made it."""
        return self._move(self.timeline.before(self.position, self._depth(self.position) - 1))

    def goto(self, epoch: int, batch: int | None = None, stage: str | None = None) -> Step:
        """Move to the first step of an epoch, or of a batch in it.

        `stage` is the batch's stage. The default is that of the fit itself, not of its validation.

        Raises `NoStep` if the fit has no such epoch or batch.
        """
        wanted = f"fit = {self.recording.fit} AND epoch = {int(epoch)}"
        if batch is not None:
            which = "stage IN ('train', 'test', 'predict')" if stage is None else f"stage = {literal(stage)}"
            order = "ORDER BY stage = 'test', span LIMIT 1"
            found = self.recording.rows("batches", "span", f"{wanted} AND batch = {int(batch)} AND {which} {order}")
        else:
            found = self.recording.rows("spans", "span", f"{wanted} AND phase = 'epoch' ORDER BY span LIMIT 1")
        index = self.timeline.first_step_in(int(found["span"][0].as_py())) if found.num_rows else None
        if index is None:
            what = f"epoch {epoch}" + ("" if batch is None else f", batch {batch}")
            raise NoStep(f"{self.recording.trace.path}: fit {self.recording.fit} has no {what}")
        self.position = index
        return self.current

    def find(self, where: Breakpoint, backwards: bool = False) -> Step | None:
        """Move to the nearest step after the position, or before it, at which `where` stops."""
        if where not in self._hook_spans:
            self._hook_spans[where] = hook_spans(self.recording, where)
        return self._move(find_step(self._reader, self.position, where, backwards, self._hook_spans[where]))

    def stack(self) -> list[Step]:
        """The call stack at the position, outermost first: the step in each frame that made the next call."""
        indices = [self.position]
        while (caller := self.timeline.before(indices[-1], self._depth(indices[-1]) - 1)) is not None:
            indices.append(caller)
        return [self[index] for index in reversed(indices)]

    def source_of(self, step: Step) -> Sequence[str]:
        """The lines of the file that a step is in, as it was when the fit ran; empty if that is not known."""
        return self.recording.sources.get(step.file or "", [])

    def function_lines(self, step: Step) -> tuple[int, int] | None:
        """The first and the last line of the function that a step is in; None if that is not known."""
        for graph in self.recording.program.graphs:
            if graph.name == step.function and graph.file == step.file:
                return graph.line, max([graph.line, *(node.end_line for node in graph.nodes)])
        return None

    def _move(self, index: int | None) -> Step | None:
        if index is None:
            return None
        self.position = index
        return self.current

    def _depth(self, index: int) -> int:
        return self.timeline.visit(index).depth
