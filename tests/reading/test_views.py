"""What is printed: the right figures, plain in a pipe, and never what a trace would like a terminal to do."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fittrace.analysis import units
from fittrace.cli import main
from fittrace.store.run_files import RunFiles
from fittrace.tables import TraceTables
from fittrace.views import row_formats
from fittrace.views.run_ending import ending
from fittrace.views.summary import print_summary
from fittrace.views.terminal_table import table_lines
from reading.stores import columns, small_tables, write_run

HOSTILE = "\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.exe\r\nfake: line"


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def summary(path: Path, file: io.StringIO | None = None) -> str:
    file = file or io.StringIO()
    print_summary(TraceTables.open(path), file)
    return file.getvalue()


def rows_of(text: str, first: str) -> dict[str, list[str]]:
    """The cells of the table whose header begins with `first`, by the first cell of the row."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    body = lines[start + 1 : lines.index("", start) if "" in lines[start:] else None]
    return {cells[0]: cells[1:] for cells in (re.split(r"  +", line.strip()) for line in body)}


def test_summary_has_the_figures_of_the_trace(run: Path) -> None:
    text = summary(run)
    assert "fit 0  keras-3 3.15.1, 1 epoch, 2 batches, 1 µs" in text
    assert "error: ValueError: no" in text
    phases = rows_of(text, "phase")
    assert phases["function"] == ["train", "2", "350 ns", "350 ns", "35.0 %", "175 ns", "150 ns", "200 ns"]
    assert phases["batch"] == ["train", "2", "750 ns", "300 ns", "30.0 %", "375 ns", "350 ns", "400 ns"]
    assert phases["hooks"] == ["train", "2", "600 ns", "100 ns", "10.0 %", "300 ns", "100 ns", "500 ns"]
    assert sum(float(cells[4].removesuffix(" %")) for cells in phases.values() if len(cells) > 4) == 100
    assert re.search(r"on_train_batch_end +A +2 +350 ns +35.0 % +175 ns +300 ns +300 ns", text)
    assert text.index(" A ") < text.index(" B ")
    assert "first batch: 400 ns, the others 350 ns (median): 50 ns above them, 100 ns of it in hooks" in text
    assert "engine: keras 9.0 is newer than all that were checked" in text
    assert f"{run}: ok" in text
    assert f'next: fittrace sql {run} "' in text


@pytest.mark.parametrize(
    ("settings", "trains", "is_told"),
    [
        ({"run_metadata": "off"}, True, True),
        ({"run_metadata": "off"}, False, False),
        ({"run_metadata": "first=3"}, True, False),
        ("damaged", True, False),
    ],
)
def test_summary_says_how_to_sample_where_nobody_asked(
    tmp_path: Path, settings: object, trains: bool, is_told: bool
) -> None:
    run = write_run(tmp_path, tables=small_tables() if trains else {}, settings=settings)
    assert ("--run-metadata first=3" in summary(run)) == is_told


STOPPED = {"fit": 0, "stage": "train", "epoch": 3, "hook": "on_epoch_end", "position": 1, "span": 6, "value": "True"}


@pytest.mark.parametrize(
    ("stops", "said"),
    [
        ([STOPPED | {"callback": "EarlyStopping"}], "stopped by EarlyStopping.on_epoch_end, epoch 3"),
        ([STOPPED | {"callback": "A", "batch": 1}], "stopped by A.on_epoch_end, batch 1 of epoch 3"),
        ([STOPPED | {"callback": None}], "stopped outside of hooks, before on_epoch_end, epoch 3"),
        ([STOPPED | {"callback": HOSTILE}], "title"),
        ([STOPPED | {"callback": "A"}, STOPPED | {"callback": "A", "span": 7, "value": "False"}], None),
        ([], None),
    ],
)
def test_summary_says_who_stopped_a_fit(tmp_path: Path, stops: list[Any], said: str | None) -> None:
    tables = small_tables() | ({"stops": columns(stops)} if stops else {})
    text = summary(write_run(tmp_path, tables=tables))
    assert ("\nstopped" in text) == (said is not None)
    assert said is None or said in text
    assert "\x1b" not in text


def test_first_batch_of_a_made_up_fit(made_up: Path) -> None:
    assert re.search(r"first batch: 1.20 s, .* 1.20 s above them, 1.20 s of it in function", summary(made_up))


def test_summary_without_fits(tmp_path: Path) -> None:
    assert "nothing to show" in summary(write_run(tmp_path, tables={}))


def test_summary_of_many_fits_shows_the_longest(tmp_path: Path) -> None:
    tables = small_tables()
    row = {name: values[0] for name, values in tables["fits"].items()}
    fits = [row | {"fit": n, "duration_ns": 1000 + n, "start_ns": row["start_ns"] + n} for n in range(6)]
    tables["fits"] = columns([*fits, row | {"fit": 6, "parent_fit": 0, "parent_span": 5}])
    text = summary(write_run(tmp_path, tables=tables))
    assert re.findall(r"^fit (\d)  keras", text, re.M) == ["3", "4", "5"]
    assert rows_of(text, "all fits") == {"fit": ["–", "keras-3 3.15.1", "error", "6", "6", "12", "6.01 µs", "1 µs"]}


def test_fits_are_summed_up_by_the_line_that_called_them(tmp_path: Path) -> None:
    tables = small_tables()
    row = {name: values[0] for name, values in tables["fits"].items()}
    rows = [
        row | {"fit": n, "start_ns": row["start_ns"] + n, "caller_file": "/home/me/train.py", "caller_line": line}
        for n, line in enumerate([7, 12, 12, 12])
    ]
    tables["fits"] = columns([rows[0] | {"caller_function": "main\x1b[2J"}, *rows[1:]])
    text = summary(write_run(tmp_path, tables=tables))
    assert "called from /home/me/train.py:7 in main\\x1b[2J\n" in text
    assert "called from /home/me/train.py:12\n" in text
    grouped = re.findall(r"^fit +train.py:(\d+) +keras-3 3.15.1 +error +(\d)", text, re.M)
    assert grouped == [("7", "1"), ("12", "3")]


def test_show_tells_the_findings_last_and_briefly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = small_tables()
    row = {name: values[0] for name, values in tables["fits"].items()} | {"caller_file": "/me/serve.py"}
    row |= {"method": "predict", "caller_line": 12, "duration_ns": 100_000_000, "batches": 1}
    tables["fits"] = columns([row | {"fit": number, "start_ns": row["start_ns"] + number} for number in range(30)])
    run = write_run(tmp_path, tables=tables)
    assert main(["show", str(run)]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = next(number for number, text in enumerate(lines) if text.startswith("calls-in-a-loop: fit 0: 30 calls of "))
    assert "model(x)" in lines[found + 1]
    # After them there are only how the run ended and the hints.
    assert lines[-2].endswith(": ok") or lines[-3].endswith(": ok")
    assert found > max(number for number, text in enumerate(lines) if text.startswith("all fits"))
    assert main(["show", str(run), "--brief"]) == 0
    brief = capsys.readouterr().out
    assert "calls-in-a-loop" in brief and "phase " not in brief and "next: " not in brief


def test_a_phase_inside_the_same_phase_counts_once(tmp_path: Path) -> None:
    tables = small_tables()
    rows = [dict(zip(tables["spans"], row, strict=True)) for row in zip(*tables["spans"].values(), strict=True)]
    function = next(row for row in rows if row["phase"] == "function")
    parent = function | {"children_ns": 150}
    rows[rows.index(function)] = parent
    rows.append(function | {"span": 12, "parent": function["span"], "duration_ns": 150, "nested": True})
    tables["spans"] = columns([row | {"nested": row.get("nested", False)} for row in rows])
    phases = rows_of(summary(write_run(tmp_path, tables=tables)), "phase")
    assert phases["function"] == ["train", "2", "350 ns", "350 ns", "35.0 %", "175 ns", "150 ns", "200 ns"]


def test_summary_of_a_folder_names_its_runs(made_up: Path) -> None:
    text = summary(made_up)
    assert "run-000 fit 0  keras-3" in text and "run-001 fit 0 of process 1  keras-3" in text
    assert ": 2 runs" in text


def test_nothing_but_text_in_a_pipe(run: Path) -> None:
    text = summary(run)
    assert all(line.isprintable() for line in text.splitlines())
    assert not re.search("[\u2500-\u257f]", text)


def test_colours_on_a_terminal_unless_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in summary(run, Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in summary(run, Terminal())


@pytest.mark.parametrize("width", [60, 200])
def test_summary_keeps_to_the_terminal(run: Path, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in summary(run, Terminal()).splitlines()]
    # The terminal itself breaks what may be copied: a command, and the path in it.
    assert all(len(line) <= width or str(run) in line for line in lines)
    assert lines[-1].startswith("next: ") and lines[-1].endswith('LIMIT 10"')


def test_nothing_of_a_hostile_trace_reaches_the_terminal(tmp_path: Path) -> None:
    tables = small_tables()
    tables["spans"]["callback"] = [HOSTILE if name else None for name in tables["spans"]["callback"]]
    tables["fits"] |= {"engine": [HOSTILE], "error": [HOSTILE], "method": ["[red]m[/red]"]}
    tables["notes"]["message"] = [HOSTILE]
    run = write_run(tmp_path, tables=tables)
    text = summary(run) + "\n".join(
        table_lines(TraceTables.open(run).sql("SELECT engine, error AS 'a\x1bb' FROM fits"))
    )
    text += repr(TraceTables.open(run)) + TraceTables.open(run)._repr_html_()
    assert all(line.isprintable() for line in text.splitlines())
    assert r"\x1b]0;title\x07" in text and "[red]m[/red]" in text
    assert "\nfake: line" not in text


@pytest.mark.parametrize(
    ("facts", "running", "processes", "words"),
    [
        ({"exit_code": 0}, False, ["closed"], "ok"),
        ({"exit_code": 0}, False, ["closed", "cut"], "ok, a process cut off"),
        ({"exit_code": 3}, False, [], "exit code 3"),
        ({"signal": 9}, False, ["cut"], "killed by SIGKILL"),
        ({"signal": 99}, False, [], "killed by signal 99"),
        ({}, True, [], "still running"),
        ({"end_ns": 7}, False, ["closed"], "ok"),
        ({"end_ns": 7}, False, ["cut"], "cut off"),
        ({"end_ns": None}, False, [], "cut off"),
    ],
)
def test_endings(facts: dict[str, Any], running: bool, processes: list[str], words: str) -> None:
    assert ending(RunFiles(Path("a"), facts, Path("a"), running), processes) == words


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        *((0, "0 ns"), (0.4, "0.40 ns"), (1, "1 ns"), (999, "999 ns"), (999.6, "1 µs"), (1500, "1.50 µs")),
        *((99_950, "100 µs"), (999_499, "999 µs"), (999_500, "1 ms"), (99.4e9, "99.4 s"), (100e9, "1 min 40 s")),
        *((3599.7e9, "1 h 00 min"), (90061e9, "25 h 01 min"), (-2500, "-2.50 µs")),
    ],
)
def test_durations(ns: float, text: str) -> None:
    assert units.duration(ns) == text


ROWS = pa.table(
    {
        "n": pa.array([1, None, 3]),
        "x": [0.1, float("nan"), float("inf")],
        "s": ['a,"b"\n', None, "ü"],
        "m": pa.array([[("k", 1.5)], [], None], pa.map_(pa.string(), pa.float64())),
        "l": [["a"], [], None],
        "big": pa.array([1_760_000_000_000_000_001] * 3),
    }
)


def reader(*tables: pa.Table) -> pa.RecordBatchReader:
    """What reads the tables, each as one piece."""
    pieces = [pa.RecordBatch.from_arrays([column.combine_chunks() for column in t], schema=t.schema) for t in tables]
    return pa.RecordBatchReader.from_batches(ROWS.schema, pieces)


def test_csv_reads_back() -> None:
    text = "".join(row_formats.csv_pieces(reader(ROWS, ROWS)))
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["n", "x", "s", "m", "l", "big"] and len(rows) == 7
    assert rows[1] == ["1", "0.1", 'a,"b"\n', '{"k": 1.5}', '["a"]', "1760000000000000001"]
    assert rows[2][:3] == ["", "", ""] and rows[3][1] == "inf"


def test_json_reads_back() -> None:
    rows = json.loads("".join(row_formats.json_pieces(reader(ROWS, ROWS))))
    assert len(rows) == 6
    assert rows[0] == {"n": 1, "x": 0.1, "s": 'a,"b"\n', "m": {"k": 1.5}, "l": ["a"], "big": 1760000000000000001}
    assert rows[1] == {"n": None, "x": None, "s": None, "m": {}, "l": [], "big": 1760000000000000001}
    assert rows[2]["x"] is None


@pytest.mark.parametrize("tables", [[], [ROWS[:0]]], ids=["none", "empty"])
def test_no_rows_are_still_valid(tables: list[pa.Table]) -> None:
    assert json.loads("".join(row_formats.json_pieces(reader(*tables)))) == []
    assert "".join(row_formats.csv_pieces(reader(*tables))) == "n,x,s,m,l,big\n"


def test_parquet_reads_back() -> None:
    file = io.BytesIO()
    row_formats.write_parquet(ROWS.to_reader(max_chunksize=2), file)
    assert str(pq.read_table(file).to_pylist()) == str(ROWS.to_pylist())


def test_a_wide_row_is_turned_upright() -> None:
    rows = pd.DataFrame({"name": ["x" * 50], "number": [7]})
    assert list(table_lines(rows, width=80)) == [f"{'name':50}  number", f"{'x' * 50}       7"]
    assert list(table_lines(rows, width=40)) == ["row 0", "  name    " + "x" * 29 + "…", "  number  7"]
    assert len(list(table_lines(rows))) == 2


def test_wide_characters_keep_columns_in_line() -> None:
    lines = list(table_lines(pd.DataFrame({"a": ["損失", "x"], "b": [1, 22]})))
    assert lines == ["a      b", "損失   1", "x     22"]


def test_large_floats_are_written_out() -> None:
    lines = list(table_lines(pd.DataFrame({"ns": [1234567.25, 0.5, float("nan")]})))
    assert [line.strip() for line in lines] == ["ns", "1234567.2", "0.5", ""]


def test_memory_is_a_table_and_a_line_of_the_summary(tmp_path: Path) -> None:
    def reading(span: int, key: str, value: float) -> dict[str, Any]:
        return {"fit": 0, "span": span, "site": 0, "key": f"memory.{key}", "value": value, "text": None}

    read = [reading(4, "resident", 1e9), reading(4, "blocks", 70.0), reading(4, "limit", 2e9)]
    read += [reading(5, "resident", 3e9), reading(6, "resident", 2e9)]
    read += [
        reading(99, "resident", 5e9),
        reading(8, "resident", float("nan")),
        reading(8, "resident", -1.0),
    ]  # damaged
    trace = TraceTables.open(write_run(tmp_path / "run", tables=small_tables() | {"values": columns(read)}))
    memory = trace.memory()
    assert memory["resident_bytes"].tolist() == [1_000_000_000, 3_000_000_000, 2_000_000_000]
    assert memory["span"].tolist() == [4, 5, 6] and memory["callback"].tolist()[1:] == ["A", "B"]
    assert memory["blocks"].tolist() == [70, pd.NA, pd.NA] and memory["limit_bytes"].tolist() == [
        2_000_000_000,
        pd.NA,
        pd.NA,
    ]
    text = io.StringIO()
    print_summary(trace, text)
    assert "memory: 1 GB as the fit began, 2 GB as it ended (+1 GB), at most 3 GB\n" in text.getvalue()
    assert len(TraceTables.open(write_run(tmp_path / "old", tables=small_tables())).memory()) == 0


def test_the_phases_of_a_validation_stand_apart_with_their_sum() -> None:
    text = summary(Path(__file__).parents[2] / "traces" / "reference-keras-3")
    table = text.partition("phase  ")[2].partition("\nself: ")[0].splitlines()[1:]
    stages = [re.split(r"\s{2,}", line)[1] for line in table]
    assert stages == sorted(stages, reverse=True) and set(stages) == {"train", "test"}
    sums = [float(line.split()[-2]) for line in table if line.startswith("all phases")]
    assert len(sums) == 2 and sum(sums) == pytest.approx(100, abs=0.1)
