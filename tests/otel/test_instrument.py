"""`opentelemetry-instrument`, as a process of its own: fittrace need only be installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from fittrace.tables import TraceTables

from .conftest import PROGRAMS, environment
from .receiver import Received

INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")


def instrumented(receiver: Received, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command under it."""
    sends = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_SERVICE_NAME": "instrumented",
        "OTEL_PYTHON_KERAS_BATCHES": "1",
    }
    return subprocess.run(
        [str(INSTRUMENT), *command],
        env=environment(**sends | variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def names(receiver: Received) -> Counter[str]:
    return Counter(span.name for span in receiver.spans)


def test_it_sends_the_spans_of_each_fit(receiver: Received) -> None:
    done = instrumented(receiver, sys.executable, str(PROGRAMS / "train.py"), "plain", "alone")
    assert "the end" in done.stdout
    assert names(receiver) == {
        "keras.fit": 1, "keras.evaluate": 1, "keras.epoch": 3, "keras.validation": 3, "keras.batch": 75,
        "keras.slice": 7,
    }  # fmt: skip
    (resource,) = receiver.resources
    assert resource["service.name"] == "instrumented"


def test_it_measures_where_metrics_are_exported(receiver: Received) -> None:
    instrumented(receiver, sys.executable, str(PROGRAMS / "train.py"), "plain", OTEL_METRICS_EXPORTER="otlp")
    assert {"keras.batch.duration", "keras.hook.duration", "keras.batches"} <= receiver.metrics.keys()
    points = receiver.metrics["keras.batches"].sum.data_points
    assert sum(point.as_int for point in points) == names(receiver)["keras.batch"]


def test_it_leaves_no_trace_of_its_own(receiver: Received, tmp_path: Path) -> None:
    program = shutil.copy(PROGRAMS / "train.py", tmp_path)
    instrumented(receiver, sys.executable, str(program), "plain")
    assert [path.name for path in tmp_path.iterdir()] == ["train.py"]


@pytest.mark.parametrize(
    "variables", [{"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "keras"}, {"OTEL_SDK_DISABLED": "true"}]
)
def test_it_can_be_turned_off(variables: dict[str, str], receiver: Received) -> None:
    instrumented(receiver, sys.executable, str(PROGRAMS / "train.py"), "plain", **variables)
    assert receiver.spans == []


def test_a_level_by_the_environment(receiver: Received) -> None:
    instrumented(receiver, sys.executable, str(PROGRAMS / "train.py"), "plain", OTEL_PYTHON_KERAS_LEVEL="fit")
    assert names(receiver) == {"keras.fit": 1}


def test_a_fit_may_be_recorded_meanwhile(receiver: Received, tmp_path: Path) -> None:
    """`fittrace.trace` in a program that is instrumented: both go on, and name the same spans."""
    code = (
        f"import fittrace, keras\nwith fittrace.trace(out={str(tmp_path)!r}, name='run'):\n"
        "    keras.Model().fit(3, 1)\nkeras.Model().fit(2, 1)"
    )
    instrumented(receiver, sys.executable, "-c", code, OTEL_PYTHON_KERAS_LEVEL="all")
    fits = [span for span in receiver.spans if span.name == "keras.fit"]
    trace = TraceTables.open(tmp_path / "run")
    assert len(fits) == 2 and len(trace.fits()) == 1

    from fittrace.export.otlp import requests

    recorded = {f"{span.context.span_id:016x}" for spans in requests(trace) for span in spans}
    assert recorded <= receiver.by_id().keys()


def test_the_trace_names_the_span_around_a_fit(receiver: Received, tmp_path: Path) -> None:
    """Under `fittrace run` as well: what a later export sends goes into the program's own trace."""
    code = (
        "from opentelemetry import trace\nimport fittrace, keras\n"
        f"with fittrace.trace(out={str(tmp_path)!r}, name='run'):\n"
        "    with trace.get_tracer('program').start_as_current_span('mine'):\n        keras.Model().fit(3, 1)\n"
    )
    instrumented(receiver, sys.executable, "-c", code)
    (mine,) = [span for span in receiver.spans if span.name == "mine"]

    from fittrace.export.otlp import requests

    spans = [span for spans in requests(TraceTables.open(tmp_path / "run")) for span in spans]
    assert {span.context.trace_id.to_bytes(16, "big") for span in spans} == {mine.trace_id}
    assert spans[0].parent.span_id.to_bytes(8, "big") == mine.span_id


IN_A_CHILD = """
import os
import sys
import keras
if os.fork():
    sys.exit(os.wait()[1])
from fittrace.otel import KerasInstrumentor
KerasInstrumentor().instrument()
keras.Model().fit(2)
"""


def test_a_forked_child_that_is_instrumented_late_has_one_main_thread(tmp_path: Path) -> None:
    """Its parent has imported Keras under `fittrace run`. Instrumenting then replaces the recorder of the thread."""
    script = tmp_path / "script.py"
    script.write_text(IN_A_CHILD)
    options = ["--quiet", "--out", str(tmp_path), "--name", "run"]
    command = [sys.executable, "-m", "fittrace", "run", *options, str(script)]
    subprocess.run(command, env=environment(), check=True)
    assert set(TraceTables.open(tmp_path / "run").spans()["thread"]) == {"MainThread"}
