"""Steps are found by arithmetic where a walk over all visits would find them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import fittrace
from fittrace.replay.timeline import Timeline
from fittrace.replay.walk import Visit

REFERENCE = Path(__file__).parent.parent.parent / "traces" / "reference-keras-3"


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return fittrace.open(REFERENCE).replay().timeline


@pytest.fixture(scope="module")
def visits(timeline: Timeline) -> list[Visit]:
    return [timeline.visit(index) for index in range(len(timeline))]


def some_indices(count: int) -> list[int]:
    return [0, 1, count - 2, count - 1, *random.Random(0).sample(range(count), 300)]


def test_a_step_is_located_where_its_index_says(timeline: Timeline) -> None:
    for index in some_indices(len(timeline)):
        run, turn, offset, visit = timeline.locate(index)
        assert timeline.index_of(run, turn, offset) == index
        assert timeline.runs.kind_of(run).visits[offset] is visit


def test_the_nearest_step_that_is_no_deeper(timeline: Timeline, visits: list[Visit]) -> None:
    for index in some_indices(len(visits)):
        for depth in range(-1, 3):
            later = range(index + 1, len(visits))
            earlier = range(index - 1, -1, -1)
            assert timeline.after(index, depth) == next((i for i in later if visits[i].depth <= depth), None)
            assert timeline.before(index, depth) == next((i for i in earlier if visits[i].depth <= depth), None)


def test_the_nearest_step_with_a_chosen_visit(timeline: Timeline, visits: list[Visit]) -> None:
    lines = sorted({visit[:2] for visit in visits if visit.node is not None})
    for statement in random.Random(0).sample(lines, 30):
        expected = [index for index, visit in enumerate(visits) if visit[:2] == statement]

        def is_chosen(visit: Visit, index: int, statement: object = statement) -> bool:
            return visit[:2] == statement

        search = timeline.search(timeline.matching(is_chosen))
        for index in some_indices(len(visits))[:60]:
            assert search(index, False) == next((i for i in expected if i > index), None)
            assert search(index, True) == next((i for i in reversed(expected) if i < index), None)


def test_the_first_step_in_a_span(timeline: Timeline, visits: list[Visit]) -> None:
    first: dict[int, int] = {}
    for index in range(len(visits)):
        span = timeline.span_of(timeline.locate(index))
        if span is not None:
            first.setdefault(span, index)
    for span in random.Random(0).sample(sorted(first), 300):
        found = timeline.first_step_in(span)
        # A span may have its first step in a span within it.
        assert found is not None and found <= first[span]
        innermost = timeline.span_of(timeline.locate(found))
        assert innermost is not None and innermost >= span
