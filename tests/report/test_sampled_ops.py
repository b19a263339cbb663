"""Ops of sampled batches, as the page has them."""

from __future__ import annotations

import numpy as np
import pytest

from fittrace.report.model import sampled_ops as module
from fittrace.report.model.sampled_ops import OpKind, SampledOps, sampled_ops
from fittrace.tables import TraceTables
from fittrace.views.summary_figures import gather


def ops_of(engine: str) -> tuple[TraceTables, SampledOps]:
    trace = TraceTables.open(f"traces/reference-{engine}")
    ops = sampled_ops(trace, gather(trace).fits[0])
    assert ops is not None
    return trace, ops


@pytest.mark.parametrize("engine", ["keras-2.2", "tf-keras-v1", "tf-keras", "keras-3"])
def test_all_ops_of_the_sampled_batches_are_there(engine: str) -> None:
    trace, ops = ops_of(engine)
    sampled = trace.sampled_batches()
    pipeline = trace.data_pipeline().groupby("span").size()
    assert [batch.label for batch in ops.batches] == [f"epoch 0, batch {number}" for number in sampled["batch"]]
    assert [batch.ordinal for batch in ops.batches] == [0, 1, 2]
    for batch, span in zip(ops.batches, sampled["span"], strict=True):
        rows = trace.ops()[trace.ops()["span"] == span]
        is_op = batch.ops.kind != OpKind.PIPELINE
        assert batch.count == len(batch.ops.start) == len(rows) + pipeline.get(span, 0)
        assert batch.ops.duration[is_op].sum() == pytest.approx(rows["duration_ns"].sum(), rel=1e-5)
        assert (np.diff(batch.ops.start) >= 0).all()
        # Clocks of TensorFlow are aligned to the span of the function, so its ops lie within it.
        assert (batch.ops.start + batch.ops.duration)[is_op].max() <= 1.05 * batch.function_ns
    assert ops.limit is None


def test_the_table_has_the_slowest_ops_of_all_but_the_first_batch() -> None:
    trace, ops = ops_of("keras-2.2")
    rows = trace.ops()[trace.ops()["batch"] > 0]
    slowest = rows.groupby("name", observed=True)["self_ns"].sum().nlargest(3)
    assert [(row.name, row.self) for row in ops.table[:3]] == list(slowest.items())
    assert len(ops.table) == module.MOST_TABLE_ROWS
    assert ops.summary[0] == "In 2 sampled batches (the first batch, which is apart, is not among them):"


def test_the_longest_ops_of_some_batches_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = ops_of("keras-2.2")
    monkeypatch.setattr(module, "MOST_OPS", 10)
    monkeypatch.setattr(module, "MOST_BATCHES", 2)
    _, ops = ops_of("keras-2.2")
    assert [batch.ordinal for batch in ops.batches] == [0, 2]
    longest = np.sort(whole.batches[2].ops.duration)[-10:]
    assert (np.sort(ops.batches[1].ops.duration) == longest).all()
    assert ops.batches[1].count == 319
    assert ops.limit == "2 of 3 sampled batches are shown. Of a batch, the 10 longest ops are shown."


def test_the_threads_of_a_pool_share_a_lane() -> None:
    _, ops = ops_of("keras-3")
    assert ops.lanes == ["CPU", "CPU python", "CPU tf_Compute", "data pipeline", "CPU tf_data_private_threadpool"]
