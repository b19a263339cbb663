"""Rules applied: to whole traces, those of one's own, and those that fail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from fittrace.analysis.rules import Finding, apply, rule
from fittrace.analysis.rules.loading import load
from fittrace.cli import main
from fittrace.schema.errors import FittraceError
from fittrace.tables import Trace

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

    outcome = apply(Trace.open(run.parent), [everything])
    assert [(found.run, found.fit, found.source) for found in outcome.found] == [("a1", 0, None)]
