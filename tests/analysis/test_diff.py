"""`fittrace diff`: what it finds between two traces, and that it finds nothing in one and the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd
import pytest
from reading.stores import START, columns, small_tables, write_run

from fittrace.analysis.diff import ASPECTS, Difference, Tolerances, compare
from fittrace.cli import main
from fittrace.tables import TraceTables
from fittrace.views.comparison import line

REFERENCE = Path(__file__).parents[2] / "traces" / "reference-keras-3"


Change = Callable[[dict[str, pd.DataFrame]], None]
"""What changes the tables of a run, each a DataFrame under its name."""


def store(folder: Path, name: str, change: Change = lambda tables: None) -> TraceTables:
    """The small run, changed by `change`."""
    tables = {table: pd.DataFrame(rows, dtype=object) for table, rows in small_tables().items()}
    change(tables)
    rows = {table: columns(frame.to_dict("records")) for table, frame in tables.items()}
    return TraceTables.open(write_run(folder, name, rows))


def differences(tmp_path: Path, change: Change, only: Collection[str] = ASPECTS, **tolerances: float) -> list[str]:
    a, b = store(tmp_path, "a"), store(tmp_path, "b", change)
    return [line(found) for found in compare(a, b, only, Tolerances(**tolerances)).differences]


def test_a_trace_is_like_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(REFERENCE), str(REFERENCE)]) == 0
    assert capsys.readouterr().out.endswith("alike\n")


def test_traces_without_a_fit_are_alike(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_run(tmp_path, name, {})
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    write_run(tmp_path, "c")
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "c")]) == 1
    comparison = compare(TraceTables.open(tmp_path / "c"), TraceTables.open(tmp_path / "a"))
    assert comparison.differences == (Difference("fits", "lost", 0, "fit 0 of A is not in B"),)
    assert not comparison.alike


def test_a_folder_of_runs_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(tmp_path, "a")
    assert main(["diff", str(tmp_path), str(tmp_path / "a")]) == 2
    assert "a folder of runs; give one of them" in capsys.readouterr().err


def test_a_crashed_run(tmp_path: Path) -> None:
    def crash(tables: dict[str, pd.DataFrame]) -> None:
        tables["fits"]["status"], tables["fits"]["error"] = "unfinished", None
        tables["batches"] = tables["batches"][:1]

    assert differences(tmp_path, crash, ["hooks"]) == [
        "fits status: fit 0: ended error (ValueError: no) in A, unfinished in B",
        "hooks count: fit 0, epoch 0: 2 training batches in A, 1 in B",
    ]


def _hooks(tables: dict[str, pd.DataFrame], **wanted: object) -> pd.Series:
    spans = tables["spans"]
    chosen = spans["callback"].notna()
    for column, value in wanted.items():
        chosen &= spans[column] == value
    return chosen


def test_a_callback_that_one_lacks(tmp_path: Path) -> None:
    def without_b(tables: dict[str, pd.DataFrame]) -> None:
        tables["spans"].loc[_hooks(tables, callback="B"), "callback"] = "C"

    assert differences(tmp_path, without_b, ["hooks"]) == [
        "hooks lost: fit 0: callback B is not in B",
        "hooks added: fit 0: callback C is not in A",
    ]


def test_a_hook_that_one_lacks(tmp_path: Path) -> None:
    def at_begin(tables: dict[str, pd.DataFrame]) -> None:
        tables["spans"].loc[_hooks(tables, batch=0), "hook"] = "on_train_batch_begin"
        tables["spans"].loc[_hooks(tables, callback="B", batch=1), "hook"] = "on_train_end"

    assert differences(tmp_path, at_begin, ["hooks"]) == [
        "hooks lost: fit 0: B.on_train_batch_end is never called in B",
        "hooks added: fit 0: on_train_batch_begin is never called in A",
        "hooks added: fit 0: on_train_end is never called in A",
    ]


def test_a_hook_on_another_thread(tmp_path: Path) -> None:
    def on_the_main_thread(tables: dict[str, pd.DataFrame]) -> None:
        tables["spans"]["thread"] = "MainThread"

    (found,) = differences(tmp_path, on_the_main_thread, ["hooks"])
    assert found == "hooks thread: fit 0: on_train_batch_end runs on pool-0 in A, on the fit's thread in the other"


def test_callbacks_in_another_order(tmp_path: Path) -> None:
    def swapped(tables: dict[str, pd.DataFrame]) -> None:
        mine = _hooks(tables)
        tables["spans"].loc[mine, "position"] = 1 - tables["spans"].loc[mine, "position"]

    assert differences(tmp_path, swapped, ["hooks"]) == [
        "hooks moved: fit 0: callbacks are in the order A, B in A, B, A in B"
    ]


def test_a_hook_at_another_place(tmp_path: Path) -> None:
    def first(tables: dict[str, pd.DataFrame]) -> None:
        for batch, hook in ((0, "on_train_batch_begin"), (1, "on_train_end")):
            tables["spans"].loc[_hooks(tables, batch=batch), "hook"] = hook
        tables["spans"]["thread"] = "MainThread"

    def last(tables: dict[str, pd.DataFrame]) -> None:
        first(tables)
        hooks = tables["spans"]["hook"]
        swap = {"on_train_batch_begin": "on_train_end", "on_train_end": "on_train_batch_begin"}
        tables["spans"]["hook"] = pd.Series([swap.get(hook, hook) for hook in hooks], dtype=object)

    a, b = store(tmp_path, "a", first), store(tmp_path, "b", last)
    found = [line(one) for one in compare(a, b, ["hooks"]).differences]
    assert found == ["hooks moved: fit 0: on_train_batch_begin is called at another place in B"] or found == [
        "hooks moved: fit 0: on_train_end is called at another place in B"
    ]


def test_keys_and_values_of_logs(tmp_path: Path) -> None:
    def other(tables: dict[str, pd.DataFrame]) -> None:
        logs = tables["logs"]
        logs.loc[logs["key"] == "lr", "key"] = "rate"
        logs.loc[(logs["key"] == "acc") & (logs["batch"] == 1), "value"] = 0.7501

    assert differences(tmp_path, other, ["logs"]) == [
        "logs lost: fit 0: on_train_batch_end is given no lr in B",
        "logs added: fit 0: on_train_batch_end is given no rate in A",
        "logs value: fit 0, epoch 0, batch 1: acc of on_train_batch_end differs: 0.75 in A, 0.7501 in B, then 1 of 1 "
        "times, by up to 0.0133 %",
    ]


def test_the_tolerance_of_values(tmp_path: Path) -> None:
    def slightly(tables: dict[str, pd.DataFrame]) -> None:
        tables["logs"]["value"] = [value and value * 1.001 for value in tables["logs"]["value"]]

    assert differences(tmp_path / "near", slightly, ["logs"], value=0.01) == []
    assert len(differences(tmp_path / "exact", slightly, ["logs"])) == 3


def test_phases_that_one_lacks(tmp_path: Path) -> None:
    def validating(tables: dict[str, pd.DataFrame]) -> None:
        tables["spans"].loc[tables["spans"]["phase"] == "function", "phase"] = "validation"

    assert differences(tmp_path, validating, ["flow"]) == [
        "flow lost: fit 0: phase fit > epoch > batch > function is not in B",
        "flow added: fit 0: phase fit > epoch > batch > validation is not in A",
    ]


def _timed(factor: float, spans: int, drift: float) -> Change:
    """Batches of 1 ms with noise of a tenth, each `factor` times as long; `drift` is how much slower the last is."""

    def change(tables: dict[str, pd.DataFrame]) -> None:
        template = tables["spans"][tables["spans"]["phase"] == "batch"].iloc[0].to_dict()
        rows = []
        for number in range(spans):
            noise = 1 + 0.1 * ((number * 7919) % 13 - 6) / 6
            duration = int(1_000_000 * factor * noise * (1 + drift * number / spans))
            place = {"span": 100 + number, "start_ns": START + number * 10_000_000, "duration_ns": duration}
            rows.append(template | place | {"children_ns": 0})
        tables["spans"] = pd.concat([tables["spans"], pd.DataFrame(rows)], ignore_index=True)

    return change


@pytest.mark.parametrize(
    ("factor", "spans", "drift", "differs"),
    [
        (1.0, 100, 0, False),
        (2.0, 100, 0, True),
        (0.5, 100, 0, True),
        (1.2, 100, 0, False),
        (2.0, 5, 0, False),
        (1.6, 100, 0, True),
        (1.6, 100, 30, False),
    ],
)
def test_time_is_judged_against_chance(tmp_path: Path, factor: float, spans: int, drift: float, differs: bool) -> None:
    a, b = (store(tmp_path, name, _timed(by, spans, drift)) for name, by in (("a", 1.0), ("b", factor)))
    comparison = compare(a, b, ["time"])
    (batch,) = [time for time in comparison.times if time.phase == "batch"]
    assert batch.differs is differs and comparison.alike is not differs
    assert batch.ratio == pytest.approx(factor, rel=0.02)
    assert (batch.noise is None) == (spans == 5)
    if differs:
        assert compare(a, b, ["time"], Tolerances(time=3)).alike


def test_json_and_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def other(tables: dict[str, pd.DataFrame]) -> None:
        tables["logs"]["value"] = [value and value * 2 for value in tables["logs"]["value"]]

    store(tmp_path, "a")
    store(tmp_path, "b", other)
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["diff", *paths, "--only", "hooks", "--only", "flow"]) == 0
    capsys.readouterr()
    assert main(["diff", *paths, "--only", "logs", "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["alike"] is False and told["times"] == []
    assert {one["kind"] for one in told["differences"]} == {"value"}


def test_a_tolerance_is_a_number_from_0_on(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("-1", "nan", "much"):
        with pytest.raises(SystemExit):
            main(["diff", "a", "b", "--time-tolerance", wrong])
        assert "--time-tolerance" in capsys.readouterr().err


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.05, 0), (3.0, 1), (0.2, 0)])
def test_only_what_got_slower_fails(factor: float, code: int, tmp_path: Path) -> None:
    def many(tables: dict[str, pd.DataFrame], factor: float = 1.0) -> None:
        batch = tables["spans"][tables["spans"]["phase"] == "function"].iloc[:1]
        rows = pd.concat([batch] * 60, ignore_index=True)
        rows["span"] = range(100, 160)
        rows["duration_ns"] = [int(factor * (100_000 + 100 * (n % 7))) for n in range(60)]
        tables["spans"] = pd.concat([tables["spans"], rows], ignore_index=True)

    store(tmp_path, "a", many)
    store(tmp_path, "b", lambda tables: many(tables, factor))
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["diff", *paths, "--fail-over", "20%"]) == code
    assert main(["diff", *paths, "--only", "time", "--fail-over", "400 %"]) == 0


def test_a_percentage_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("-1%", "nan", "much", ""):
        with pytest.raises(SystemExit):
            main(["diff", "a", "b", "--fail-over", wrong])
        assert "--fail-over" in capsys.readouterr().err


def test_a_span_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    def double(tables: dict[str, pd.DataFrame]) -> None:
        tables["spans"] = pd.concat([tables["spans"], tables["spans"].iloc[:5]], ignore_index=True)

    assert differences(tmp_path, double) == []
