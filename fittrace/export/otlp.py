"""OTLP: sends a trace's spans with the OpenTelemetry SDK's exporter, or writes them into a file as OTLP in JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from ..otlp_exporters import Quiet, exporter, missing
from ..schema import otel_names
from ..schema.errors import FittraceError
from ..tables import TraceTables
from ..version import __version__
from .fit_facts import Process, alone
from .otel_spans import EVERYTHING, Span, SpanChoice, spans_of

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

AT_ONCE = 512
"""Spans in a request, and in a line of a file."""

Progress = Callable[[int], None]
"""Called with the number of spans that are done so far."""


def send(
    trace: TraceTables, endpoint: str | None, choice: SpanChoice = EVERYTHING, progress: Progress = lambda sent: None
) -> int:
    """Send the spans of a trace. Returns their number.

    - `trace`: the trace, of any number of runs.
    - `endpoint`: a URL. None: the endpoint that the `OTEL_*` variables name.
    - `choice`: which spans to send.
    - `progress`: called after each request.

    Raises `FittraceError` if the SDK is not installed, or if the endpoint refuses the spans.
    """
    sent = 0
    through = exporter("traces", endpoint)
    try:
        from opentelemetry.sdk.trace.export import SpanExportResult

        with Quiet() as quiet:
            for spans in requests(trace, choice):
                if through.export(spans) is not SpanExportResult.SUCCESS:
                    where = endpoint or getattr(through, "_endpoint", "the endpoint")
                    raise FittraceError(f"{where}: took {sent} spans, then no more ({quiet.reason}); is it running?")
                sent += len(spans)
                progress(sent)
    finally:
        through.shutdown()
    return sent


def write(
    trace: TraceTables, file: IO[str], choice: SpanChoice = EVERYTHING, progress: Progress = lambda written: None
) -> int:
    """Write the spans of a trace into `file`, an OTLP request in JSON on each line. Returns their number.

    A Collector's file receiver reads such files. The parameters are those of `send`. Raises `FittraceError` if the SDK
    is not installed.
    """
    try:
        from google.protobuf.json_format import MessageToDict
        from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    except ImportError as error:
        raise missing("opentelemetry-exporter-otlp-proto-http", error) from None
    written = 0
    for spans in requests(trace, choice):
        message = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        file.write(json.dumps(_with_hexadecimal_ids(message), separators=(",", ":")) + "\n")
        written += len(spans)
        progress(written)
    return written


def requests(trace: TraceTables, choice: SpanChoice = EVERYTHING) -> Iterator[list[ReadableSpan]]:
    """The spans of a trace as spans of the SDK, in lists of at most `AT_ONCE`."""
    for run in trace.runs:
        resources: dict[int, Resource] = {}
        spans = (readable(span, resources) for span in spans_of(alone(run), choice))
        while request := list(islice(spans, AT_ONCE)):
            yield request


def readable(span: Span, resources: dict[int, Resource]) -> ReadableSpan:
    """A span as an ended span of the SDK. `resources` caches the resource of each process, by number."""
    try:
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
    except ImportError as absent:
        raise missing("opentelemetry-sdk", absent) from None
    sampled = TraceFlags(TraceFlags.SAMPLED)
    trace = span.fit.trace
    error = span.begins.row["error"] if span.begins is not None else None
    events = [Event("exception", _exception(error), span.end_ns)] if error is not None else []
    failed = span.row.status == "error" or error is not None
    return ReadableSpan(
        name=span.name,
        context=SpanContext(trace, span.id, is_remote=False, trace_flags=sampled),
        parent=None if span.parent is None else SpanContext(trace, span.parent, is_remote=False, trace_flags=sampled),
        resource=_resource(span.process, resources),
        attributes=span.attributes(),
        events=events,
        status=Status(StatusCode.ERROR, error) if failed else Status(StatusCode.UNSET),
        start_time=span.row.start_ns,
        end_time=span.end_ns,
        instrumentation_scope=InstrumentationScope(otel_names.SCOPE, __version__, otel_names.SCHEMA_URL),
    )


def _resource(process: Process, resources: dict[int, Resource]) -> Resource:
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    if process.number not in resources:
        # Merge only what the user sets in the environment. The SDK's other detectors describe the exporting process,
        # not the traced one.
        resources[process.number] = Resource(process.resource()).merge(OTELResourceDetector().detect())
    return resources[process.number]


def _exception(error: str) -> dict[str, str]:
    """The attributes of an exception event. `error` is `type: message`."""
    kind, _, message = error.partition(": ")
    return {"exception.type": kind, "exception.message": message}


_IDS = ("traceId", "spanId", "parentSpanId")


def _with_hexadecimal_ids(message: Any) -> Any:
    """Encode ids in hexadecimal, as OTLP asks. The JSON of Protocol Buffers has them in base64."""
    if isinstance(message, dict):
        return {
            key: base64.b64decode(value).hex() if key in _IDS else _with_hexadecimal_ids(value)
            for key, value in message.items()
        }
    return [_with_hexadecimal_ids(item) for item in message] if isinstance(message, list) else message
