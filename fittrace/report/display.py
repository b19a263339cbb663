"""What a notebook shows of a trace: a few lines of static HTML, without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ..analysis.units import amount, count, duration, share
from ..schema.safe_text import printable
from ..tables import TraceTables
from ..tables.computed_tables import VIEWS
from ..views import fit_sentences
from ..views.shown_fits import Row
from ..views.summary_figures import FitSummary, gather
from .batch_chart import BatchChart, batch_chart
from .model.findings import findings_of
from .model.run import ending_of

MOST_PHASES = 8
"""Rows of the table of phases. The others take little time, and the page has them."""


@dataclass(frozen=True)
class Column:
    """A column of the table of phases.

    - `name`: its heading.
    - `title`: what it is, which shows on hover.
    - `align`: the side that its texts are aligned to.
    """

    name: str
    title: str
    align: str = "right"


_COLUMNS = (
    Column("phase", "the part of the call, as in the table of phases in docs/schema.md", "left"),
    Column("stage", "train, test or predict: what the batches of the phase are for", "left"),
    Column("share", "self as a share of the whole call"),
    Column("self", "the time in the phase without the phases inside it"),
    Column("total", "the time in the phase with the phases inside it"),
    Column("count", "how often the phase was entered"),
    Column("mean", "total divided by count"),
    Column("p99", "99 of 100 took at most this time"),
)


@dataclass(frozen=True)
class FitDisplay:
    """What is shown of one fit.

    - `name`: its name.
    - `facts`: its engine, epochs, batches, duration and end.
    - `verdict`: where its time went, in a sentence.
    - `chart`: the time of its batches; None if it has none.
    - `rows`: its phases, a text for each of `_COLUMNS`.
    """

    name: str
    facts: str
    verdict: str
    chart: BatchChart | None
    rows: list[list[str]]


def display(trace: TraceTables) -> str:
    """`trace` summed up as HTML: the verdict, a timeline and the phases of each fit, and the count of findings.

    The colours suit a light and a dark notebook, whose theme no style can ask for.
    """
    figures = gather(trace)
    findings = findings_of(trace, [summary.facts for summary in figures.fits], redacted=False)
    return _template().render(
        path=trace.path,
        ending=ending_of(figures),
        findings=amount(len(findings.found), "finding", "findings") if findings.found else "",
        fits=[_fit_display(trace, summary) for summary in figures.fits],
        more=_more(figures.all_fits, len(figures.fits)),
        columns=_COLUMNS,
        tables=list(VIEWS),
    )


def _more(all_fits: list[Row], shown: int) -> str:
    """What is said of the fits that are not shown."""
    if not shown:
        return "There are no fits."
    whole = sum(row["count"] for row in all_fits)
    return f"The {shown} longest of {count(whole)} fits are shown." if whole else ""


def _fit_display(trace: TraceTables, summary: FitSummary) -> FitDisplay:
    facts = summary.facts
    ended = [] if facts["status"] == "ok" else [f"{facts['status']}: {facts['error']}"]
    return FitDisplay(
        name=fit_sentences.fit_name(facts),
        facts=", ".join(
            [
                f"{facts['engine']} {facts['engine_version']}",
                *([amount(facts["epochs"], "epoch", "epochs")] if facts["epochs"] else []),
                amount(facts["batches"], "batch", "batches"),
                duration(facts["duration_ns"]),
                *ended,
            ]
        ),
        verdict=summary.verdict.sentence,
        chart=batch_chart(trace, facts),
        rows=[_phase_row(row, facts["duration_ns"]) for row in summary.phases[:MOST_PHASES]],
    )


def _phase_row(row: Row, whole: int) -> list[str]:
    """The texts of a row of `FitSummary.phases`."""
    return [
        row["phase"],
        row["stage"] or "",
        share(row["self"] or 0, whole),
        _time(row["self"]),
        _time(row["total"]),
        count(row["count"]),
        _time(row["mean"]),
        _time(row["p99"]),
    ]


def _time(ns: float | None) -> str:
    return "–" if ns is None else duration(ns)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("fittrace.report", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Names from a trace may have characters that rearrange or hide text, which escaping leaves as they are.
        finalize=printable,
    )
    return environment.get_template("display.html.jinja")
