"""OTLP: every span of a trace arrives, once, inside the right one, through the SDK's exporter and in a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from named_rows import named_rows
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otel.receiver import Received, over_grpc, over_http

from fittrace.cli import main
from fittrace.export.otel_spans import Span, SpanChoice, spans_of
from fittrace.export.otlp import requests, send
from fittrace.schema import otel_names, sent_spans
from fittrace.schema.errors import FittraceError
from fittrace.schema.otel_names import Ids
from fittrace.schema.sent_batches import SentBatches
from fittrace.tables import TraceTables


def test_every_span_is_there_once(reference: TraceTables) -> None:
    spans = list(spans_of(reference))
    table = reference.spans()
    assert sorted(span.row.span for span in spans) == sorted(table.span)
    ids = {span.id for span in spans}
    assert len(ids) == len(spans) and all(span.parent is None or span.parent in ids for span in spans)


def test_parents_are_those_of_the_trace(reference: TraceTables) -> None:
    spans = {span.row.span: span for span in spans_of(reference)}
    for span in spans.values():
        if span.row.parent is not None:
            assert span.parent == spans[span.row.parent].id
        else:
            assert span.begins is not None and span.parent is None
        assert span.fit.trace == spans[span.fit.row["span"]].fit.trace
    assert len({span.fit.trace for span in spans.values()}) == len(reference.fits())


def test_ids_follow_from_the_tables(keras_3: TraceTables) -> None:
    """What they are for given facts is in an example of `schema.otel_names.Ids`."""
    process = keras_3.processes().iloc[0]
    ids = Ids(process.host, int(process.pid), int(process.start_ns))
    first = next(spans_of(keras_3))
    begun = keras_3.sql("SELECT start_ns, site FROM spans ORDER BY span LIMIT 1").iloc[0]
    place = int(begun.start_ns), int(begun.site)
    assert (first.fit.trace, first.id) == (ids.trace(*place), ids.span(*place))


@pytest.mark.parametrize("level", sent_spans.LEVELS)
def test_levels_and_batches_leave_out_and_keep_the_tree(level: str, keras_3: TraceTables) -> None:
    everything = {span.id: span for span in spans_of(keras_3)}
    chosen = list(spans_of(keras_3, SpanChoice(level, SentBatches(0.2))))
    ids = {span.id for span in chosen}
    for span in chosen:
        around = nearest(everything[span.id], everything, ids)
        assert span.parent == around
    batches = [span for span in chosen if span.name == "keras.batch"]
    whole = sum(span.name == "keras.batch" for span in everything.values())
    assert (0.1 < len(batches) / whole < 0.3) if level not in ("fit", "epoch") else not batches
    assert {span.name for span in chosen} <= otel_names.SPANS.keys()


def nearest(span: Span, everything: dict[int, Span], ids: set[int]) -> int | None:
    """The nearest around a span that is among `ids`."""
    parent = span.parent
    while parent is not None and parent not in ids:
        parent = everything[parent].parent
    return parent


def test_what_spans_tell(keras_3: TraceTables) -> None:
    spans = {span.row.span: span for span in spans_of(keras_3)}
    batches = keras_3.batches()
    for row, loss in zip(named_rows(batches), batches["logs.loss"], strict=True):
        told = spans[row.span].attributes()
        assert (told["keras.stage"], told["keras.batch"], told["keras.batch_size"]) == (row.stage, row.batch, row.size)
        assert told["keras.logs.loss"] == loss
    for row in named_rows(keras_3.hooks()):
        told = spans[row.span].attributes()
        assert (told["keras.callback"], told["keras.callback_position"]) == (row.callback, row.position)
        assert told["keras.hook"] == row.hook and spans[row.span].name == "keras.hook"
    logs = keras_3.logs().query("hook == 'on_epoch_end'")
    for span in spans.values():
        if span.name == "keras.epoch":
            told = {
                key[len(otel_names.LOGS) :]: value
                for key, value in span.attributes().items()
                if key.startswith(otel_names.LOGS)
            }
            of_epoch = logs[logs.epoch == span.row.epoch]
            assert told == dict(zip(of_epoch.key, of_epoch.value, strict=True))
    names = {name for span in spans.values() for name in span.attributes() if not name.startswith(otel_names.LOGS)}
    assert names <= otel_names.ATTRIBUTES.keys()


def test_a_failed_fit_tells_its_exception(tmp_path: Path) -> None:
    from reading.stores import write_run

    (spans,) = requests(TraceTables.open(write_run(tmp_path)))
    fit = spans[0]
    assert fit.status.is_ok is False and fit.status.description == "ValueError: no"
    (event,) = fit.events
    assert (event.name, dict(event.attributes)) == (
        "exception", {"exception.type": "ValueError", "exception.message": "no"},
    )  # fmt: skip
    # Hooks on a thread of their own are in the epoch that ran then.
    names = {span.context.span_id: span.name for span in spans}
    beside = next(span for span in spans if span.attributes["thread.name"] == "pool-0")
    assert names[beside.parent.span_id] == "keras.epoch"


def sent(received: Received) -> set[bytes]:
    return {span.span_id for span in received.spans}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_it_is_sent_through_the_sdk(
    protocol: str, all_of_them: TraceTables, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=red")
    with over_http() if protocol != "grpc" else over_grpc() as received:
        command = ["export", str(all_of_them.path), "--format", "otlp", "--endpoint", received.endpoint]
        assert main([*command, "--level", "epoch"]) == 0
    expected = [span for spans in requests(all_of_them, SpanChoice("epoch")) for span in spans]
    assert capsys.readouterr().out == f"{received.endpoint}: {len(expected)} spans\n"
    assert sent(received) == {span.context.span_id.to_bytes(8, "big") for span in expected}
    assert {resource["fittrace.run"] for resource in received.resources} == {run.name for run in all_of_them.runs}
    assert {resource["team"] for resource in received.resources} == {"red"}


@pytest.mark.parametrize("status", [403, 404])
def test_an_endpoint_that_refuses_is_one_line(
    status: int, keras_3: TraceTables, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with over_http(status=status) as received:
        assert main(["export", str(keras_3.path), "--format", "otlp", "--endpoint", received.endpoint]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and str(status) in err and "took 0 spans" in err
    assert caplog.text == ""


def test_an_unknown_protocol_is_an_error(keras_3: TraceTables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    with pytest.raises(FittraceError, match="use grpc or http/protobuf"):
        send(keras_3, "http://localhost:1")


def test_a_file_has_requests_in_otlp_s_json(keras_3: TraceTables, tmp_path: Path) -> None:
    file = tmp_path / "trace.jsonl"
    assert main(["export", str(keras_3.path), "--format", "otlp", "-o", str(file)]) == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    first = lines[0]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert int(first["spanId"], 16) == next(spans_of(keras_3)).id and first["kind"] == 1
    assert isinstance(first["startTimeUnixNano"], str)
    messages = [ParseDict(with_base64(line), ExportTraceServiceRequest()) for line in lines]
    spans = [
        span for message in messages for resource in message.resource_spans
        for scope in resource.scope_spans for span in scope.spans
    ]  # fmt: skip
    assert len(spans) == len({span.span_id for span in spans}) == len(keras_3.spans())


def with_base64(message: Any) -> Any:
    """OTLP's JSON as that of Protocol Buffers."""
    import base64

    if isinstance(message, dict):
        ids = ("traceId", "spanId", "parentSpanId")
        return {
            key: base64.b64encode(bytes.fromhex(value)).decode() if key in ids else with_base64(value)
            for key, value in message.items()
        }
    return [with_base64(item) for item in message] if isinstance(message, list) else message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "otlp"], "export: no output given; give a path with -o, or an address with --endpoint"),
        (["--format", "chrome"], "export: no output given; give a path with -o\n"),
        (["--format", "chrome", "--endpoint", "http://x"], "export: --endpoint needs --format otlp"),
        (["--format", "otlp", "--endpoint", "http://x", "-o", "y"], "export: --endpoint needs --format otlp"),
    ],
)
def test_bad_arguments_are_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "nowhere", *words]) == 2
    assert capsys.readouterr().err.startswith(f"fittrace: {message}")


def test_numbers_that_are_none(keras_3: TraceTables) -> None:
    """A loss that is no number is told as it is; a key that a batch was never given is not."""
    for span in spans_of(keras_3):
        assert not any(math.isnan(value) for value in span.logs.values())
