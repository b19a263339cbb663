"""Which samples were in a batch, from its bounds and the order of its epoch; or why the trace does not tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fittrace
from fittrace.tables import TraceTables, UnknownSamples
from reading.stores import columns, small_tables, write_run

ORDER = [6, 7, 8, 2, 0, 1, 3, 4, 5]
STRETCHES = [(0, 6, 3), (3, 2, 1), (4, 0, 2), (6, 3, 3)]


def tables(stretches: list[Any], epoch: int | None = 0, stage: str = "train", method: str = "fit") -> dict[str, Any]:
    """An epoch of three batches of four, four and one samples."""
    made = small_tables()
    base = {name: values[0] for name, values in made["batches"].items()}
    made["batches"] = columns(
        [
            base | {"epoch": epoch, "stage": stage, "batch": n, "last_batch": n, "first_sample": 4 * n, "size": size}
            for n, size in enumerate((4, 4, 1))
        ]
    )
    made["fits"] |= {"method": [method], "engine": ["keras-2.2"]}
    rows = [{"fit": 0, "stage": stage, "epoch": epoch, "position": p, "sample": s, "count": c} for p, s, c in stretches]
    return made | ({"samples": columns(rows)} if rows else {})


@pytest.mark.parametrize("batch", range(3))
def test_samples_are_those_of_the_batch_in_their_order(tmp_path: Path, batch: int) -> None:
    trace = TraceTables.open(write_run(tmp_path, tables=tables(STRETCHES)))
    found = trace.batch_samples(0, 0, batch)
    assert found.dtype == np.int64
    assert found.tolist() == ORDER[4 * batch : 4 * batch + 4]


@pytest.mark.parametrize(("stage", "method"), [("train", "fit"), ("test", "evaluate"), ("predict", "predict")])
def test_the_stage_is_the_fits_own(tmp_path: Path, stage: str, method: str) -> None:
    trace = TraceTables.open(write_run(tmp_path, tables=tables([(0, 0, 9)], None, stage, method)))
    assert trace.batch_samples(0, None, 1).tolist() == [4, 5, 6, 7]
    other = "predict" if stage != "predict" else "test"
    with pytest.raises(UnknownSamples, match=f"fit 0, {other} batch 1: no such batch"):
        trace.batch_samples(0, None, 1, stage=other)


@pytest.mark.parametrize(
    ("stretches", "told"),
    [
        ([(0, None, 9)], "fit 0, epoch 0, batch 1: the order of its epoch's 9 samples was not kept"),
        ([], "batch 1: the order of its epoch's samples is lost"),
        ([(0, 3, 5), (6, 0, 3)], "batch 1: the order of its epoch's samples is lost"),
    ],
)
def test_what_is_not_known_is_said(tmp_path: Path, stretches: list[Any], told: str) -> None:
    trace = TraceTables.open(write_run(tmp_path, tables=tables(stretches)))
    with pytest.raises(UnknownSamples, match=told):
        trace.batch_samples(0, 0, 1)


def test_an_engine_without_bounds_is_named(trace: TraceTables) -> None:
    with pytest.raises(UnknownSamples, match="fit 0, epoch 0, batch 0: keras-3 does not tell its samples"):
        trace.batch_samples(0, 0, 0)


@pytest.mark.parametrize("place", [(7, 0, 0), (0, 9, 0), (0, None, 0), (0, 0, 3)])
def test_a_batch_that_is_not_there_is_said(tmp_path: Path, place: tuple[Any, ...]) -> None:
    trace = TraceTables.open(write_run(tmp_path, tables=tables(STRETCHES)))
    with pytest.raises(UnknownSamples, match="no such batch"):
        trace.batch_samples(*place)


def test_a_stage_that_there_is_not_is_said(trace: TraceTables) -> None:
    with pytest.raises(UnknownSamples, match="stage 'training': no such stage; give one of train, test, predict"):
        trace.batch_samples(0, 0, 0, stage="training")


def test_processes_and_runs_are_told_apart(tmp_path: Path) -> None:
    write_run(tmp_path, "a1", tables=tables(STRETCHES), processes=2)
    write_run(tmp_path, "a'2", tables=tables([(0, 0, 9)]))
    trace = fittrace.open(tmp_path)
    with pytest.raises(UnknownSamples, match="there is one in run a'2, a1 each; say which with run="):
        trace.batch_samples(0, 0, 0)
    with pytest.raises(UnknownSamples, match="there is one in process 0, 1 each; say which with process="):
        trace.batch_samples(0, 0, 0, run="a1")
    assert trace.batch_samples(0, 0, 0, run="a'2").tolist() == [0, 1, 2, 3]
    assert trace.batch_samples(0, 0, 0, process=1).tolist() == ORDER[:4]


def test_sql_finds_the_batches_that_a_sample_was_in(tmp_path: Path) -> None:
    trace = TraceTables.open(write_run(tmp_path, tables=tables(STRETCHES)))
    found = trace.sql("""
        SELECT b.epoch, b.batch FROM samples s JOIN batches b USING (process, fit, stage, epoch)
        WHERE 4 BETWEEN s.sample AND s.sample + s.count - 1
            AND s.position + 4 - s.sample BETWEEN b.first_sample AND b.first_sample + b.size - 1
    """)
    assert found.values.tolist() == [[0, 1]]
