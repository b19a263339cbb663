"""One fit of a page: its figures, and the data of each section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...analysis.verdict import verdict
from ...replay import NoFlow, Replay, recording
from ...tables import TraceTables
from ...views import fit_sentences
from ...views.end_position import run_of, stood
from ...views.shown_fits import selecting
from ...views.summary_figures import FitSummary
from .batch_details import BatchDetails
from .callback_hooks import CallbackHooks, callback_hooks
from .fact_lists import Facts, arguments
from .recorded_steps import RecordedSteps, recorded_steps
from .redacted_texts import exception_type
from .sampled_ops import SampledOps, sampled_ops
from .source import EngineSource, engine_source
from .time_parts import Part, time_parts
from .timeline import Timeline, batch_sections


@dataclass(frozen=True)
class Fit:
    """One fit. `PageFit` in `page/document.d.ts` says what each field is."""

    name: str
    method: str
    engine: str
    engine_version: str
    fit: int
    process: int
    epochs: int
    batches: int
    start_ms: float
    duration_ns: int
    status: str
    error: str | None
    stood: str | None
    stopped: str | None
    called: str | None
    verdict: str
    next_step: str | None
    parts: list[Part]
    remarks: list[str]
    arguments: Facts
    phases: list[dict[str, Any]]
    timeline: Timeline
    details: BatchDetails
    callbacks: CallbackHooks
    ops: SampledOps | None
    source: EngineSource | None
    replay: RecordedSteps | None


def fit_of(trace: TraceTables, summary: FitSummary, redacted: bool, wanted: Sequence[int]) -> Fit:
    """The fit that `summary` sums up.

    - `redacted`: leave out arguments and messages of exceptions.
    - `wanted`: batches that findings are about, which a long fit shows one by one.
    """
    if redacted:
        summary = _redacted(summary)
    facts = summary.facts
    chosen = selecting(facts)
    position = stood(facts, run_of(trace, facts))
    timeline, details = batch_sections(trace, summary, position, wanted)
    source, steps = _source_and_steps(trace, facts, redacted)
    return Fit(
        name=fit_sentences.fit_name(facts),
        method=facts["method"],
        engine=facts["engine"],
        engine_version=facts["engine_version"],
        fit=facts["fit"],
        process=facts["process"],
        epochs=facts["epochs"],
        batches=facts["batches"],
        start_ms=facts["start_ns"] / 1e6,
        duration_ns=facts["duration_ns"],
        status=facts["status"],
        error=facts["error"],
        stood=position,
        stopped=fit_sentences.stop(summary.stop) if summary.stop else None,
        called=fit_sentences.caller(facts),
        verdict=summary.verdict.sentence,
        next_step=summary.verdict.next_step,
        parts=time_parts(summary.phases, summary.figures),
        remarks=_remarks(summary),
        arguments=[] if redacted else arguments(trace, chosen),
        phases=summary.phases,
        timeline=timeline,
        details=details,
        callbacks=callback_hooks(trace, chosen),
        ops=sampled_ops(trace, summary),
        source=source,
        replay=steps,
    )


def _redacted(summary: FitSummary) -> FitSummary:
    """The fit without the message of its exception and the files of the program, for all parts of the page."""
    figures = replace(summary.figures, hooks=[replace(hook, line=None) for hook in summary.figures.hooks])
    error = summary.facts["error"]
    hidden = {"error": exception_type(error) if error else error, "caller_file": None}
    return replace(summary, facts={**summary.facts, **hidden}, figures=figures, verdict=verdict(figures))


def _source_and_steps(
    trace: TraceTables, facts: dict[str, Any], redacted: bool
) -> tuple[EngineSource | None, RecordedSteps | None]:
    """The engine's source and the steps of a fit; None for both if its control flow was not recorded."""
    try:
        replay = Replay(recording(trace, facts["fit"], facts["process"], facts.get("run")))
    except NoFlow:
        return None, None
    source, functions = engine_source(replay, redacted)
    return source, recorded_steps(replay, functions, facts["start_ns"], redacted)


def _remarks(summary: FitSummary) -> list[str]:
    """What else is worth saying about the fit, in sentences."""
    remarks = [fit_sentences.inner_fits(row, summary.facts) for row in summary.inner]
    if summary.first_batch:
        remarks.append(fit_sentences.first_batch(summary.first_batch))
    if summary.retraced:
        remarks.append(fit_sentences.retraced(summary.retraced))
    if summary.memory:
        remarks.append(fit_sentences.memory(summary.memory))
    return remarks
