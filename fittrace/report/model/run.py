"""One run of a page: its facts, its fits, its findings and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...tables import TraceTables
from ...views.run_ending import ending
from ...views.summary import MOST_FITS
from ...views.summary_figures import Figures, gather
from .fit import Fit, fit_of


@dataclass(frozen=True)
class Run:
    """See `PageRun` in `page/document.d.ts`."""

    name: str
    facts: list[tuple[str, str]]
    ending: str
    ok: bool
    fits: list[Fit]
    all_fits: list[dict[str, Any]]
    findings: list[Any] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)


def run_of(trace: TraceTables, redacted: bool, progress: Callable[[int, int], None]) -> Run:
    """The run, or the runs, of `trace`."""
    figures = gather(trace, MOST_FITS)
    return Run(
        name=trace.path.resolve().name,
        facts=[],
        ending=_ending(figures),
        ok=_ending(figures) == "ok",
        fits=[fit_of(trace, summary, redacted) for summary in figures.fits],
        all_fits=figures.all_fits,
        notes=figures.notes,
    )


def _ending(figures: Figures) -> str:
    runs = figures.trace.runs
    return f"{len(runs)} runs" if figures.trace.is_folder else ending(runs[0], figures.endings)
