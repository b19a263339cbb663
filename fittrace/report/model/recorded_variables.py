"""The variables that were recorded at the steps of a fit: the arguments of its calls, and what statements assigned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...replay.step_values import StepValues
from ...replay.timeline import Timeline, VisitOffsets

MOST_VALUES = 6_000
"""Values from each end of the fit, some 100 kB in the page. `--values all` records a hundred in each batch."""

MOST_STEPS = 50_000
"""Steps that are read from each end of the fit, which takes some seconds."""

Values = list[tuple[str, Any]]
"""Names, and what was recorded of each: a number, or a text."""


@dataclass
class RecordedVariables:
    """The variables of some steps."""

    steps: dict[int, Values] = field(default_factory=dict)
    "The variables, by index of the step."
    complete: list[tuple[int, int]] = field(default_factory=list)
    "The stretches of steps whose variables are all here: the first and the last step of each."


def recorded_variables(timeline: Timeline, redacted: bool) -> RecordedVariables:
    """The variables of the first and the last steps of a fit, as many as fit into a page.

    `redacted`: leave them all out.
    """
    if redacted or not len(timeline):
        return RecordedVariables()
    values = StepValues(timeline)
    offsets = _offsets(timeline, values)
    last = len(timeline) - 1
    if not any(offsets.values()):
        return RecordedVariables({}, [(0, last)])
    found, reached = _read(timeline, values, offsets, backwards=False)
    if reached == last:
        return RecordedVariables(found, [(0, last)])
    others, reached_back = _read(timeline, values, offsets, backwards=True)
    if reached_back <= reached + 1:
        return RecordedVariables(found | others, [(0, last)])
    return RecordedVariables(found | others, [(0, reached), (reached_back, last)])


def _offsets(timeline: Timeline, values: StepValues) -> VisitOffsets:
    """The visits that may have variables, by their kind of turns."""
    found = {}
    for number, kind in enumerate(timeline.runs.kinds):
        offsets = []
        for offset, visit in enumerate(kind.visits):
            # Only the turn before tells whether the first visit of a turn begins a call.
            may_begin_call = offset == 0 or kind.visits[offset - 1].depth < visit.depth
            if values.may_assign(visit) or (may_begin_call and values.may_have_arguments(visit)):
                offsets.append(offset)
        found[number] = offsets
    return found


def _read(
    timeline: Timeline, values: StepValues, offsets: VisitOffsets, backwards: bool
) -> tuple[dict[int, Values], int]:
    """The variables of steps from one end of the fit on, and the step up to which all are there."""
    found: dict[int, Values] = {}
    count = 0
    end = 0 if backwards else len(timeline) - 1
    for read, index in enumerate(_candidates(timeline, offsets, backwards)):
        if count >= MOST_VALUES or read >= MOST_STEPS:
            return found, index + 1 if backwards else index - 1
        location = timeline.locate(index)
        begins_call = index == 0 or timeline.visit(index - 1).depth < location.visit.depth
        variables = values.variables(location, begins_call)
        if variables:
            found[index] = list(variables.items())
            count += len(variables)
    return found, end


def _candidates(timeline: Timeline, offsets: VisitOffsets, backwards: bool) -> Iterator[int]:
    """The steps at the visits of `offsets`, from one end of the fit on."""
    search = timeline.search(offsets)
    index: int | None = len(timeline) - 1 if backwards else 0
    run, _, offset, _ = timeline.locate(index or 0)
    if offset not in offsets[int(timeline.runs.kind[run])]:
        index = search(index or 0, backwards)
    while index is not None:
        yield index
        index = search(index, backwards)
