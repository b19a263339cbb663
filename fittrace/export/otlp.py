"""OTLP: a trace's spans through the OpenTelemetry SDK's own exporter, or into a file as its own messages in JSON."""

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
"""Spans in one request, and in one line of a file."""

Progress = Callable[[int], None]


def send(
    trace: TraceTables, endpoint: str | None, choice: SpanChoice = EVERYTHING, progress: Progress = lambda sent: None
) -> int:
    """Send the spans of a trace to `endpoint`, or where the `OTEL_*` variables say; how many there were.

    Raises `FittraceError` where the SDK is not installed, or the endpoint does not take them.
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
    """Write the spans of a trace into `file`, a request of OTLP in JSON on each line; how many there were.

    A Collector's file receiver reads that. Raises `FittraceError` where the SDK is not installed.
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
    """The spans of a trace as the SDK has them, as many in a list as go into one request."""
    for run in trace.runs:
        resources: dict[int, Resource] = {}
        spans = (readable(span, resources) for span in spans_of(alone(run), choice))
        while some := list(islice(spans, AT_ONCE)):
            yield some


def readable(span: Span, resources: dict[int, Resource]) -> ReadableSpan:
    """A span as the SDK has it when it has ended; `resources` are those of the processes so far."""
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
        # Only what the user says of it: the SDK would say what process this is, not that of the trace.
        resources[process.number] = Resource(process.resource()).merge(OTELResourceDetector().detect())
    return resources[process.number]


def _exception(error: str) -> dict[str, str]:
    kind, _, message = error.partition(": ")
    return {"exception.type": kind, "exception.message": message}


_IDS = ("traceId", "spanId", "parentSpanId")


def _with_hexadecimal_ids(message: Any) -> Any:
    """OTLP's one departure from the JSON of Protocol Buffers: ids are hexadecimal, not base64."""
    if isinstance(message, dict):
        return {
            key: base64.b64decode(value).hex() if key in _IDS else _with_hexadecimal_ids(value)
            for key, value in message.items()
        }
    return [_with_hexadecimal_ids(item) for item in message] if isinstance(message, list) else message
