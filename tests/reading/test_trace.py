"""The tables of a trace, number by number on the small run, and in general on made-up ones."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import fittrace
from fittrace.schema.errors import DamagedTrace, NotATrace
from fittrace.tables import AmbiguousRuns, TraceTables
from fittrace.tables.computed_tables import VIEWS
from reading.stores import small_tables, write_run

REQUIRED = {
    "fits": "fit engine engine_version start_ns duration_ns epochs batches status error",
    "spans": "fit span parent stage epoch batch phase name start_ns duration_ns self_ns thread status",
    "batches": "fit stage epoch batch start_ns duration_ns slice_ns to_dense_ns function_ns logs_ns hooks_ns size"
    " data_wait_ns compute_ns retraced",
    "hooks": "fit seq stage epoch batch callback position hook start_ns duration_ns thread"
    " logs_before logs_after changed",
    "logs": "fit stage epoch batch hook key value",
    "samples": "fit stage epoch position sample count",
    "stops": "fit stage epoch batch value hook callback position span",
    "memory": "fit stage epoch batch hook callback position time_ns resident_bytes blocks limit_bytes span",
    "sampled_batches": "fit stage epoch batch span format ops data_wait_ns compute_ns host_ns device_ns data_bytes",
    "ops": "fit stage epoch batch name type device thread start_ns duration_ns self_ns scheduled_ns memory_bytes"
    " shapes",
    "data_pipeline": "fit stage epoch batch name type thread start_ns duration_ns self_ns shapes",
    "processes": "pid parent_pid rank host ending",
    "notes": "kind message",
    "values": "fit span key value text",
    "sites": "site engine file function line",
    "functions": "function engine file name line",
    "nodes": "function node line next",
    "sources": "source text",
    "paths": "path sites",
    "flow": "fit thread span turns path",
}


def test_only_a_query_connects_to_duckdb(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[duckdb.DuckDBPyConnection] = []
    connect = duckdb.connect

    def counted(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connections.append(connect(*args, **options))
        return connections[-1]

    monkeypatch.setattr(duckdb, "connect", counted)
    trace = TraceTables.open(run)
    assert not connections
    trace.fits()
    trace.spans()
    assert len(connections) == 1


@pytest.mark.parametrize("table", VIEWS)
def test_each_table_has_its_columns_in_python_and_in_sql(trace: TraceTables, table: str) -> None:
    frame = getattr(trace, table)()
    assert set(REQUIRED[table].split()) <= set(frame.columns)
    assert frame.columns[0] == "process"
    assert list(frame.columns) == list(trace.sql(f"SELECT * FROM {table}").columns)
    assert len(frame) == trace.sql(f"SELECT count(*) AS n FROM {table}")["n"][0]


def test_types_do_not_depend_on_what_is_missing(trace: TraceTables, made_up: Path) -> None:
    for table in VIEWS:
        for one, other in zip(
            getattr(trace, table)().dtypes.drop("logs.acc", errors="ignore").items(),
            getattr(TraceTables.open(made_up / "run-000"), table)().dtypes.items(),
            strict=False,
        ):
            assert one[0] != other[0] or one[1].name == other[1].name
    spans = trace.spans()
    assert spans["start_ns"].dtype == "int64" and spans["parent"].dtype == "Int64"
    assert spans["phase"].dtype == "category"
    assert spans["parent"].isna().tolist() == [True] + [False] * 8 + [True, False, False]


def test_self_time_adds_up_to_the_fit(trace: TraceTables) -> None:
    spans = trace.spans()
    assert spans["self_ns"].tolist() == [100, 150, 100, 200, 20, 50, 30, 200, 150, 0, 0, 0]
    assert spans["self_ns"].sum() == trace.fits()["duration_ns"][0] == 1000


@pytest.mark.parametrize("table", ["fits", "logs", "notes"])
def test_a_trace_without_one_of_its_files_is_damaged(tmp_path: Path, table: str) -> None:
    run = write_run(tmp_path, processes=2)
    next((run / table / "process=1").glob("*.parquet")).unlink()
    with pytest.raises(DamagedTrace, match="some of its tables are gone"):
        TraceTables.open(run)


def test_self_time_adds_up_in_each_of_many_fits(made_up: Path) -> None:
    trace = TraceTables.open(made_up)
    keys = ["run", "process", "fit"]
    sums = trace.spans().groupby(keys, observed=True)["self_ns"].sum()
    assert sums.to_dict() == trace.fits().set_index(keys)["duration_ns"].to_dict()
    assert len(sums) == 4


def test_batches_have_the_logs_at_their_end(trace: TraceTables) -> None:
    batches = trace.batches()
    assert batches["logs.loss"].tolist()[0] == 2.0 and math.isnan(batches["logs.loss"][1])
    assert math.isnan(batches["logs.acc"][0]) and batches["logs.acc"][1] == 0.75
    assert batches["size"].tolist() == [32, pd.NA]
    assert batches["function_ns"].tolist() == [200, 150]


def test_hooks_show_logs_before_and_after(trace: TraceTables) -> None:
    hooks = trace.hooks()
    assert hooks["callback"].tolist() == ["A", "B", "A", "B"]
    assert hooks["seq"].tolist() == [0, 1, 2, 3]
    assert hooks["thread"].tolist() == ["MainThread", "MainThread", "pool-0", "pool-0"]
    assert hooks["status"].tolist() == ["ok", "ok", "error", "ok"]
    note = {"note": "<b>big</b>"}
    assert hooks["logs_before"][0] == {"loss": 1.0, "acc": 0.5} | note
    assert hooks["logs_after"][0] == hooks["logs_before"][1] == {"loss": 2.0, "acc": 0.5, "lr": 0.1} | note
    assert hooks["logs_after"][1] == {"loss": 2.0, "lr": 0.1} | note
    assert hooks["changed"].tolist() == [["loss", "lr"], ["acc"], [], []]
    assert list(hooks["logs_before"][0]) == ["loss", "acc", "note"]
    unchanged = hooks["logs_before"][2]
    assert unchanged is hooks["logs_after"][3] and math.isnan(unchanged["loss"]) and unchanged["acc"] == 0.75


def test_hooks_in_sql_say_the_same(trace: TraceTables) -> None:
    hooks = trace.sql("SELECT * FROM hooks ORDER BY seq")
    assert hooks["logs_before"][0] == {"acc": 0.5, "loss": 1.0, "note": None}
    assert hooks["logs_after"][1] == {"loss": 2.0, "lr": 0.1, "note": None}
    assert [list(keys) for keys in hooks["changed"]] == [["loss", "lr"], ["acc"], [], []]
    assert trace.sql("SELECT logs_after['lr'] AS lr FROM hooks WHERE seq = 0")["lr"][0] == 0.1


def test_hooks_without_logs_have_empty_ones(made_up: Path) -> None:
    trace = TraceTables.open(made_up / "run-000")
    hooks = trace.hooks()
    begins = hooks["hook"] == "on_train_batch_begin"
    assert all(logs == {} for logs in hooks["logs_before"][begins])
    assert all(len(logs) == 4 for logs in hooks["logs_after"][~begins])
    assert trace.sql("SELECT DISTINCT logs_after FROM hooks WHERE hook = 'on_train_batch_begin'").iloc[0, 0] == {}


def test_python_and_sql_agree_on_every_hook(made_up: Path) -> None:
    trace = TraceTables.open(made_up)
    keys = ["run", "process", "fit", "seq"]
    frame = trace.hooks().astype({"run": "str"}).sort_values(keys, ignore_index=True)
    table = trace.sql("SELECT * FROM hooks").sort_values(keys, ignore_index=True)
    for name in ("run", "process", "seq", "span", "batch", "logs_before", "logs_after"):
        assert frame[name].tolist() == table[name].tolist()
    assert frame["changed"].tolist() == [list(keys) for keys in table["changed"]]
    assert {tuple(keys) for keys in frame["changed"]} == {(), ("lr",)}


def test_logs_are_the_last_state(trace: TraceTables) -> None:
    logs = trace.logs()
    found = list(zip(logs["span"], logs["batch"], logs["key"], logs["value"], logs["text"], strict=True))
    assert [row[:3] for row in found] == [
        (4, 0, "note"), (4, 0, "loss"), (4, 0, "lr"), (9, 1, "loss"), (9, 1, "acc"),
    ]  # fmt: skip
    assert [str(row[3]) for row in found] == ["nan", "2.0", "0.1", "nan", "0.75"]
    assert found[0][4] == "<b>big</b>" and pd.isna(found[1][4])
    table = trace.sql("SELECT span, key, value FROM logs ORDER BY ALL")
    assert table["key"].tolist() == ["loss", "lr", "note", "acc", "loss"]


def test_rows_are_in_the_order_of_time(made_up: Path) -> None:
    for path in (made_up, made_up / "run-001"):
        trace = TraceTables.open(path)
        for frame in (trace.fits(), trace.spans(), trace.batches(), trace.hooks()):
            runs = [frame] if "run" not in frame else [rows for _, rows in frame.groupby("run", observed=True)]
            assert all(rows["start_ns"].is_monotonic_increasing for rows in runs)
            assert frame.index.equals(pd.RangeIndex(len(frame)))
            if "run" in frame:
                assert frame["run"].astype("str").is_monotonic_increasing


def test_a_folder_of_runs_has_a_run_column(made_up: Path) -> None:
    trace = TraceTables.open(made_up)
    for table in VIEWS:
        assert list(getattr(trace, table)().columns[:2]) == ["run", "process"]
        assert list(trace.sql(f"SELECT * FROM {table}").columns[:2]) == ["run", "process"]
    counts = trace.sql("SELECT run, process, count(*) AS n FROM batches GROUP BY ALL ORDER BY ALL")
    assert counts.to_dict("tight")["data"] == [[f"run-00{run}", p, 30] for run in (0, 1) for p in (0, 1)]


def test_a_folder_with_one_run_is_a_folder(run: Path) -> None:
    assert TraceTables.open(run.parent).fits()["run"].tolist() == ["a1"]
    assert "run" not in TraceTables.open(run).fits()


def test_runs_with_different_keys_are_one_table(tmp_path: Path) -> None:
    write_run(tmp_path, "a1")
    tables = small_tables()
    tables["batches"]["logs.f1"] = tables["batches"].pop("logs.acc")
    write_run(tmp_path, "a2", tables)
    batches = TraceTables.open(tmp_path).batches()
    assert batches["logs.acc"].notna().tolist() == [False, True, False, False]
    assert batches["logs.f1"].notna().tolist() == [False, False, False, True]


def test_two_runs_of_one_name_are_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "a1").rename(tmp_path / "copy")
    write_run(tmp_path, "a1")
    with pytest.raises(AmbiguousRuns, match="run a1 lies there more than once"):
        TraceTables.open(tmp_path)
    assert len(TraceTables.open(tmp_path / "copy").fits()) == 1


def test_a_run_without_any_fit(tmp_path: Path) -> None:
    trace = TraceTables.open(write_run(tmp_path, "a1", tables={}))
    for table in VIEWS:
        assert len(getattr(trace, table)()) == 0
    assert "no fits" in repr(trace) and "no fits" in trace._repr_html_()


@pytest.mark.parametrize(
    "name", ["it's", "a[1]b", "star*", "what?", 'say "so"', "fit=3", "process=7", "größe \n x", "{a,b}", "back\\slash"]
)
def test_folders_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "starX").mkdir()  # what `star*` would match too
    folder = write_run(tmp_path / name)
    for path, runs in ((folder, 1), (folder.parent, 1)):
        trace = TraceTables.open(path)
        assert len(trace.runs) == runs
        assert trace.spans()["fit"].unique().tolist() == [0]
        assert trace.spans()["process"].unique().tolist() == [0]
        assert len(trace.hooks()) == 4


def test_sums_stay_whole_numbers(trace: TraceTables) -> None:
    sums = trace.sql("SELECT sum(duration_ns) AS total, avg(epoch) AS mean, max(parent) AS top FROM spans")
    assert sums["total"].dtype == "int64"
    assert sums["total"][0] == 4130
    missing = trace.sql("SELECT parent FROM spans ORDER BY parent NULLS FIRST LIMIT 3")["parent"]
    assert missing.dtype == "Int64" and missing.tolist() == [pd.NA, pd.NA, 0]
    assert str(trace.sql("SELECT sum(start_ns) * 1000 AS x FROM spans")["x"].dtype) == "float64"


def test_two_columns_of_one_name(trace: TraceTables) -> None:
    frame = trace.sql("SELECT fit, fit FROM fits")
    assert frame.columns.tolist() == ["fit", "fit"] and frame.to_numpy().tolist() == [[0, 0]]


def test_repr_tells_what_is_there(trace: TraceTables, made_up: Path) -> None:
    assert repr(trace).startswith("<Trace ") and "1 fits, 1 epochs, 2 batches" in repr(trace)
    assert "2 runs, 4 fits" in repr(TraceTables.open(made_up))


def test_html_is_escaped(tmp_path: Path) -> None:
    tables = small_tables()
    tables["fits"]["engine"] = ["<script>alert(1)</script>"]
    page = TraceTables.open(write_run(tmp_path / "<i>", tables=tables))._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<i>" not in page


def test_open_is_the_same_from_the_package(run: Path) -> None:
    assert len(fittrace.open(str(run)).fits()) == 1


@pytest.mark.parametrize("name", ["nothing", "empty", "file"])
def test_what_is_no_trace(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotATrace, match=name):
        TraceTables.open(tmp_path / name)
