"""The steps of a fit: its kinds of turns, and the runs of turns of one kind (`fittrace/replay/turn_runs.py`).

From these the page makes every step that `trace.replay()` gives, however long the fit was. `page/steps.js` reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ...replay import Replay
from ...replay.turn_runs import TurnKind, TurnRuns
from ...replay.walk import Moment
from .recorded_variables import Values, recorded_variables
from .turn_facts import STAGES, Patterns, TurnFacts, turn_facts

MOST_CLOCKS = 50_000
"""Clocks of lines in a page, some 200 kB. The engines read some ten to fifty in an epoch, outside of its batches."""

NO_SPAN = -(1 << 31)
"""Stands for the span of a visit that is in none."""

_MOMENTS = {"before": 1, "start": 2, "end": 3, "line": 4}
"""The numbers of the kinds of moments. 0 stands for no moment."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Kinds:
    """The kinds of turns. The arrays from `function` to `clock_of` have an item for each visit, kind after kind."""

    first: Array
    "The first visit of each kind; one more at the end."
    function: Array
    "An index of the functions in `EngineSource`; -1 if it is not known what ran."
    line: Array
    end_line: Array
    depth: Array
    phase: Array
    "An index of `RecordedSteps.phases`; -1 for none."
    arm: Array
    "0: into the body, 1: past it, -1: no branch, or not recorded."
    span: Array
    "The innermost span: one that the turn opens, from 0, or one that was open before, from -1, the innermost."
    clock: Array
    "The kind of moment at which the visit began, a number of `_MOMENTS`; 0 if no clock was read."
    clock_of: Array
    "The span or the line that the moment is of."
    spans: Array
    "By kind: how many spans the turn opens."
    kept: Array
    "By kind: how many of the spans that were open before the turn are still open after it."
    last: Array
    "By kind: the kind of moment at which the statement after the turn begins; 0 if no clock was read."
    last_of: Array
    opened_first: Array
    "The first item in `opened` of each kind; one more at the end."
    opened: Array
    "The spans that are still open after the turn, of those that it opens."


@dataclass(frozen=True)
class Runs:
    """The runs of turns of one kind, in order. Numbers that hardly differ from what the run before tells are kept as
    that difference, so that the page is small."""

    kind: Array
    turns: Array
    skipped: Array
    "How many span numbers are between the last span of the run before and the first of this one."
    pattern: Array
    epoch: Array
    "The epoch of the first turn, less that of the run before."
    epoch_step: Array
    "By how much the epoch grows from turn to turn."
    batch: Array
    batch_step: Array
    ordinal: Array
    "How many batches begin between the last turn of the run before and this run."
    clocks: Array
    "How many clocks of lines the run has."


@dataclass(frozen=True)
class RecordedSteps:
    """All steps of a fit."""

    steps: int
    phases: list[str]
    stages: tuple[str, ...]
    hooks: list[tuple[str, int, str]]
    "Callback, position and hook."
    kinds: Kinds
    patterns: Patterns
    "The facts of the spans that turns open: see `turn_facts`."
    runs: Runs
    clocks: Array
    "The times at which lines began that read a clock of their own, in order, each less the one before."
    variables: dict[int, Values]
    "The variables that were recorded, by index of the step."
    complete: list[tuple[int, int]]
    "The stretches of steps whose variables are all in the page."


def recorded_steps(replay: Replay, functions: dict[int, int], start_ns: int, redacted: bool) -> RecordedSteps:
    """The steps of a fit.

    - `functions`: the index in `EngineSource` of each function that ran, by its number in the recording.
    - `start_ns`: the start of the fit, from which times are counted.
    - `redacted`: leave out the variables.
    """
    timeline = replay.timeline
    facts = turn_facts(replay.recording, timeline.runs)
    phases = sorted({visit.phase for kind in timeline.runs.kinds for visit in kind.visits if visit.phase})
    clocks, clock_counts = _clocks(replay, facts, start_ns)
    variables = recorded_variables(timeline, redacted)
    return RecordedSteps(
        steps=len(timeline),
        phases=phases,
        stages=STAGES,
        hooks=facts.hooks,
        kinds=_kinds(replay, functions, phases),
        patterns=_small(facts.patterns),
        runs=_runs(timeline.runs, facts, clock_counts),
        clocks=clocks,
        variables=variables.steps,
        complete=variables.complete,
    )


def _kinds(replay: Replay, functions: dict[int, int], phases: Sequence[str]) -> Kinds:
    kinds = replay.timeline.runs.kinds
    graphs = replay.recording.program.graphs
    phase_numbers = {phase: number for number, phase in enumerate(phases)}
    visits = []
    for visit in (visit for kind in kinds for visit in kind.visits):
        node = None
        if visit.function is not None and visit.node is not None:
            node = graphs[visit.function].nodes[visit.node]
        visits.append(
            (
                -1 if node is None or visit.function is None else functions[visit.function],
                0 if node is None else node.line,
                0 if node is None else node.end_line,
                visit.depth,
                -1 if visit.phase is None else phase_numbers[visit.phase],
                -1 if visit.arm is None else int(visit.arm > 0),
                NO_SPAN if visit.span is None else visit.span,
                *_moment(visit.clock),
            )
        )
    function, line, end_line, depth, phase, arm, span, clock, clock_of = _columns(visits, 9)
    last, last_of = _columns([_moment(kind.last) for kind in kinds], 2)
    return Kinds(
        first=_firsts([len(kind.visits) for kind in kinds]),
        function=function.astype(np.int16),
        line=line,
        end_line=end_line,
        depth=depth.astype(np.uint16),
        phase=phase.astype(np.int8),
        arm=arm.astype(np.int8),
        span=span,
        clock=clock.astype(np.uint8),
        clock_of=clock_of,
        spans=_of_kinds(kinds, "span_count"),
        kept=_of_kinds(kinds, "kept"),
        last=last.astype(np.uint8),
        last_of=last_of,
        opened_first=_firsts([len(kind.opened) for kind in kinds]),
        opened=np.array([span for kind in kinds for span in kind.opened], np.int32),
    )


def _moment(moment: Moment | None) -> tuple[int, int]:
    return (0, 0) if moment is None else (_MOMENTS[moment.what], moment.of)


def _columns(rows: Sequence[Sequence[int]], count: int) -> Array:
    columns: Array = np.array(rows, np.int32).reshape(-1, count).T
    return columns


def _of_kinds(kinds: Sequence[TurnKind], name: str) -> Array:
    return np.array([getattr(kind, name) for kind in kinds], np.int32)


def _firsts(lengths: Iterable[int]) -> Array:
    """Where each of some parts begins, which have these lengths and follow one another; and where the last ends."""
    ends: Array = np.cumsum(list(lengths), dtype=np.int64)
    return np.append(0, ends).astype(np.uint32)


def _runs(runs: TurnRuns, facts: TurnFacts, clocks: Array) -> Runs:
    kind = runs.kind[facts.run]
    spans = np.array([kind.span_count for kind in runs.kinds], np.int64)[kind]
    first_span = runs.first_span[facts.run] + facts.first_turn * spans
    batches = np.add.reduceat(np.append(facts.patterns.begins_batch, 0), facts.patterns.first[:-1])
    batches[np.diff(facts.patterns.first) == 0] = 0
    return Runs(
        kind=kind.astype(np.int32),
        turns=facts.turns.astype(np.uint32),
        skipped=_since(first_span, facts.turns * spans).astype(np.float64),
        pattern=facts.pattern.astype(np.int32),
        epoch=np.diff(facts.epoch, prepend=0).astype(np.int32),
        epoch_step=facts.epoch_step.astype(np.int32),
        batch=facts.batch.astype(np.int32),
        batch_step=facts.batch_step.astype(np.int32),
        ordinal=_since(facts.ordinal, facts.turns * batches[facts.pattern]).astype(np.int32),
        clocks=clocks,
    )


def _since(numbers: Array, lengths: Array) -> Array:
    """How far each of some numbers is from the end of the one before, which is its number and its length."""
    ends = numbers + lengths
    since: Array = numbers - np.append(0, ends[:-1])[: len(numbers)]
    return since


def _clocks(replay: Replay, facts: TurnFacts, start_ns: int) -> tuple[Array, Array]:
    """The clocks of lines, each less the one before; and how many each run has, whether they are in the page or not."""
    times: list[int] = []
    rows = replay.timeline.runs.row[facts.run].tolist()
    by_row = replay.recording.turns.clocks
    for row in rows:
        if len(times) < MOST_CLOCKS:
            times += by_row[row]
    counts = np.array([len(by_row[row]) for row in rows], np.int32)
    return np.diff(np.array(times, np.int64) - start_ns, prepend=0).astype(np.float64), counts


def _small(patterns: Patterns) -> Patterns:
    """The patterns with types that a page can hold."""
    types = {"first": np.uint32, "stage": np.int8, "hook": np.int16, "begins_batch": np.uint8, "shift": np.uint8}
    return Patterns(*(getattr(patterns, part.name).astype(types.get(part.name, np.int32)) for part in fields(patterns)))
