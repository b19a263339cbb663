"""An OTLP receiver in this process, over HTTP or gRPC: what is sent to it, as OpenTelemetry's own messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

Attributes = dict[str, Any]


class Received:
    """What a receiver has got; `endpoint` is where it listens."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.metric_requests: list[ExportMetricsServiceRequest] = []
        self.endpoint = ""

    @property
    def spans(self) -> list[Any]:
        """All spans so far."""
        return [span for spans in self._scopes() for span in spans.spans]

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics as they were sent last, by name."""
        resources = [one for request in self.metric_requests for one in request.resource_metrics]
        return {metric.name: metric for one in resources for scope in one.scope_metrics for metric in scope.metrics}

    @property
    def scopes(self) -> set[tuple[str, str, str]]:
        """The name, version and schema of every instrumentation scope."""
        return {(spans.scope.name, spans.scope.version, spans.schema_url) for spans in self._scopes()}

    @property
    def resources(self) -> list[Attributes]:
        """The attributes of every resource, each once."""
        found: list[Attributes] = []
        for request in self.requests:
            for spans in request.resource_spans:
                attributes = attributes_of(spans.resource)
                found += [attributes] if attributes not in found else []
        return found

    def by_id(self) -> dict[str, tuple[Any, ...]]:
        """Of every span: parent, trace, name, start, end and attributes, by its id."""
        return {span.span_id.hex(): facts(span) for span in self.spans}

    def _scopes(self) -> list[Any]:
        resources = [spans for request in self.requests for spans in request.resource_spans]
        return [spans for resource in resources for spans in resource.scope_spans]


def facts(span: Any) -> tuple[Any, ...]:
    """What a span tells."""
    times = span.start_time_unix_nano, span.end_time_unix_nano
    return span.parent_span_id.hex(), span.trace_id.hex(), span.name, *times, attributes_of(span)


def attributes_of(thing: Any) -> Attributes:
    """The attributes of a span or a resource."""
    return {one.key: _value(one.value) for one in thing.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def over_http(status: int = 200, wait: Callable[[], object] = lambda: None) -> Iterator[Received]:
    """A receiver over HTTP, which answers with `status`, after `wait`."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            wait()
            if status == 200 and self.path == "/v1/traces":
                received.requests.append(ExportTraceServiceRequest.FromString(body))
            elif status == 200 and self.path == "/v1/metrics":
                received.metric_requests.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_grpc() -> Iterator[Received]:
    """A receiver over gRPC."""
    received = Received()

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:
            received.requests.append(request)
            return ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)
    received.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield received
    finally:
        server.stop(None).wait()
