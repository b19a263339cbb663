"""Sampled batches, on every engine: the ops are there, and nothing else is otherwise."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from faithful.processes import environ, finish, start

import fittrace
from fittrace.tables import NotSampled

from .conftest import ENGINES, LEGACY, ROOT, Engine

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent / "programs" / "sampling.py"
ASKED = "first=2,1:1-2,7:0"
SAMPLED = [(0, 0), (0, 1), (1, 1), (1, 2)]
IN_SESSION = ("keras-2.2", "tf-keras-v1")


class Trained:
    """The program without fittrace and with it, on one engine."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        python = str(LEGACY) if engine.legacy else sys.executable
        program = [str(PROGRAM), engine.argument]
        options = ["--quiet", "--python", python, "--out", str(folder), "--name", "run", "--run-metadata", ASKED]
        commands = {
            "plain": [python, *program],
            "traced": [sys.executable, "-m", "fittrace", "run", *options, *program],
        }
        sees = {name: folder / f"{name}.json" for name in commands}
        started = {name: start(command, environ(SEEN=str(sees[name])), folder) for name, command in commands.items()}
        self.plain, self.traced = (finish(started[name], sees[name]) for name in ("plain", "traced"))
        for run in (self.plain, self.traced):
            assert run.returncode == 0, run.stderr[-3000:]
        self.path = folder / "run"
        self.trace = fittrace.open(self.path)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        return {
            table: getattr(self.trace, table)() for table in ("spans", "batches", "samples", "ops", "data_pipeline")
        }

    def fit(self, scenario: str) -> int:
        """The number of a scenario's fit."""
        scenarios = [fit["scenario"] for fit in self.traced.seen["fits"]]
        if scenario not in scenarios:
            pytest.skip("another engine's")
        return int(self.trace.fits().sort_values("start_ns").fit.iloc[scenarios.index(scenario)])

    def of(self, table: str, scenario: str) -> pd.DataFrame:
        """The rows of a scenario's fit."""
        rows = self.tables[table]
        return rows[rows.fit == self.fit(scenario)]


@pytest.fixture(scope="module", params=ENGINES[:4], ids=str)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    if request.param.legacy and not LEGACY.exists():
        pytest.skip("no Python 3.7 with Keras 2.2 here; `scripts/legacy-env` makes it")
    return Trained(request.param, tmp_path_factory.mktemp(str(request.param)))


def test_nothing_changed(trained: Trained) -> None:
    assert trained.traced.seen == trained.plain.seen
    assert trained.traced.stdout == trained.plain.stdout


def test_the_cached_callable_is_one_object_throughout(trained: Trained) -> None:
    if trained.engine.name not in IN_SESSION:
        pytest.skip("nothing is cached there")
    assert {fit["callables"] for fit in trained.traced.seen["fits"]} == {1}


def test_the_batches_are_those_that_were_asked_for(trained: Trained) -> None:
    samples = trained.of("samples", "sampled")
    assert list(zip(samples.epoch, samples.batch, strict=True)) == SAMPLED
    assert set(samples.stage) == {"train"}
    assert set(samples.format) == {"run_metadata" if trained.engine.name in IN_SESSION else "profile"}


def test_batches_that_never_came_are_named(trained: Trained) -> None:
    assert any("7:0" in message and "1:1" not in message for message in trained.trace.notes().message)


def test_the_networks_ops_are_there_with_sane_times(trained: Trained) -> None:
    ops = trained.of("ops", "sampled")
    for _, of_batch in ops.groupby(["epoch", "batch"], observed=True):
        assert of_batch.type.astype(str).str.contains("MatMul").any()
        assert of_batch.type.astype(str).str.contains("Conv2D").any()
    assert (ops.duration_ns >= 0).all() and (ops.self_ns <= ops.duration_ns).all()
    assert ops.duration_ns.max() > 0
    known = ops[ops.scheduled_ns.notna()]
    assert (known.scheduled_ns <= known.start_ns).all()


def test_each_op_lies_inside_its_function_span(trained: Trained) -> None:
    spans = trained.tables["spans"].set_index("span")
    ops = trained.tables["ops"]
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
    batches = trained.of("batches", "sampled")
    sampled = batches[batches.compute_ns.notna()]
    train = sampled[sampled.stage == "train"]
    assert list(zip(train.epoch, train.batch, strict=True)) == SAMPLED and len(train) == len(sampled)
    assert (sampled.compute_ns > 0).all()
    assert (sampled.compute_ns + sampled.data_wait_ns <= sampled.function_ns).all()
    # A session is fed with data that Python has sliced.
    assert (sampled.data_wait_ns > 0).all() == (trained.engine.name not in IN_SESSION)


def test_the_data_pipeline_is_there_where_there_is_one(trained: Trained) -> None:
    pipeline = trained.of("data_pipeline", "sampled")
    if trained.engine.name in IN_SESSION:
        assert pipeline.empty
    else:
        assert {"Root", "Prefetch"} <= set(pipeline.type)
        assert pipeline.name.astype(str).str.startswith("Iterator::").all()


def test_retracing_is_known_of_each_batch(trained: Trained) -> None:
    batches = trained.of("batches", "sampled")
    if trained.engine.legacy:
        assert batches.retraced.isna().all()
    elif trained.engine.name in IN_SESSION:
        assert not batches.retraced.any()
    else:
        train = batches[batches.stage == "train"]
        assert train.retraced.tolist() == [True] + [False] * 7


def test_retracing_that_goes_on_is_warned_of(trained: Trained) -> None:
    batches = trained.of("batches", "retraced")
    assert batches.retraced.all()
    summary = subprocess.run(
        [sys.executable, "-m", "fittrace", "show", str(trained.path)], capture_output=True, text=True, check=True
    )
    assert "traced anew in 7 of 7 batches after the first" in summary.stdout
    assert "slowest ops" in summary.stdout and "waiting for data" in summary.stdout


def test_a_batch_that_raises_while_it_is_sampled(trained: Trained) -> None:
    """And the ones before it, and the traceback is what it would be, which `test_nothing_changed` compares."""
    (seen,) = (fit for fit in trained.traced.seen["fits"] if fit["scenario"] == "raising")
    assert seen["error"] == "InvalidArgumentError" and seen["frames"]
    samples = trained.of("samples", "raising")
    # A session that fails fills nothing; the profiler has seen what there was.
    assert samples.batch.tolist() == ([0] if trained.engine.name in IN_SESSION else [0, 1])


def test_metadata_that_the_program_asks_for_is_its_own_and_the_traces(trained: Trained) -> None:
    trained.fit("theirs")
    (seen,) = (fit for fit in trained.traced.seen["fits"] if fit["scenario"] == "theirs")
    assert seen["told"] == [True] * 4
    assert trained.of("samples", "theirs").batch.tolist() == [0, 1]
    assert trained.of("ops", "theirs").type.astype(str).str.contains("MatMul").any()


def test_the_programs_own_profiler_goes_first(trained: Trained) -> None:
    assert trained.of("samples", "profiled").empty
    assert trained.traced.seen["profiled"]
    assert any("program's own profiler" in message for message in trained.trace.notes().message)


def test_an_eager_batch_is_sampled_too(trained: Trained) -> None:
    assert trained.of("samples", "eager").batch.tolist() == [0, 1]
    assert trained.of("ops", "eager").type.astype(str).str.contains("MatMul").any()
    assert not trained.of("batches", "eager").retraced.any()


@pytest.fixture(scope="module")
def read_by_tensorflow(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What TensorFlow makes of the files that are exported, and of the object that Python is given."""
    folder = tmp_path_factory.mktemp("exported")
    command = [sys.executable, "-m", "fittrace", "export", str(trained.path), "--format", "run-metadata"]
    subprocess.run([*command, "-o", str(folder)], check=True)
    arguments = [str(trained.path), str(folder), str(trained.fit("sampled"))]
    reading = start([sys.executable, str(PROGRAM.parent / "tensorflows_own.py"), *arguments], environ(ROOT), folder)
    run = finish(reading)
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)  # type: ignore[no-any-return]


def test_tensorflow_reads_what_is_exported(trained: Trained, read_by_tensorflow: dict[str, Any]) -> None:
    files = read_by_tensorflow["exported"]
    assert len(files) == len(trained.tables["samples"])
    sampled = len(trained.of("samples", "sampled"))
    assert all(any("Conv2D" in op for op in ops) for ops in files[:sampled])
    assert all(any("MatMul" in op for op in ops) for ops in files[:sampled])


def test_run_metadata_is_tensorflows_own(trained: Trained, read_by_tensorflow: dict[str, Any]) -> None:
    assert read_by_tensorflow["own"]
    assert any("MatMul" in label for label in read_by_tensorflow["labels"])
    function = trained.of("spans", "sampled").query("epoch == 1 and batch == 2 and phase == 'function'")
    begin, end = int(function.start_ns.min()), int((function.start_ns + function.duration_ns).max())
    # The wall clock of TensorFlow's own and ours, which is set when a process begins, may have parted by then.
    assert all(abs(micros * 1000 - begin) < 10**9 + end - begin for micros in read_by_tensorflow["starts"])


def test_another_batch_was_not_sampled(trained: Trained) -> None:
    with pytest.raises(NotSampled, match=r"0:0, 0:1.*--run-metadata 0:3"):
        trained.trace.run_metadata(trained.fit("sampled"), epoch=0, batch=3)
