"""The commands that read: what they print and the exit code they end with."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from fittrace.cli import main, progress, sql
from fittrace.cli.which_trace import newest
from reading.stores import START, write_run

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fittrace(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fittrace", *words]
    return subprocess.run(command, check=True, env=environment, capture_output=True, encoding="utf-8", cwd=cwd)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show"], "traces: no runs there; record one with `fittrace run script.py`, or give its path"),
        (["show", "nowhere"], "nowhere: not a fittrace run (no run.json in it); `fittrace ls` lists runs"),
        (["ls"], "traces: no runs there; record one with `fittrace run script.py`"),
        (["ls", "a\x1bb"], r"a\x1bb: no runs there"),
        (["sql", "a", "b", "c"], "sql: 3 arguments given; quote the query"),
        (["sql", "nowhere", "SELECT 1"], "nowhere: not a fittrace run"),
        (["export", "nowhere", "--format", "run-metadata", "-o", "out"], "nowhere: not a fittrace run"),
        (["run", "--run-metadata", "first", "script.py"], "--run-metadata first: 'first' says nothing; use off"),
    ],
)
def test_bad_input_is_one_line_and_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"fittrace: {message}") and err.count("\n") == 1 and out == ""


def test_a_trace_without_samples_exports_nothing(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), "--format", "run-metadata", "-o", "out"]) == 2
    assert "no batch was sampled" in capsys.readouterr().err and not Path("out").exists()


def test_wrong_sql_is_one_line_and_2(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for query in ("SELEC 1", "SELECT x FROM fits", "SELECT CAST(phase AS INT) FROM spans", "DROP VIEW fits"):
        for form in sql.FORMATS:
            assert main(["sql", str(run), query, "--format", form, "-o", "out"]) == 2
            assert capsys.readouterr().err.count("\n") == 1
            assert list(Path().glob("*out*")) == [] and list(Path().glob(".*")) == []


@pytest.mark.parametrize("words", [[], ["unknown"], ["sql"], ["sql", "SELECT 1", "--format", "xml"]])
def test_bad_arguments_are_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2 and "usage: fittrace" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "ls", "show", "sql"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0 and f"example:\n  fittrace {command}" in capsys.readouterr().out


def test_help_imports_nothing_large() -> None:
    code = "import sys, fittrace.cli; print([m for m in ('pandas', 'duckdb', 'numpy', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "[]\n"


def test_ls_has_a_line_for_each_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path / "traces", "a1")
    write_run(tmp_path / "traces", "a2", exit_code=None, signal=9)
    write_run(tmp_path / "traces", "a3")
    (tmp_path / "traces" / "a3" / "run.json").write_text("{")
    (tmp_path / "traces" / "not-a-run").mkdir()
    assert main(["ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "run",
        "start",
        "duration",
        "fits",
        "epochs",
        "batches",
        "engine",
        "called",
        "from",
        "ended",
    ]
    assert [line.split()[0] for line in lines[1:]] == ["a1", "a2", "a3"]
    assert lines[1].split()[3:] == ["5", "s", "1", "1", "2", "keras-3", "3.15.1", "–", "ok"]
    assert "killed by SIGKILL" in lines[2] and "damaged" in lines[3]


def test_show_takes_the_newest_a_name_or_a_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = write_run(tmp_path / "traces", "a1", start_ns=START + 1)
    write_run(tmp_path / "traces", "a2")
    write_run(tmp_path / "traces", "a3", start_ns="when")
    assert newest().name == "a1"
    for words, shown in (([], "traces/a1"), (["a2"], "traces/a2"), ([str(newer)], str(newer))):
        assert main(["show", *words]) == 0
        assert f"{shown}: ok\n" in capsys.readouterr().out


def test_sql_on_the_newest_in_each_format(run: Path, tmp_path: Path) -> None:
    query = "SELECT callback, logs_after['lr'] AS lr FROM hooks ORDER BY seq LIMIT 2"
    assert fittrace("sql", query, cwd=tmp_path).stdout == "callback   lr\nA         0.1\nB         0.1\n"
    assert fittrace("sql", query, "--format", "csv", cwd=tmp_path).stdout == "callback,lr\nA,0.1\nB,0.1\n"
    rows = json.loads(fittrace("sql", str(run), query, "--format", "json", cwd=tmp_path).stdout)
    assert rows == [{"callback": "A", "lr": 0.1}, {"callback": "B", "lr": 0.1}]
    assert fittrace("sql", query, "--format", "parquet", "-o", "x.parquet", cwd=tmp_path).stdout == ""
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == rows
    with open(tmp_path / "y.parquet", "wb") as file:
        command = [sys.executable, "-m", "fittrace", "sql", query, "--format", "parquet"]
        subprocess.run(command, stdout=file, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert duckdb.execute(f"SELECT * FROM '{tmp_path}/y.parquet'").fetchall() == [("A", 0.1), ("B", 0.1)]


def test_output_is_replaced_whole(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.csv").write_text("old")
    assert main(["sql", str(run), "SELECT error('late') FROM spans", "--format", "csv", "-o", "out.csv"]) == 2
    assert Path("out.csv").read_text() == "old"
    assert main(["sql", str(run), "SELECT 1 AS x", "--format", "csv", "-o", "out.csv"]) == 0
    assert Path("out.csv").read_text() == "x\n1\n"
    assert main(["sql", str(run), "SELECT 1 AS x", "-o", "no/such/folder"]) == 2
    assert "no/such" in capsys.readouterr().err


def test_a_damaged_file_is_one_line_and_2(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next(run.glob("fits/*/*.parquet")).write_bytes(b"")
    assert main(["show", str(run)]) == 2
    assert "damaged" in (err := capsys.readouterr().err) and err.count("\n") == 1


def test_a_closed_pipe_is_no_traceback(made_up: Path) -> None:
    query = "SELECT a.* FROM spans a, range(200)"
    command = [sys.executable, "-m", "fittrace", "sql", str(made_up), query, "--format", "csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith(b"run,process,fit")
    process.stdout.close()
    assert process.wait(60) == 141 and process.stderr.read() == b""


def test_an_interrupt_is_130(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fittrace.tables.TraceTables.open", interrupted)
    assert main(["show", str(run)]) == 130


def test_output_that_cannot_be_encoded_is_escaped(run: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "fittrace", "show", str(run)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert rb"1 \xb5s" in done.stdout


def on_terminal(*words: str) -> str:
    """What a terminal of 80 columns is sent."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "fittrace", *words], stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    sent = b""
    while True:
        try:
            block = os.read(controller, 65536)
        except OSError:
            break
        if not block:
            break
        sent += block
    os.close(controller)
    process.wait(60)
    return sent.decode()


def test_a_terminal_gets_no_parquet_and_not_all_rows(made_up: Path) -> None:
    assert "a terminal cannot show Parquet" in on_terminal("sql", str(made_up), "FROM fits", "--format", "parquet")
    text = on_terminal("sql", str(made_up), "SELECT span FROM spans")
    assert "only 100 rows are shown" in text and text.count("\n") == 102
    assert "row 0\r\n" in on_terminal("sql", str(made_up), "FROM fits")


def test_csv_on_a_terminal_is_made_safe(run: Path) -> None:
    text = on_terminal("sql", str(run), "SELECT 'a\x1b[2Jb' AS x", "--format", "csv")
    assert "\x1b[2J" not in text and r"a\x1b[2Jb" in text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_only_on_terminals_and_only_when_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(file: io.StringIO, delay: float) -> str:
        monkeypatch.setattr(sys, "stderr", file)
        monkeypatch.setattr(progress, "DELAY", delay)
        with progress.progress("reading a1") as report:
            report(1, 4)
            if delay == 0:
                while isinstance(file, _Terminal) and "25 %" not in file.getvalue():
                    pass
        return file.getvalue()

    assert shown(io.StringIO(), 0) == ""
    assert shown(_Terminal(), 60) == ""
    text = shown(_Terminal(), 0)
    assert "reading a1 … 25 %" in text and text.endswith("\r\x1b[K")


def test_progress_waits_for_the_first_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file := _Terminal())
    monkeypatch.setattr(progress, "DELAY", 0)
    with progress.progress("writing"):
        assert not any(thread.name == "fittrace-progress" for thread in threading.enumerate())
    assert file.getvalue() == ""
