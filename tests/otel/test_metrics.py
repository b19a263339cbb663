"""On every engine the metrics say what the trace of the same run does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from engine_matrix import NEWEST, ROOT, Engine, marked, require
from faithful.processes import environ, finish, start

import fittrace
from fittrace import __version__
from fittrace.schema import otel_names
from fittrace.schema.tables import BATCH_PHASES

from .test_nested import OPENTELEMETRY_3_7, WITH_A_POOL

PROGRAM = Path(__file__).parent / "programs" / "measured.py"
ALL = '{"batches": 1}'
"""Settings that send every batch; what is sent is measured too."""
SLOW = [NEWEST[0], *marked([*NEWEST[1:], WITH_A_POOL])]


@dataclass(frozen=True)
class Measured:
    """The metrics of a program, and its trace."""

    engine: Engine
    told: dict[str, Any]
    trace: fittrace.Trace
    stderr: str

    def points(self, metric: str) -> list[dict[str, Any]]:
        """The data points of a metric."""
        return list(self.told["metrics"].get(metric, {"points": []})["points"])

    def by(self, metric: str, fact: str, *attributes: str) -> dict[Any, Any]:
        """A fact of each data point, by its attributes."""
        return {
            tuple(point["attributes"].get(name) for name in attributes): point[fact] for point in self.points(metric)
        }


def measure(engine: Engine, folder: Path, *arguments: str, settings: str = ALL) -> Measured:
    """Run the program on an engine under fittrace, so that there is a trace beside the metrics."""
    require(engine)
    path = [ROOT, *filter(None, [engine.path, OPENTELEMETRY_3_7 if engine.legacy else None])]
    options = ["--quiet", "--python", str(engine.python), "--out", str(folder), "--name", "run"]
    command = [str(NEWEST[0].python), "-m", "fittrace", "run", *options, str(PROGRAM), engine.argument, *arguments]
    seen = folder / "seen.json"
    done = finish(start(command, environ(":".join(map(str, path)), SEEN=str(seen), SETTINGS=settings), folder))
    assert done.returncode == 0, done.stderr[-3000:]
    return Measured(engine, json.loads(seen.read_text()), fittrace.open(folder / "run"), done.stderr)


@pytest.fixture(scope="module", params=SLOW, ids=str)
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """The program on each engine, with fits in a hook, and data that run out."""
    return measure(request.param, tmp_path_factory.mktemp("measured"), "nested", "unknown")


def sums(rows: pd.DataFrame, column: str, *by: str) -> dict[Any, float]:
    """The sums of a column in seconds, by the values of others."""
    return {key: value / 1e9 for key, value in rows.groupby(list(by), observed=True)[column].sum().items()}


def close(seconds: dict[Any, float]) -> Any:
    """About these seconds, which are sums of floating-point numbers there and of whole ones here."""
    return pytest.approx({key if isinstance(key, tuple) else (key,): value for key, value in seconds.items()}, abs=1e-8)


def test_batches_last_as_long_as_in_the_trace(measured: Measured) -> None:
    batches = measured.trace.batches()
    stages = {(stage,): count for stage, count in batches.stage.value_counts().items() if count}
    assert measured.by("keras.batch.duration", "count", "keras.stage") == stages
    assert measured.by("keras.batch.duration", "sum", "keras.stage") == close(sums(batches, "duration_ns", "stage"))


def test_phases_last_as_long_as_in_the_trace(measured: Measured) -> None:
    batches = measured.trace.batches()
    told = measured.by("keras.batch.phase.duration", "sum", "keras.stage", "keras.phase")
    held = {
        (stage, phase): time for phase in BATCH_PHASES for stage, time in sums(batches, f"{phase}_ns", "stage").items()
    }
    assert told == close({key: held[key] for key in told})
    assert all(held[key] == 0 for key in held.keys() - told.keys())


def test_hooks_last_as_long_as_in_the_trace(measured: Measured) -> None:
    hooks = measured.trace.hooks()
    by = ("keras.stage", "keras.callback", "keras.hook")
    counts = hooks.groupby(["stage", "callback", "hook"], observed=True).size().to_dict()
    assert measured.by("keras.hook.duration", "count", *by) == counts
    assert measured.by("keras.hook.duration", "sum", *by) == close(
        sums(hooks, "duration_ns", "stage", "callback", "hook")
    )


def test_counters_say_what_the_trace_does(measured: Measured) -> None:
    batches = measured.trace.batches()
    for metric, held in (
        ("keras.batches", batches.groupby("stage", observed=True).size()),
        ("keras.samples", batches.groupby("stage", observed=True)["size"].sum()),
        ("keras.retraces", batches.groupby("stage", observed=True).retraced.sum()),
    ):
        assert measured.by(metric, "value", "keras.stage") == {(key,): value for key, value in held.items() if value}


def test_a_gauge_has_the_last_numbers_of_the_logs(measured: Measured) -> None:
    told = measured.by("keras.logs", "value", "keras.stage", "keras.logs.key")
    assert {("train", "loss"), ("train", "val_loss")} <= told.keys()
    logs = measured.trace.logs()
    epochs = logs[(logs.stage == "train") & (logs.hook == "on_epoch_end") & (logs.key == "val_loss")]
    assert told["train", "val_loss"] == epochs.value.iloc[-1]
    train = logs[(logs.stage == "train") & logs.hook.str.endswith("_end") & (logs.key == "loss")]
    # A model that trains in another's hook has the last word only while it trains.
    assert told["train", "loss"] in train.value.to_numpy()


def test_a_gauge_that_is_undone_says_nothing_more(measured: Measured) -> None:
    assert "keras.batches" in measured.told["after"]  # a sum stays what it is
    assert "keras.logs" not in measured.told["after"]


def test_exemplars_are_spans_of_the_trace(measured: Measured) -> None:
    from fittrace.export.otlp import requests

    known = {(span.context.span_id, span.context.trace_id) for spans in requests(measured.trace) for span in spans}
    exemplars = [tuple(one) for point in measured.points("keras.batch.duration") for one in point["exemplars"]]
    assert exemplars or measured.engine.legacy, "only OpenTelemetry for Python 3.7 has none"
    assert set(exemplars) <= known


def test_names_and_units(measured: Measured) -> None:
    assert measured.told["scopes"] == [[otel_names.SCOPE, __version__, otel_names.SCHEMA_URL]]
    for name, metric in measured.told["metrics"].items():
        assert (metric["unit"], metric["description"]) == otel_names.METRICS[name][1:]
        assert {key for point in metric["points"] for key in point["attributes"]} <= otel_names.METRIC_ATTRIBUTES.keys()


def test_nothing_is_said_to_the_program(measured: Measured) -> None:
    """A hook that trains leaves the numbers in the logs of the fit around it where they belong."""
    assert "ended span" not in measured.stderr
    assert not len(measured.trace.notes())


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Measured]:
    """The program as it is measured by default, on Keras 3."""
    return lambda *arguments: measure(NEWEST[0], tmp_path_factory.mktemp("default"), *arguments, settings="{}")


def test_counters_count_what_is_not_measured(default: Callable[..., Measured]) -> None:
    measured = default("unknown")
    batches = measured.trace.batches().groupby("stage", observed=True)
    assert measured.by("keras.batches", "value", "keras.stage") == {(key,): n for key, n in batches.size().items() if n}
    assert measured.by("keras.samples", "value", "keras.stage") == {
        (key,): n for key, n in batches["size"].sum().items() if n
    }
    sizes = batches.size()
    for (stage,), count in measured.by("keras.batch.duration", "count", "keras.stage").items():
        assert 1 <= count < sizes[stage]


def test_a_provider_that_is_set_later_measures_from_then_on(default: Callable[..., Measured]) -> None:
    measured = default("late")
    assert measured.by("keras.batches", "value", "keras.stage") == {("train",): 6}
