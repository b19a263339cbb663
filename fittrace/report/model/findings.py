"""The findings of `fittrace check`, each with the place that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...analysis.rules import RULES, Found, apply
from ...schema.tables import OWN_STAGE
from ...tables import TraceTables
from ...tables.database import row_dicts
from ...tables.sql_literals import literal
from ...views.replay_steps import short_path
from .redacted_texts import without_paths

MOST_SPANS = 3_000_000
"""A trace with more spans is not checked: rules read whole tables into memory, some 200 bytes a span."""
MOST_FINDINGS = 100
"""Findings that the page has. More are one fault many times: the first ones show it."""


@dataclass(frozen=True)
class EnginePlace:
    """A line of the engine.

    - `file`, `line`, `function`: where it is. A redacted page has a short path.
    - `text`: the same in words, with a short path.
    """

    file: str
    line: int
    function: str
    text: str


@dataclass(frozen=True)
class PageFinding:
    """A finding. See `PageFinding` in `page/document.d.ts`."""

    rule: str
    message: str
    effect: str
    remedy: str
    threads: tuple[str, ...]
    fit: int | None
    ordinal: int | None
    epoch: int | None
    batch: int | None
    callback: str | None
    hook: str | None
    defined: str | None
    place: EnginePlace | None


@dataclass(frozen=True)
class Findings:
    """The findings of a trace.

    - `found`: the findings, fit by fit.
    - `limit`: what was not looked for or is not shown, in a sentence; None if nothing.
    """

    found: list[PageFinding]
    limit: str | None


def findings_of(trace: TraceTables, fits: Sequence[dict[str, Any]], redacted: bool) -> Findings:
    """What the rules find in `trace`.

    - `fits`: the rows of `fits` that the page shows.
    - `redacted`: leave out paths.
    """
    spans = row_dicts(trace.relation("SELECT count(*) AS spans FROM spans"))[0]["spans"]
    if spans > MOST_SPANS:
        limit = (
            f"The trace has {spans:,} spans, and the page checks at most {MOST_SPANS:,}; fittrace check has no limit."
        )
        return Findings([], limit)
    outcome = apply(trace, RULES)
    found = [_page_finding(trace, result, fits, redacted) for result in outcome.found[:MOST_FINDINGS]]
    limits = [f"The rule {rule.name} failed: {error}." for rule, error in outcome.failed]
    if len(outcome.found) > MOST_FINDINGS:
        limits.append(f"The first {MOST_FINDINGS} of {len(outcome.found):,} findings are shown.")
    return Findings(found, " ".join(limits) or None)


def _page_finding(trace: TraceTables, result: Found, fits: Sequence[dict[str, Any]], redacted: bool) -> PageFinding:
    finding, rule = result.finding, result.rule
    owner = {"run": result.run, "process": result.process, "fit": result.fit}
    shown = [index for index, fit in enumerate(fits) if all(fit.get(key) == value for key, value in owner.items())]
    page_finding = PageFinding(
        rule=rule.name,
        message=finding.message,
        effect=rule.effect,
        remedy=result.remedy,
        threads=rule.threads,
        fit=shown[0] if shown else None,
        ordinal=_ordinal(trace, result, fits[shown[0]]) if shown else None,
        epoch=finding.epoch,
        batch=finding.batch,
        callback=finding.callback,
        hook=finding.hook,
        defined=result.defined.short if result.defined and not redacted else None,
        place=_engine_place(result.source, redacted),
    )
    return replace(page_finding, message=without_paths(finding.message)) if redacted else page_finding


def _ordinal(trace: TraceTables, result: Found, fit: dict[str, Any]) -> int | None:
    """The ordinal of the finding's batch, or of the first batch of its epoch."""
    finding = result.finding
    if finding.epoch is None and finding.batch is None:
        return None
    chosen = " AND ".join(f"{key} = {literal(fit[key])}" for key in ("run", "process", "fit") if key in fit)
    wanted = ["true" if finding.epoch is None else f"epoch = {literal(finding.epoch)}"]
    if finding.batch is not None:
        wanted.append(f"{literal(finding.batch)} BETWEEN batch AND last_batch")
    stage_of_span = f"(SELECT min(stage) FROM spans WHERE {chosen} AND span = {literal(finding.span)})"
    stage = f"coalesce({stage_of_span}, {literal(OWN_STAGE.get(fit['method']))})"
    rows = row_dicts(
        trace.relation(
            f"""
            SELECT min(ordinal) AS ordinal
            FROM (SELECT *, row_number() OVER (ORDER BY start_ns, span) - 1 AS ordinal FROM batches WHERE {chosen})
            WHERE {" AND ".join(wanted)} AND stage = {stage}
            """
        )
    )
    return rows[0]["ordinal"]  # type: ignore[no-any-return]


def _engine_place(source: str | None, redacted: bool) -> EnginePlace | None:
    """The place that `source` names: `file:line in function`."""
    if source is None:
        return None
    where, _, function = source.rpartition(" in ")
    file, _, line = where.rpartition(":")
    short = short_path(file)
    return EnginePlace(short if redacted else file, int(line), function, f"{short}:{line} in {function}")
