"""One fit of a page: its figures, and the data of each section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...tables import TraceTables
from ...views.end_position import run_of, stood
from ...views.summary_figures import FitSummary


@dataclass(frozen=True)
class Fit:
    """See `PageFit` in `page/document.d.ts`."""

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
    verdict: str
    phases: list[dict[str, Any]]
    timeline: Any = None
    details: Any = None
    callbacks: Any = None
    source: Any = None
    replay: Any = None
    ops: Any = None


def fit_of(trace: TraceTables, summary: FitSummary, redacted: bool) -> Fit:
    """The fit that `summary` sums up."""
    facts = summary.facts
    return Fit(
        name=f"{facts['method']} {facts['fit']}",
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
        stood=stood(facts, run_of(trace, facts)),
        stopped=None,
        verdict="",
        phases=summary.phases,
    )
