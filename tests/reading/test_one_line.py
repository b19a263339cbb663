"""No command shows a traceback for what a user typed or a folder holds: one line says what is wrong, and what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

import fittrace
from fittrace.cli import COMMANDS, main, sql
from fittrace.tables import QueryError, TraceTables
from reading.died import write_died
from reading.stores import write_run

ROOT = Path(__file__).parent.parent.parent
NO_UTF_8 = os.fsdecode(b"caf\xe9")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a command which fails says."""
    try:
        code = main(words)
    except SystemExit as error:  # the parser's, which shows the usage first
        assert error.code == 2
        return capsys.readouterr().err.splitlines()[-1]
    err = capsys.readouterr().err
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("fittrace: ") and "a fault of fittrace" not in err
    return err


@pytest.mark.parametrize(
    "trace",
    ["", "nowhere", "x" * 5000, NO_UTF_8, "a\x1b[31m", "-", "*", "traces/a1/run.json", "traces/a1/spans", "/dev/null"],
)
def test_what_is_no_trace(run: Path, trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS.keys() - {"run", "ls", "sql", "diff", "export", "watch", "where"}:
        line = told([command, *["--plain"] * (command == "replay"), "--", trace], capsys)
        assert "not a fittrace run" in line or "empty path" in line or "too long" in line
    told(["sql", trace, "SELECT 1"], capsys)
    told(["diff", str(run), trace], capsys)
    told(["export", "--format", "chrome", "-o", "out", "--", trace], capsys)
    for command in ("ls", "watch", "where"):  # they take a folder of runs, too
        line = told([command, "--", trace], capsys)
        assert any(words in line for words in ("no runs there", "not a fittrace run", "empty path", "too long"))
    assert not Path("out").exists()


@pytest.mark.parametrize("output", ["", ".", "/", "traces", "nowhere/out", "x" * 300, "traces/a1/run.json/out"])
def test_what_is_no_file_to_write(run: Path, output: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (run / "run.json").read_bytes()
    for form in sql.FORMATS:
        told(["sql", str(run), "SELECT 1", "--format", form, "-o", output], capsys)
    for form in ("perfetto", "chrome", "otlp"):
        told(["export", str(run), "--format", form, "-o", output], capsys)
    told(["testgen", str(run), "-o", output], capsys)
    assert (run / "run.json").read_bytes() == before and sorted(os.listdir()) == ["traces"]


def test_a_file_where_a_folder_is_to_be_written(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("csv", "parquet"):
        assert "exists" in told(["export", str(run), "--format", form, "-o", str(run / "run.json")], capsys)


def test_a_pipe_is_written_and_stays(run: Path) -> None:
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)
    assert main(["sql", str(run), "SELECT 1 AS x", "--format", "csv", "-o", "pipe"]) == 0
    assert reader.communicate()[0] == b"x\n1\n" and Path("pipe").is_fifo()


def test_a_link_is_written_through_and_stays(run: Path) -> None:
    Path("latest.csv").symlink_to("real.csv")
    assert main(["sql", str(run), "SELECT 1 AS x", "--format", "csv", "-o", "latest.csv"]) == 0
    assert Path("latest.csv").is_symlink() and Path("real.csv").read_text() == "x\n1\n"


# What pandas, Python or Parquet have no place for, and what is shown of it where something has.
RESULTS = {
    "union_value(a := 1)": "1",
    "MAP {[1]: 2}": "[[[1], 2]]",
    "MAP {MAP {1: 2}: 3}": "[[[[1, 2]], 3]]",
    "INTERVAL 1 MONTH": "<DateOffset: days=0, months=1, nanoseconds=0>",
    "'b'::ENUM('a', 'b')": "b",
    "18446744073709551615::UBIGINT": "18446744073709551615",
    "{'a': MAP {[1]: INTERVAL 1 DAY}}": None,
    "[union_value(a := 1)]": "[1]",
    "DATE 'infinity'": QueryError,
    "TIMESTAMP '-infinity'": QueryError,
    "TIMESTAMPTZ 'infinity'": QueryError,
    "[DATE 'infinity']": QueryError,
    "MAP {DATE 'infinity': 1}": QueryError,
    "DATE '290000-01-01'": QueryError,
}


@pytest.mark.parametrize("value", RESULTS)
def test_results_that_something_cannot_hold(run: Path, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    query = f"SELECT * FROM (SELECT {value} AS x UNION ALL SELECT NULL) ORDER BY x NULLS LAST"
    shown = RESULTS[value]
    for form in sql.FORMATS:
        if form != "parquet" and shown is QueryError:
            line = told(["sql", str(run), query, "--format", form, "-o", "out"], capsys)
            assert "the column x has values that Python cannot hold" in line and "CAST(... AS VARCHAR)" in line
        elif main(["sql", str(run), query, "--format", form, "-o", "out"]):
            err = capsys.readouterr().err
            assert form == "parquet" and "Parquet cannot hold a column" in err and err.count("\n") == 1
            assert not Path("out").exists()
        else:
            # pandas 2 shows one part more of an offset, which is zero.
            text_shown = Path("out").read_text().replace("microseconds=0, ", "") if form == "table" else ""
            assert form != "table" or shown is None or text_shown.splitlines()[1].strip() == shown
            Path("out").unlink()
    text = TraceTables.open(run).sql(f"SELECT CAST({value} AS VARCHAR) AS x")
    assert text["x"].tolist() == [duckdb.execute(f"SELECT CAST({value} AS VARCHAR)").fetchall()[0][0]]


def test_a_query_that_is_no_text(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not UTF-8 text" in told(["sql", str(run), "SELECT '\udcff'"], capsys)
    nested = "SELECT * FROM (" * 500 + "SELECT 1" + ")" * 500
    assert "nested too deeply" in told(["sql", str(run), nested], capsys)


def test_a_path_that_is_not_utf_8_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / NO_UTF_8
    write_run(folder)
    write_died(folder)
    with fittrace.trace(out=folder, name="made"):
        pass
    assert main(["ls", str(folder)]) == main(["show", str(folder)]) == main(["show", str(folder / "a1")]) == 0
    assert "died" in capsys.readouterr().out
    for form in sql.FORMATS:
        assert main(["sql", str(folder), "SELECT count(*) AS n FROM fits", "--format", form, "-o", f"{folder}/x"]) == 0
    assert pq.read_table((folder / "x").open("rb")).to_pydict() == {"n": [1]}
    assert main(["convert", str(folder)]) == 0
    assert not (folder / "died" / "journal").exists() and not (folder / "made" / "journal").exists()


def _process_of_another_script(run: Path) -> None:
    shutil.copytree(run / "spans" / "process=0", run / "spans" / "process=٣")


def _process_too_large(run: Path) -> None:
    shutil.copytree(run / "spans" / "process=0", run / "spans" / "process=99999999999")


def _part_too_large(run: Path) -> None:
    (run / "spans" / "process=0" / f"part-{'9' * 200}-00000000.parquet").touch()


def _name_that_is_not_utf_8(run: Path) -> None:
    (run / "spans" / "process=0" / NO_UTF_8).touch()
    (run / f"process={NO_UTF_8}").mkdir()


def _start_that_is_a_text(run: Path) -> None:
    (run / "run.json").write_text(json.dumps(json.loads((run / "run.json").read_text()) | {"start_ns": "soon"}))


def _end_that_is_no_number(run: Path) -> None:
    (run / "run.json").write_text((run / "run.json").read_text().replace('"end_ns": ', '"end_ns": NaN, "x": '))


def _facts_that_are_a_folder(run: Path) -> None:
    (run / "run.json").unlink()
    (run / "run.json").mkdir()


def _table_that_is_a_file(run: Path) -> None:
    shutil.rmtree(run / "spans")
    (run / "spans").touch()


@pytest.mark.parametrize(
    ("harm", "opens"),
    [
        (_process_of_another_script, True),
        (_process_too_large, True),
        (_part_too_large, True),
        (_name_that_is_not_utf_8, True),
        (_start_that_is_a_text, False),
        (_end_that_is_no_number, False),
        (_facts_that_are_a_folder, False),
        (_table_that_is_a_file, False),
    ],
)
def test_odd_things_in_a_run(
    run: Path, harm: Callable[[Path], None], opens: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(run.parent, "good")
    harm(run)
    assert main(["ls", str(run.parent)]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["a1", "good"] and "int()" not in out
    if opens:
        assert main(["show", str(run)]) == 0
    else:
        told(["show", str(run)], capsys)


def shell(line: str, **variables: str) -> tuple[int, str]:
    """The exit code and standard error of a shell's command line, in which `fittrace` is ours."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = line.replace("fittrace", f"{sys.executable} -m fittrace", 1)
    done = subprocess.run(
        ["sh", "-c", command], check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fittrace show traces/a1 >&-", "fittrace: standard output: closed; leave it open, or redirect it"),
        ("fittrace sql traces/a1 'FROM fits' --format parquet >&-", "fittrace: standard output: closed"),
        ("fittrace show traces/a1 > /dev/full", "fittrace: output: No space left on device"),
        ("fittrace sql traces/a1 'FROM fits' --format csv -o /dev/full", "fittrace: output: No space left on device"),
    ],
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_takes_nothing(run: Path, line: str, message: str) -> None:
    code, err = shell(line)
    assert (code, err.count("\n")) == (2, 1) and err.startswith(message)
    assert not os.path.isfile("/dev/full")


def test_closed_streams_that_are_not_needed(run: Path) -> None:
    assert shell("fittrace sql traces/a1 'SELECT 1 AS x' --format csv -o out >&- <&- 2>&-")[0] == 0
    assert Path("out").read_text() == "x\n1\n"
    assert shell("fittrace show nowhere 2>&-") == (2, "")
    Path("train.py").write_text("import sys\nif sys.stdin is not None or sys.stdout is not None: raise SystemExit(3)\n")
    assert shell("fittrace run --quiet train.py >&- <&-") == (0, "")


def test_a_fault_of_fittrace_itself_is_one_line_too(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a\nb" * 500)

    monkeypatch.setattr("fittrace.tables.TraceTables.open", broken)
    assert main(["show", str(run)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("fittrace: show: a fault of fittrace (KeyError: ") and "FITTRACE_DEBUG=1" in err
    assert err.count("\n") == 1 and len(err) < 500
    monkeypatch.setenv("FITTRACE_DEBUG", "1")
    with pytest.raises(KeyError):
        main(["show", str(run)])
