"""Settings: what the launcher is told comes to capture, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

import fittrace
from fittrace.cli import main
from fittrace.schema import run_facts as schema_run
from fittrace.schema.capture_settings import DEFAULT, Settings


def test_they_come_back_from_the_facts_of_a_run(tmp_path: Path) -> None:
    wanted = Settings(values="all", lines="callbacks")
    schema_run.new(str(tmp_path), "run", [], "python", "0", wanted)
    assert schema_run.settings(str(tmp_path)) == wanted


@pytest.mark.parametrize("told", [None, 7, [], {}, {"values": "none"}, {"lines": ["callbacks"]}])
def test_what_makes_no_sense_is_the_default(tmp_path: Path, told: object) -> None:
    facts = schema_run.new(str(tmp_path), "run", [], "python", "0", Settings(values="all"))
    schema_run.write(str(tmp_path), {**facts, "settings": told})
    assert schema_run.settings(str(tmp_path)) == DEFAULT


def test_without_facts_they_are_the_default(tmp_path: Path) -> None:
    assert schema_run.settings(str(tmp_path)) == DEFAULT


def test_a_wrong_one_is_refused_before_anything_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(fittrace.FittraceError, match="--values some: no such choice; it may be basic or all"):
        fittrace.trace(out=tmp_path / "traces", values="some").__enter__()
    with pytest.raises(SystemExit):
        main(["run", "--out", str(tmp_path / "traces"), "--lines", "all", "train.py"])
    assert "invalid choice: 'all'" in capsys.readouterr().err
    assert not (tmp_path / "traces").exists()
