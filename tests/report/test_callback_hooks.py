"""The hooks of a fit's callbacks, as the page has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading.stores import columns, small_tables, write_run

from fittrace.report.model import callback_hooks as module
from fittrace.report.model.callback_hooks import HookRow, callback_hooks
from fittrace.tables import TraceTables

END = "on_train_batch_end"


def test_hooks_are_summed_up_by_callback(tmp_path: Path) -> None:
    found = callback_hooks(TraceTables.open(write_run(tmp_path)), "fit = 0")
    assert found.hooks == [END]
    assert found.rows == [HookRow("A", 0, END, 2, 350, 175, 300, 300), HookRow("B", 1, END, 2, 180, 90, 150, 150)]
    assert found.limit is None
    assert callback_hooks(TraceTables.open(tmp_path / "a1"), "fit = 7").rows == []


def test_hooks_are_in_the_order_of_their_first_calls(tmp_path: Path) -> None:
    tables = small_tables()
    spans = [dict(zip(tables["spans"], row)) for row in zip(*tables["spans"].values())]
    begin = spans[5] | {"span": 12, "hook": "on_train_begin", "start_ns": spans[0]["start_ns"] + 10, "duration_ns": 1}
    tables["spans"] = columns([*spans, begin])
    found = callback_hooks(TraceTables.open(write_run(tmp_path, tables=tables)), "fit = 0")
    assert found.hooks == ["on_train_begin", END]
    assert [row.hook for row in found.rows] == [END, END, "on_train_begin"]  # the slowest first


def test_a_limit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 1)
    found = callback_hooks(TraceTables.open(write_run(tmp_path)), "fit = 0")
    assert [row.callback for row in found.rows] == ["A"]
    assert found.limit == "The 1 slowest of 2 hooks are shown."
