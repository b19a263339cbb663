"""Findings of a page: the batch, the line and the fit that each is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from reading.stores import START, columns, small_tables, write_run

from fittrace.analysis.rules import Finding, Rule, rule
from fittrace.report.model import findings
from fittrace.report.model.findings import PageFinding, findings_of
from fittrace.tables import TraceTables
from fittrace.tables.database import row_dicts

ENGINE_FILE = "/home/me/env/lib/python3.11/site-packages/keras/src/trainer.py"


@pytest.fixture
def trace(tmp_path: Path) -> TraceTables:
    """A fit of two epochs with a validation between them. The batches in order: two, one of `test`, one."""
    same = {"fit": 0, "size": 32, "duration_ns": 10, "status": "ok"} | {f"{phase}_ns": 0 for phase in PHASES}
    numbers = [("train", 0, 0), ("train", 0, 4), ("test", 0, 0), ("train", 1, 0)]
    batches = [
        same | {"stage": stage, "epoch": epoch, "batch": batch, "last_batch": batch + 3, "span": 20 + i}
        | {"start_ns": START + 100 * i}
        for i, (stage, epoch, batch) in enumerate(numbers)
    ]  # fmt: skip
    site = {"site": 8, "file": ENGINE_FILE, "line": 31, "function": "Trainer.fit"}
    site |= {"engine": "keras-3", "kind": "open", "opens": ["function"], "depth": 0, "fence": False}
    tables = small_tables() | {"batches": columns(batches), "sites": columns([site])}
    return TraceTables.open(write_run(tmp_path, tables=tables))


PHASES = ("slice", "to_dense", "function", "logs", "hooks")


def always(*found: Finding) -> Rule:
    """A rule that finds the same in each fit."""
    return rule("always", effect="it is late", remedy="be quick", threads=["https://github.com/a/b/issues/1"])(
        lambda fit: found
    )


def shown(trace: TraceTables, monkeypatch: pytest.MonkeyPatch, *found: Finding, **more: Any) -> list[PageFinding]:
    monkeypatch.setattr(findings, "RULES", (always(*found),))
    return findings_of(trace, _fits(trace), **{"redacted": False, **more}).found


def _fits(trace: TraceTables) -> list[dict[str, Any]]:
    return row_dicts(trace.relation("SELECT * FROM fits"))


@pytest.mark.parametrize(
    ("finding", "ordinal"),
    [
        (Finding("", 0, 0), 0),
        (Finding("", 0, 6), 1),  # inside a step of several batches
        (Finding("", 1, None), 3),  # the first batch of an epoch
        (Finding("", None, None), None),
        (Finding("", 7, 0), None),
    ],
)
def test_the_ordinal_counts_the_batches_of_all_stages(
    trace: Any, monkeypatch: pytest.MonkeyPatch, finding: Any, ordinal: Any
) -> None:
    assert [found.ordinal for found in shown(trace, monkeypatch, finding)] == [ordinal]


def test_a_findings_words_and_place(trace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = shown(trace, monkeypatch, Finding("slow", 0, 0, "A", "on_epoch_end", span=8))
    assert (found.rule, found.message, found.effect, found.remedy) == ("always", "slow", "it is late", "be quick")
    assert found.threads == ("https://github.com/a/b/issues/1",)
    assert (found.fit, found.callback, found.hook) == (0, "A", "on_epoch_end")
    assert found.place is not None
    assert (found.place.file, found.place.line, found.place.function) == (ENGINE_FILE, 31, "Trainer.fit")
    assert found.place.text == "keras/src/trainer.py:31 in Trainer.fit"


def test_redacted_findings_have_no_paths(trace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = shown(trace, monkeypatch, Finding("saves /home/me/x.h5", span=8), redacted=True)
    assert found.message == "saves <path>"
    assert found.place is not None and found.place.file == "keras/src/trainer.py"


def test_a_finding_of_a_fit_that_is_not_shown(trace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "RULES", (always(Finding("slow", 0, 0)),))
    (found,) = findings_of(trace, [], redacted=False).found
    assert (found.fit, found.ordinal) == (None, None)


def broken(fit: pd.Series) -> Iterator[Finding]:
    raise ZeroDivisionError("division by zero")


def test_limits_are_told(trace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MOST_FINDINGS", 2)
    monkeypatch.setattr(findings, "RULES", (always(*[Finding("slow")] * 3), rule("broken", "", "")(broken)))
    outcome = findings_of(trace, _fits(trace), redacted=False)
    assert len(outcome.found) == 2
    assert outcome.limit == (
        "The rule broken failed: ZeroDivisionError: division by zero. The first 2 of 3 findings are shown."
    )
    monkeypatch.setattr(findings, "MOST_SPANS", 5)
    outcome = findings_of(trace, _fits(trace), redacted=False)
    assert not outcome.found and outcome.limit is not None
    assert outcome.limit.startswith("The trace has 12 spans, and the page checks at most 5")
