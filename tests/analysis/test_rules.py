"""Rules applied: to whole traces, those of one's own, and those that fail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from reading.stores import columns, small_tables, write_run

from fittrace.analysis.rows_by_fit import RowsByFit
from fittrace.analysis.rules import RULES, Finding, apply, rule
from fittrace.analysis.rules.rule import is_whole
from fittrace.analysis.rules.user_rules import load
from fittrace.cli import main
from fittrace.schema.errors import FittraceError
from fittrace.tables import TraceTables

RULES_OF_ONES_OWN = """
from fittrace.analysis.rules import Finding, rule

@rule("two-batches", effect="it is short", remedy="train more")
def two_batches(fit, batches):
    if len(batches) == 2:
        yield Finding("two \\x1b[31m batches", epoch=0, span=2)

@rule("raises", effect="", remedy="")
def raises(hooks):
    raise KeyError("no such column")
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    from reading.stores import write_run

    return write_run(tmp_path / "traces")


def test_rules_of_ones_own(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    file.write_text(RULES_OF_ONES_OWN)
    assert main(["check", str(run), "--rules", str(file)]) == 2
    out = capsys.readouterr().out
    assert "two-batches: fit 0, epoch 0: two \\x1b[31m batches\n" in out
    assert "    remedy: train more\n" in out
    assert out.endswith("rule raises failed: KeyError: 'no such column'\n")


def test_a_run_without_a_fit_has_no_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reading.stores import write_run

    assert main(["check", str(write_run(tmp_path, "empty", {}))]) == 0
    assert capsys.readouterr().out == "no findings\n"


def test_bad_rules(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    for text, message in (("1 / 0", "ZeroDivisionError"), ("x = 1", "no rule in it"), ("def", "SyntaxError")):
        file.write_text(text)
        with pytest.raises(FittraceError, match=message):
            load(file)
    with pytest.raises(FittraceError, match="cannot be read"):
        load(tmp_path / "nowhere.py")
    with pytest.raises(FittraceError, match="no table 'batch'; a rule may take fit, process, inner, batches"):
        rule("mine", effect="", remedy="")(lambda batch: [])


def test_the_source_of_a_finding_in_a_folder_of_runs(run: Path, tmp_path: Path) -> None:
    @rule("all", effect="", remedy="")
    def everything(fit: pd.Series) -> Iterable[Finding]:
        yield Finding("is a fit", span=int(fit["span"]))

    outcome = apply(TraceTables.open(run.parent), [everything])
    assert [(found.run, found.fit, found.source) for found in outcome.found] == [("a1", 0, None)]


def run_of_fits(folder: Path, count: int) -> TraceTables:
    """A run with the small fit so many times."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for table, of in small_tables().items():
        rows = [dict(zip(of, row, strict=True)) for row in zip(*of.values(), strict=True)]
        if table in ("processes", "notes"):
            tables[table] = rows
            continue
        tables[table] = [
            row
            | {"fit": number}
            | {name: row[name] + 100 * number for name in ("span", "parent") if row.get(name) is not None}
            | ({"start_ns": row["start_ns"] + 10_000 * number} if "start_ns" in row else {})
            for number in range(count)
            for row in rows
        ]
    return TraceTables.open(write_run(folder, f"of-{count}", {name: columns(rows) for name, rows in tables.items()}))


def test_each_fit_has_its_own_rows(tmp_path: Path) -> None:
    seen = []

    @rule("all", effect="", remedy="")
    def everything(
        fit: pd.Series, batches: pd.DataFrame, hooks: pd.DataFrame, first_batches: pd.DataFrame
    ) -> Iterable[Finding]:
        assert set(batches["fit"]) == set(hooks["fit"]) == {fit["fit"]}
        seen.append((int(fit["fit"]), len(batches), len(hooks), list(first_batches.columns) != []))
        yield Finding("is a fit", fit=1)

    outcome = apply(run_of_fits(tmp_path, 3), [everything])
    assert not outcome.failed
    assert seen == [(0, 2, 4, True), (1, 2, 4, False), (2, 2, 4, False)]
    assert {found.fit for found in outcome.found} == {1}


@pytest.mark.parametrize("lost", ["processes", "spans", "sites"])
def test_rows_that_a_damaged_trace_has_lost_make_no_rule_fail(tmp_path: Path, lost: str) -> None:
    tables = small_tables()
    tables.pop(lost, None)

    @rule("any", effect="", remedy="")
    def found_at_a_span(process: pd.Series) -> Iterable[Finding]:
        yield Finding(f"whole: {is_whole(process)}", span=3)

    outcome = apply(TraceTables.open(write_run(tmp_path, tables=tables)), [*RULES, found_at_a_span])
    assert outcome.failed == ()
    (located,) = (found for found in outcome.found if found.rule.name == "any")
    assert located.source is None
    assert located.finding.message == f"whole: {lost != 'processes' and 'processes' in tables}"


def test_fits_that_a_damaged_trace_has_twice_make_no_rule_fail(tmp_path: Path) -> None:
    tables = small_tables()
    row = {name: values[0] for name, values in tables["fits"].items()} | {"caller_file": "a.py", "caller_line": 3}
    tables["fits"] = columns([row] * 30)
    assert apply(TraceTables.open(write_run(tmp_path, tables=tables)), RULES).failed == ()


def test_what_rules_look_at_grows_with_the_fits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with their square, as it would if each fit were looked for in all rows."""
    looked_at: list[int] = []
    original = RowsByFit.of

    def counted(self: RowsByFit, owner: pd.Series) -> pd.DataFrame:
        rows = original(self, owner)
        looked_at.append(len(rows))
        return rows

    monkeypatch.setattr(RowsByFit, "of", counted)
    totals = []
    for count in (5, 20):
        looked_at.clear()
        assert not apply(run_of_fits(tmp_path, count), RULES).failed
        totals.append(sum(looked_at))
    assert totals[0] * 3 < totals[1] <= totals[0] * 4
