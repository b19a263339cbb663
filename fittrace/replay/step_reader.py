"""Reads a step by its index, with its source, times and values."""

from __future__ import annotations

from .step import Step
from .step_times import StepTimes
from .step_values import StepValues
from .timeline import Timeline


class StepReader:
    """Reads the steps of a timeline.

    - `timeline`: where the steps are.
    - `values`: their recorded values.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.values = StepValues(timeline)
        self._times = StepTimes(timeline)

    def step(self, index: int) -> Step:
        """The step of that index."""
        location = self.timeline.locate(index)
        visit = location.visit
        span = self.timeline.span_of(location)
        facts = self.timeline.spans.facts(span) if span is not None else {}
        begins_call = index == 0 or self.timeline.visit(index - 1).depth < visit.depth
        recording = self.timeline.recording
        function = file = line = end_line = None
        source = ""
        if visit.function is not None and visit.node is not None:
            graph = recording.program.graphs[visit.function]
            node = graph.nodes[visit.node]
            function, file, line, end_line = graph.name, graph.file, node.line, node.end_line
            source = "\n".join(recording.sources.get(file, ())[line - 1 : end_line])
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
            start_ns=self._times.start(location),
            duration_ns=self._times.elapsed(index).duration_ns,
            values=self.values.of(location, begins_call),
        )
