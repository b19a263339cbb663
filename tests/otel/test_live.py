"""What `fittrace run --otlp` sends, to real receivers: what the trace holds, whatever becomes of the sending."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from fittrace import __version__
from fittrace.export.otel_spans import SpanChoice
from fittrace.export.otlp import requests
from fittrace.schema import otel_names
from fittrace.schema.sent_batches import DEFAULT, SentBatches
from fittrace.tables import TraceTables

from .conftest import PROGRAMS, Run, environment
from .receiver import Received, facts, over_grpc, over_http

Open = Callable[[], TraceTables]
EXPORT_ALONE = ("keras.fit", "keras.unfinished")
"""What only an export tells: the number of a fit is known when the run is over."""


def exported(trace: TraceTables, choice: SpanChoice) -> dict[str, tuple[Any, ...]]:
    """What an export would send."""
    messages = [encode_spans(spans) for spans in requests(trace, choice)]
    resources = [spans for message in messages for spans in message.resource_spans]
    spans = [span for resource in resources for scope in resource.scope_spans for span in scope.spans]
    return {span.span_id.hex(): facts(span) for span in spans}


def without(spans: dict[str, tuple[Any, ...]], names: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    """The same without these attributes."""
    return {
        key: (*rest, {name: value for name, value in attributes.items() if name not in names})
        for key, (*rest, attributes) in spans.items()
    }


@pytest.mark.parametrize(
    ("level", "batches"),
    [
        *[("fit", "1"), ("epoch", "1"), ("batch", "0.4"), ("hooks", "0.4")],
        *[("batch", "200/s"), ("hooks", "200/s"), ("all", "1")],
    ],
)
def test_it_sends_what_the_trace_holds(level: str, batches: str, run: Run, receiver: Received, trace: Open) -> None:
    options = ("--otlp-level", level, "--otlp-batches", batches)
    done = run("plain", "alone", "raising", "nested", "unknown", otlp=receiver.endpoint, options=options)
    assert done.returncode == 0 and done.stderr == ""
    sent = receiver.by_id()
    assert len(sent) == len(receiver.spans) > 0
    # A slice is inside its batch before the number of this is known, and knows it only in the trace. A turn in which
    # the data ran out had its numbers already.
    early = ("keras.batch", "keras.epoch", "keras.last_batch")
    held = without(exported(trace(), SpanChoice(level, SentBatches.of(batches))), EXPORT_ALONE)
    assert held.keys() <= sent.keys()
    # The fetch that found no more data is one slice in the trace; while it went on it was one in a batch to come.
    for key in sent.keys() - held.keys():
        parent, _, name, *_ = sent[key]
        assert name == sent[parent][2] == "keras.slice"
    for key in held:
        span = sent[key]
        dropped = early if span[2] in ("keras.slice", "keras.make_batches") else ()
        assert without({key: span}, dropped) == without({key: held[key]}, dropped)


@pytest.mark.parametrize("asked", [None, "50/s"])
def test_of_each_second_the_first_batch_is_sent(asked: str | None, run: Run, receiver: Received, trace: Open) -> None:
    run("many", otlp=receiver.endpoint, options=() if asked is None else ("--otlp-batches", asked))
    period_ns = 1_000_000_000 if asked is None else 20_000_000
    batches = trace().batches()
    first = batches.groupby(batches.start_ns // period_ns).start_ns.min()
    sent = sorted(span.start_time_unix_nano for span in receiver.spans if span.name == "keras.batch")
    assert sent == first.tolist()
    assert batches.start_ns.min() in sent and len(batches) > 100 * len(sent)


def test_metrics_are_not_sent_unasked(run: Run, receiver: Received) -> None:
    run("plain", otlp=receiver.endpoint)
    assert receiver.spans and not receiver.metrics


def test_metrics_are_sent_where_the_environment_asks_for_them(run: Run, receiver: Received, trace: Open) -> None:
    done = run("plain", otlp=receiver.endpoint, OTEL_METRICS_EXPORTER="otlp")
    assert done.stderr == ""
    assert (
        {"keras.batch.duration", "keras.batches", "keras.logs"} <= receiver.metrics.keys() <= otel_names.METRICS.keys()
    )
    counts = trace().batches().groupby("stage", observed=True).size()
    sent = {
        point.attributes[0].value.string_value: point.as_int
        for point in receiver.metrics["keras.batches"].sum.data_points
    }
    assert sent == {stage: count for stage, count in counts.items() if count}
    (resource,) = {
        one.resource.SerializeToString() for request in receiver.metric_requests for one in request.resource_metrics
    }
    assert b"train" in resource


def test_metrics_that_are_refused_are_told_once(run: Run, trace: Open) -> None:
    with over_http(status=404) as refusing:
        run("plain", otlp=refusing.endpoint, OTEL_METRICS_EXPORTER="otlp")
    told = trace().notes().message.tolist()
    assert [message.startswith("metrics were not sent (") for message in told] == [False, True]
    assert "404" in told[1]


def test_threads_and_forks_send_their_own(run: Run, receiver: Received, trace: Open) -> None:
    run("threads", "forking", otlp=receiver.endpoint, options=("--otlp-level", "all", "--otlp-batches", "1"))
    assert exported(trace(), SpanChoice()).keys() <= receiver.by_id().keys()
    names = Counter(span.name for span in receiver.spans)
    assert names["keras.fit"] == 5
    processes = {resource["process.pid"] for resource in receiver.resources}
    assert processes == set(trace().processes().pid) and len(processes) == 2
    parents = {span.span_id for span in receiver.spans} | {b""}
    assert all(span.parent_span_id in parents for span in receiver.spans)


def test_the_default_is_fits_epochs_and_some_batches(run: Run, receiver: Received, trace: Open) -> None:
    run("plain", "many", otlp=receiver.endpoint)
    names = Counter(span.name for span in receiver.spans)
    assert names.pop("keras.fit") == 2 and names.pop("keras.epoch") == 4 and names.pop("keras.validation") == 3
    assert 0 < names.pop("keras.batch") < 20
    assert not names - Counter({"keras.slice": 10})  # one that found no more data


def test_who_sends(run: Run, receiver: Received) -> None:
    run("alone", otlp=receiver.endpoint)
    assert receiver.scopes == {("fittrace", __version__, otel_names.SCHEMA_URL)}
    (resource,) = receiver.resources
    assert resource["service.name"] == "train" and resource["fittrace.run"] == "run"
    assert otel_names.RESOURCE.keys() - resource.keys() == {"fittrace.rank"}


def test_the_environment_is_honoured(run: Run, receiver: Received) -> None:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_SERVICE_NAME": "mine",
        "OTEL_RESOURCE_ATTRIBUTES": "team=red,host.name=other",
        "OTEL_PYTHON_KERAS_LEVEL": "epoch",
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "3",
    }
    run("plain", **variables)
    (resource,) = receiver.resources
    assert (resource["service.name"], resource["team"], resource["host.name"]) == ("mine", "red", "other")
    assert {span.name for span in receiver.spans} == {"keras.fit", "keras.epoch", "keras.validation"}
    assert max(len(span.attributes) for span in receiver.spans) == 3


@pytest.mark.parametrize("variables", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_SAMPLER": "always_off"}])
def test_the_environment_may_turn_it_off(variables: dict[str, str], run: Run, receiver: Received, trace: Open) -> None:
    assert run("plain", otlp=receiver.endpoint, **variables).returncode == 0
    assert receiver.spans == []
    assert len(trace().fits()) == 1 and trace().notes().empty


def test_over_grpc(run: Run, trace: Open) -> None:
    with over_grpc() as received:
        run("plain", otlp=received.endpoint, options=("--otlp-batches", "1"), OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
        assert received.by_id().keys() == exported(trace(), SpanChoice("batch")).keys()


def test_an_exception_is_recorded(run: Run, receiver: Received) -> None:
    run("raising", otlp=receiver.endpoint, options=("--otlp-level", "all", "--otlp-batches", "1"))
    failed = [span for span in receiver.spans if span.status.code == 2]
    assert {"keras.fit", "keras.epoch", "keras.batch", "keras.hooks", "keras.hook"} == {span.name for span in failed}
    for span in failed:
        (event,) = span.events
        told = {one.key: one.value.string_value for one in event.attributes}
        assert (event.name, told["exception.type"], told["exception.message"]) == ("exception", "ValueError", "enough")
        assert 'raise ValueError("enough")' in told["exception.stacktrace"]
        assert span.status.message == "ValueError: enough"


def plain_run(*scenarios: str) -> str:
    """What the program prints without fittrace."""
    command = [sys.executable, str(PROGRAMS / "train.py"), *scenarios]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, check=True).stdout


def test_the_program_is_as_it_was(run: Run, receiver: Received) -> None:
    """Its random numbers too, which the SDK would take for its ids and its waiting."""
    options = ("--otlp-level", "all", "--otlp-batches", "1")
    assert run("plain", otlp=receiver.endpoint, options=options).stdout == plain_run("plain")


def notes(trace: TraceTables) -> list[str]:
    messages: list[str] = trace.notes().query("kind == 'otlp'").message.tolist()
    return messages


def test_a_dead_endpoint_is_said_once(run: Run, trace: Open) -> None:
    done = run("plain", "many", otlp="http://127.0.0.1:9", OTEL_BSP_SCHEDULE_DELAY="10")
    assert done.returncode == 0 and done.stderr == "" and done.stdout == plain_run("plain", "many")
    (note,) = notes(trace())
    count = sum(map(len, requests(trace(), SpanChoice("batch", DEFAULT))))
    assert note.startswith(f"{count} of {count} spans were not sent") and "refused" in note
    assert "fittrace export --format otlp" in note


def test_a_refusing_endpoint_is_said_once(run: Run, trace: Open) -> None:
    with over_http(status=403) as received:
        done = run("plain", otlp=received.endpoint, OTEL_BSP_SCHEDULE_DELAY="10")
    assert done.returncode == 0 and done.stderr == ""
    (note,) = notes(trace())
    assert "were not sent" in note and "403" in note


def test_a_slow_endpoint_holds_nobody_up(run: Run, trace: Open) -> None:
    """It answers nobody before the program has ended."""
    answer = threading.Event()
    with over_http(wait=answer.wait) as received:
        done = run("plain", otlp=received.endpoint, OTEL_BSP_SCHEDULE_DELAY="10", OTEL_EXPORTER_OTLP_TIMEOUT="600")
        answer.set()
    assert done.returncode == 0 and done.stdout == plain_run("plain")
    (note,) = notes(trace())
    assert "were not sent" in note


def test_a_full_queue_is_counted(run: Run, trace: Open) -> None:
    sizes = {"OTEL_BSP_MAX_QUEUE_SIZE": "16", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16"}
    with over_http(wait=lambda: time.sleep(0.3)) as received:
        done = run("many", otlp=received.endpoint, options=("--otlp-batches", "1"), **sizes)
        assert done.stderr == ""
        sent = len(received.spans)
    (note,) = notes(trace())
    count = sum(map(len, requests(trace(), SpanChoice("batch"))))
    assert note.startswith(f"{count - sent} of {count} spans were not sent") and 0 < sent < count


def test_what_was_open_when_it_died_is_sent_too(run: Run, receiver: Received, trace: Open) -> None:
    options = ("--otlp-level", "all", "--otlp-batches", "1")
    done = run("dying", otlp=receiver.endpoint, options=options, OTEL_BSP_SCHEDULE_DELAY="20")
    assert done.returncode == -9
    open_at_the_end = exported(trace(), SpanChoice(unfinished=True))
    assert [span[2] for span in open_at_the_end.values()] == [
        "keras.fit", "keras.epoch", "keras.batch", "keras.hooks", "keras.hook",
    ]  # fmt: skip
    assert open_at_the_end.items() <= receiver.by_id().items()
    assert exported(trace(), SpanChoice()).keys() <= receiver.by_id().keys()


def test_without_the_sdk_it_says_so(run: Run, trace: Open, tmp_path: Path) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")  # hides the real one
    path = f"{tmp_path}:{environment()['PYTHONPATH']}"
    done = run("plain", otlp="http://127.0.0.1:9", PYTHONPATH=path)
    assert done.returncode == 0 and "the end" in done.stdout
    (note,) = notes(trace())
    assert "no spans are sent" in note and "fittrace[otel]" in note


def test_bad_settings_are_refused(run: Run) -> None:
    for options in (("--otlp-level", "everything"), ("--otlp-batches", "2"), ("--otlp-batches", "5/min")):
        done = run("plain", options=options)
        assert done.returncode == 2 and "usage: fittrace run" in done.stderr
