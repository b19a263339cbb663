"""One run of a page: its facts, its fits, its findings and notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...analysis.units import amount
from ...tables import TraceTables
from ...views.fit_sentences import short_caller
from ...views.run_ending import ending
from ...views.summary_figures import Figures, gather
from .fact_lists import Facts, run_facts
from .findings import Findings, PageFinding, findings_of
from .fit import Fit, fit_of
from .redacted_texts import without_paths


@dataclass(frozen=True)
class Run:
    """One run. `PageRun` in `page/document.d.ts` says what each field is."""

    name: str
    facts: Facts
    ending: str
    ok: bool | None
    fits: list[Fit]
    all_fits: list[dict[str, Any]]
    findings: list[PageFinding]
    unchecked: str | None
    notes: list[dict[str, Any]]
    limits: list[str]


def run_of(trace: TraceTables, redacted: bool, progress: Callable[[int, int], None]) -> Run:
    """The run, or the runs, of `trace`. See `document` for the parameters."""
    figures = gather(trace)
    findings = findings_of(trace, [summary.facts for summary in figures.fits], redacted)
    notes = figures.notes
    if redacted:
        notes = [{**note, "message": without_paths(note["message"])} for note in notes]
    return Run(
        name=trace.path.resolve().name,
        facts=run_facts(trace, redacted),
        ending=ending_of(figures),
        ok=_is_ok(figures),
        fits=[
            fit_of(trace, summary, redacted, _batches_of(findings, number))
            for number, summary in enumerate(figures.fits)
        ],
        all_fits=[_kind_of_fits(row, redacted) for row in figures.all_fits],
        findings=findings.found,
        unchecked=findings.limit,
        notes=notes,
        limits=_limits(figures),
    )


def _kind_of_fits(row: dict[str, Any], redacted: bool) -> dict[str, Any]:
    """A row of `Figures.all_fits`, with the caller in short."""
    kind = {name: value for name, value in row.items() if not name.startswith("caller_")}
    return {**kind, "called_from": "" if redacted else short_caller(row)}


def _batches_of(findings: Findings, fit: int) -> list[int]:
    """The batches of a fit that findings are about."""
    return [finding.ordinal for finding in findings.found if finding.fit == fit and finding.ordinal is not None]


def ending_of(figures: Figures) -> str:
    """How the run ended; of a folder, how many runs there are and how many failed."""
    runs = figures.trace.runs
    if not figures.trace.is_folder:
        return ending(runs[0], figures.endings)
    failed = sum(ending(run) not in ("ok", "still running") for run in runs)
    return amount(len(runs), "run", "runs") + (f", {failed:,} failed" if failed else "")


def _is_ok(figures: Figures) -> bool | None:
    """Whether all runs and the fits that are shown ended as they should; None while a run goes on."""
    runs = figures.trace.runs
    if any(run.running for run in runs):
        return None
    endings = figures.endings if len(runs) == 1 else []
    is_failed_fit = any(summary.facts["status"] != "ok" for summary in figures.fits)
    return all(ending(run, endings) == "ok" for run in runs) and not is_failed_fit


def _limits(figures: Figures) -> list[str]:
    """What the page shows in summary only."""
    if not figures.all_fits:
        return []
    count = sum(row["count"] for row in figures.all_fits)
    return [f"The {len(figures.fits)} longest of {count:,} fits are shown in full; the others are summed up."]
