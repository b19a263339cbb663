"""Finds the step at which a breakpoint stops, without reading all steps between.

Candidates come from the cheapest source that can tell: for hooks and logs the tables (`hook_search`), for a place in
the source the kinds of turns, and for conditions `turn_conditions`. Each candidate is then read and checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from .boundaries import enters_function, opens_phase
from .breakpoints import Breakpoint
from .recorded_flow import Ints
from .step_reader import StepReader
from .timeline import Timeline
from .turn_conditions import ConditionSearch
from .walk import Visit


def find_step(
    reader: StepReader, position: int, where: Breakpoint, backwards: bool, hook_spans: Ints | None
) -> int | None:
    """The index of the nearest step after `position`, or before it, at which `where` stops; None if there is none.

    `hook_spans` is what `hook_search.hook_spans` gives for `where`.
    """
    timeline = reader.timeline
    if hook_spans is None:
        candidates = _steps_in_source(reader, position, where, backwards)
    else:
        candidates = _steps_of_spans(timeline, position, hook_spans, backwards)
    for index in candidates:
        if where.matches(reader.step(index), enters_function(timeline, index), opens_phase(timeline, index)):
            return index
    return None


def _steps_in_source(reader: StepReader, position: int, where: Breakpoint, backwards: bool) -> Iterator[int]:
    """The steps at the breakpoint's place in the source, the nearest first."""
    timeline = reader.timeline
    graphs = timeline.recording.program.graphs

    def matches(visit: Visit, index: int) -> bool:
        if where.phase is not None and visit.phase != where.phase:
            return False
        if visit.function is None or visit.node is None:
            return where.line is None and where.function is None
        graph = graphs[visit.function]
        node = graph.nodes[visit.node]
        is_there = where.is_in(graph.name) and where.is_on(graph.file, node.line, node.end_line)
        return is_there and (where.function is None or enters_function(timeline, index))

    offsets = timeline.matching(matches)
    if where.test is not None:
        yield from ConditionSearch(reader, where.test, offsets).candidates(position, backwards)
        return
    search = timeline.search(offsets)
    index = search(position, backwards)
    while index is not None:
        yield index
        index = search(index, backwards)


def _steps_of_spans(timeline: Timeline, position: int, spans: Ints, backwards: bool) -> Iterator[int]:
    """The first step of each of these spans, the nearest first."""
    # Spans are numbered in the order in which steps open them. So a binary search finds the first one to look at.
    low, high = 0, len(spans)
    while low < high:
        middle = (low + high) // 2
        index = timeline.first_step_in(int(spans[middle]))
        is_before = index is not None and (index < position if backwards else index <= position)
        low, high = (middle + 1, high) if is_before else (low, middle)
    for span in spans[:low][::-1] if backwards else spans[low:]:
        index = timeline.first_step_in(int(span))
        if index is not None:
            yield index
