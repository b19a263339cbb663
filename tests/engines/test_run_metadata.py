"""Sampled batches, on every engine: the ops are there, and nothing else is otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from engine_matrix import NEWEST, OLDER_KERAS_2, ROOT, require
from faithful.processes import environ, finish, start

from fittrace.tables import NotSampled

from .conftest import Trained, train

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "programs" / "sampling.py"
ASKED = "first=2,1:1-2,7:0"
SAMPLED = [(0, 0), (0, 1), (1, 1), (1, 2)]
ENGINES = [*NEWEST, OLDER_KERAS_2[0], OLDER_KERAS_2[-1]]


@pytest.fixture(scope="module", params=ENGINES, ids=str)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    engine = require(request.param)
    folder = tmp_path_factory.mktemp(str(engine))
    return train(engine, [str(PROGRAM), engine.argument], folder, "--run-metadata", ASKED)


def fit_of(trained: Trained, scenario: str) -> int:
    """The number of a scenario's fit, on the engines that have it."""
    if scenario not in trained.scenarios():
        pytest.skip("another engine's")
    return trained.fit(scenario)[0]


def of(trained: Trained, table: str, scenario: str) -> pd.DataFrame:
    """The rows of a scenario's fit."""
    return trained.of(table, fit_of(trained, scenario))


def in_session(trained: Trained) -> bool:
    """Whether its batches are calls of a session."""
    return trained.engine.loops_over_arrays


def test_nothing_changed(trained: Trained) -> None:
    assert trained.traced.seen == trained.plain.seen
    assert trained.traced.stdout == trained.plain.stdout


def test_the_cached_callable_is_one_object_throughout(trained: Trained) -> None:
    if not in_session(trained) or trained.engine.version == "2.0.9":
        pytest.skip("nothing is cached there")
    assert {fit["callables"] for fit in trained.traced.seen["fits"]} == {1}


def test_the_batches_are_those_that_were_asked_for(trained: Trained) -> None:
    sampled = of(trained, "sampled_batches", "sampled")
    assert list(zip(sampled.epoch, sampled.batch, strict=True)) == SAMPLED
    assert set(sampled.stage) == {"train"}
    assert set(sampled.format) == {"run_metadata" if in_session(trained) else "profile"}


def test_batches_that_never_came_are_named(trained: Trained) -> None:
    assert any("7:0" in message and "1:1" not in message for message in trained.trace.notes().message)


def test_the_networks_ops_are_there_with_sane_times(trained: Trained) -> None:
    ops = of(trained, "ops", "sampled")
    for _, of_batch in ops.groupby(["epoch", "batch"], observed=True):
        assert of_batch.type.astype(str).str.contains("MatMul").any()
        assert of_batch.type.astype(str).str.contains("Conv2D").any()
    assert (ops.duration_ns >= 0).all() and (ops.self_ns <= ops.duration_ns).all()
    assert ops.duration_ns.max() > 0
    known = ops[ops.scheduled_ns.notna()]
    assert (known.scheduled_ns <= known.start_ns).all()


def test_each_op_lies_inside_its_function_span(trained: Trained) -> None:
    spans = trained.trace.spans().set_index("span")
    ops = trained.trace.ops()
    assert len(ops)
    holder = spans.loc[ops.span].reset_index(drop=True)
    ops = ops.reset_index(drop=True)
    assert set(holder.phase) == {"function"}
    assert (holder.fit == ops.fit).all() and (holder.epoch == ops.epoch).all() and (holder.batch == ops.batch).all()
    # What the data pipeline runs ahead of time, it runs beside the batches.
    own = ~ops.thread.astype(str).str.startswith("tf_data")
    assert (ops.start_ns >= holder.start_ns)[own].all()
    assert (ops.start_ns + ops.duration_ns <= holder.start_ns + holder.duration_ns)[own].all()


def test_a_sampled_batch_tells_its_waiting_from_its_computing(trained: Trained) -> None:
    batches = of(trained, "batches", "sampled")
    sampled = batches[batches.compute_ns.notna()]
    train = sampled[sampled.stage == "train"]
    assert list(zip(train.epoch, train.batch, strict=True)) == SAMPLED and len(train) == len(sampled)
    assert (sampled.compute_ns > 0).all()
    assert (sampled.compute_ns + sampled.data_wait_ns <= sampled.function_ns).all()
    # A session is fed with data that Python has sliced.
    assert (sampled.data_wait_ns > 0).all() == (not in_session(trained))


def test_the_data_pipeline_is_there_where_there_is_one(trained: Trained) -> None:
    pipeline = of(trained, "data_pipeline", "sampled")
    if in_session(trained):
        assert pipeline.empty
    else:
        assert {"Root", "Prefetch"} <= set(pipeline.type)
        assert pipeline.name.astype(str).str.startswith("Iterator::").all()


def test_retracing_is_known_of_each_batch(trained: Trained) -> None:
    batches = of(trained, "batches", "sampled")
    if trained.engine.legacy:
        assert batches.retraced.isna().all()
    elif in_session(trained):
        assert not batches.retraced.any()
    else:
        train = batches[batches.stage == "train"]
        assert train.retraced.tolist() == [True] + [False] * 7


def test_retracing_that_goes_on_is_warned_of(trained: Trained) -> None:
    batches = of(trained, "batches", "retraced")
    assert batches.retraced.all()
    summary = subprocess.run(
        [sys.executable, "-m", "fittrace", "show", str(trained.trace.path)], capture_output=True, text=True, check=True
    )
    assert "traced anew in 7 of 7 batches after the first" in summary.stdout
    assert "slowest ops" in summary.stdout and "waiting for data" in summary.stdout


def test_a_batch_that_raises_while_it_is_sampled(trained: Trained) -> None:
    """And the ones before it, and the traceback is what it would be, which `test_nothing_changed` compares."""
    _, seen = trained.fit("raising")
    assert seen["error"] == "InvalidArgumentError" and seen["frames"]
    sampled = of(trained, "sampled_batches", "raising")
    # A session that fails fills nothing; the profiler has seen what there was.
    assert sampled.batch.tolist() == ([0] if in_session(trained) else [0, 1])


def test_metadata_that_the_program_asks_for_is_its_own_and_the_traces(trained: Trained) -> None:
    fit_of(trained, "theirs")
    _, seen = trained.fit("theirs")
    assert seen["told"] == [True] * 4
    assert of(trained, "sampled_batches", "theirs").batch.tolist() == [0, 1]
    assert of(trained, "ops", "theirs").type.astype(str).str.contains("MatMul").any()


def test_the_programs_own_profiler_goes_first(trained: Trained) -> None:
    assert of(trained, "sampled_batches", "profiled").empty
    assert trained.traced.seen["profiled"]
    assert any("program's own profiler" in message for message in trained.trace.notes().message)


def test_an_eager_batch_is_sampled_too(trained: Trained) -> None:
    assert of(trained, "sampled_batches", "eager").batch.tolist() == [0, 1]
    assert of(trained, "ops", "eager").type.astype(str).str.contains("MatMul").any()
    assert not of(trained, "batches", "eager").retraced.any()


def test_what_xla_compiled_is_told_in_its_parts(trained: Trained) -> None:
    ops = of(trained, "ops", "compiled")
    convolution = "convolution" if trained.engine.name == "keras-3" else "Conv2D"
    for _, of_batch in ops.groupby("batch"):
        assert {convolution, "MatMul"} <= set(of_batch.type)
        assert of_batch.type.astype(str).str.contains("_fusion").any()
    assert not ops.on_device.any() and ops.kernel.isna().all()


@pytest.fixture(scope="module")
def read_by_tensorflow(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What TensorFlow makes of the files that are exported, and of the object that Python is given."""
    folder = tmp_path_factory.mktemp("exported")
    command = [sys.executable, "-m", "fittrace", "export", str(trained.trace.path), "--format", "run-metadata"]
    subprocess.run([*command, "-o", str(folder)], check=True)
    arguments = [str(trained.trace.path), str(folder), str(fit_of(trained, "sampled"))]
    reading = start([sys.executable, str(PROGRAM.parent / "tensorflows_own.py"), *arguments], environ(ROOT), folder)
    run = finish(reading)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)  # type: ignore[no-any-return]


def test_tensorflow_reads_what_is_exported(trained: Trained, read_by_tensorflow: dict[str, Any]) -> None:
    files = read_by_tensorflow["exported"]
    assert len(files) == len(trained.trace.sampled_batches())
    sampled = len(of(trained, "sampled_batches", "sampled"))
    assert all(any("Conv2D" in op for op in ops) for ops in files[:sampled])
    assert all(any("MatMul" in op for op in ops) for ops in files[:sampled])


def test_run_metadata_is_tensorflows_own(trained: Trained, read_by_tensorflow: dict[str, Any]) -> None:
    assert read_by_tensorflow["own"]
    assert any("MatMul" in label for label in read_by_tensorflow["labels"])
    function = of(trained, "spans", "sampled").query("epoch == 1 and batch == 2 and phase == 'function'")
    begin, end = int(function.start_ns.min()), int((function.start_ns + function.duration_ns).max())
    # The wall clock of TensorFlow's own and ours, which is set when a process begins, may have parted by then.
    assert all(abs(micros * 1000 - begin) < 10**9 + end - begin for micros in read_by_tensorflow["starts"])


def test_another_batch_was_not_sampled(trained: Trained) -> None:
    with pytest.raises(NotSampled, match=r"0:0, 0:1.*--run-metadata 0:3"):
        trained.trace.run_metadata(fit_of(trained, "sampled"), epoch=0, batch=3)
