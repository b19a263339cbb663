"""The findings of `check` as CI systems read them, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fittrace.cli import main
from reading.stores import columns, small_tables, write_run

RULE = """
from fittrace.analysis.rules import Finding, rule

@rule("mine", effect="it waits", remedy="run", threads=["https://example.org/1"])
def mine(fit):
    yield Finding("is 50 % too slow", epoch=0, callback="A", hook="on_epoch_end", span=5)

@rule("broken", effect="", remedy="")
def broken(fit):
    {raises}
    return ()
"""


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `check` with its arguments on a fit that line 12 of `file` called. Gives the exit code and the output."""
    monkeypatch.chdir(tmp_path)

    def check(
        *words: str, file: str = str(tmp_path / "src" / "train it.py"), raises: str = "", defined: bool = False
    ) -> tuple[int, str]:
        tables = small_tables()
        if defined:
            setting: dict[str, Any] = {"fit": 0, "span": 4, "site": 0}
            file_of_hook = {"key": "callbacks[0].on_epoch_end.file", "text": str(tmp_path / "src" / "mine.py")}
            line_of_hook = {"key": "callbacks[0].on_epoch_end.line", "value": 7.0}
            tables["values"] = columns([setting | file_of_hook, setting | line_of_hook])
        row = {name: values[0] for name, values in tables["fits"].items()}
        tables["fits"] = columns([row | {"caller_file": file, "caller_line": 12}])
        run = write_run(tmp_path / str(len(list(tmp_path.iterdir()))), tables=tables)
        (tmp_path / "rules.py").write_text(RULE.format(raises=raises))
        code = main(["check", str(run), "--rules", "rules.py", *words])
        return code, capsys.readouterr().out

    return check


def test_json_has_all_of_a_finding(checked: Any, tmp_path: Path) -> None:
    code, out = checked("--format", "json")
    (found,) = (finding for finding in json.loads(out)["findings"] if finding["rule"] == "mine")
    assert code == 1
    assert found == {
        "rule": "mine", "run": None, "process": 0, "fit": 0, "epoch": 0, "batch": None, "callback": "A",
        "hook": "on_epoch_end", "message": "is 50 % too slow", "effect": "it waits", "remedy": "run",
        "threads": ["https://example.org/1"], "source": None, "caller_file": str(tmp_path / "src" / "train it.py"),
        "caller_line": 12, "defined_file": None, "defined_line": None,
    }  # fmt: skip


def test_github_gets_a_warning_at_the_line_of_the_program(checked: Any) -> None:
    _, out = checked("--format", "github")
    assert (
        "::warning title=fittrace mine,file=src/train it.py,line=12::mine: fit 0, epoch 0: A.on_epoch_end "
        "is 50 %25 too slow; run\n"
    ) in out
    _, out = checked("--format", "github", file="a,b:c%\n::error ::x.py")
    # A line break would end the command, and begin one of the trace's.
    assert "file=a%2Cb%3Ac%25\\n%3A%3Aerror %3A%3Ax.py,line=12::" in out
    assert [line for line in out.splitlines() if line.startswith("::error")] == []


def test_sarif_has_the_rule_and_the_place(checked: Any) -> None:
    _, out = checked("--format", "sarif")
    (run,) = json.loads(out)["runs"]
    (result,) = (result for result in run["results"] if result["ruleId"] == "mine")
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], rule["help"]["text"], rule["helpUri"]) == ("mine", "run", "https://example.org/1")
    (location,) = result["locations"]
    place = location["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "src/train%20it.py"}, "region": {"startLine": 12}}
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
    _, out = checked("--format", "sarif", file="/elsewhere/train.py")
    assert '"uri": "file:///elsewhere/train.py"' in out


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_rule_that_fails_is_said_in_every_format(checked: Any, form: str) -> None:
    code, out = checked("--format", form, raises="1 / 0")
    assert code == 2
    assert "broken" in out and "ZeroDivisionError: division by zero" in out


def test_the_exit_code_is_that_of_the_rules_that_are_named(checked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for words, expected in (
        ([], 1),
        (["--fail-on", "any"], 1),
        (["--fail-on", "mine"], 1),
        (["--fail-on", "data-wait"], 0),
        (["--fail-on", "data-wait", "--fail-on", "mine"], 1),
        (["--fail-on", "minee"], 2),
    ):
        assert checked(*words)[0] == expected, words


def test_a_rule_that_there_is_not_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(tmp_path)
    assert main(["check", str(run), "--fail-on", "data-wai"]) == 2
    assert "--fail-on data-wai: no such rule; did you mean data-wait?" in capsys.readouterr().err


def test_the_line_where_the_hook_is_defined_goes_first(checked: Any, tmp_path: Path) -> None:
    _, out = checked("--format", "json", defined=True)
    found = next(finding for finding in json.loads(out)["findings"] if finding["rule"] == "mine")
    assert (found["defined_file"], found["defined_line"]) == (str(tmp_path / "src" / "mine.py"), 7)
    _, out = checked("--format", "github", defined=True)
    assert "::warning title=fittrace mine,file=src/mine.py,line=7::" in out
    _, out = checked("--format", "sarif", defined=True)
    assert '"uri": "src/mine.py"' in out
    _, out = checked(defined=True)
    assert f"    defined at: {tmp_path / 'src' / 'mine.py'}:7\n    called from: " in out
