"""Spans of the OpenTelemetry SDK, with ids derived from the records, and with the times of the records."""

from __future__ import annotations

import threading
import traceback
from typing import Any, Callable

from opentelemetry import trace
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import NoOpTracer, NoOpTracerProvider, ProxyTracerProvider, Status, StatusCode

from ..capture.record.exception_text import error_text
from ..schema.otel_names import SCHEMA_URL, SCOPE
from ..version import __version__


class DerivedIdGenerator(threading.local, IdGenerator):
    """Gives the next span of a thread the ids that the thread has set here.

    - `span`: the id of the span.
    - `trace`: called for the id of its trace, if the span begins one.
    """

    span = 0
    trace: "Callable[[], int]" = staticmethod(int)

    def generate_span_id(self) -> int:
        """The id of the next span."""
        return self.span

    def generate_trace_id(self) -> int:
        """The id of the trace that the next span begins."""
        return self.trace()


class Tracers:
    """Provides the tracer that starts spans.

    - `provider`: called for the tracer provider, which may change at any time.
    - `ids`: gives the ids of the spans that are started.
    """

    def __init__(self, provider: Callable[[], Any] = trace.get_tracer_provider) -> None:
        self.ids = DerivedIdGenerator()
        self._provider = provider
        self._last: Any = None
        self._tracer: Any = None

    def tracer(self) -> Any:
        """The tracer. None if no provider receives the spans."""
        provider = self._provider()
        if provider is not self._last:
            self._last, self._tracer = provider, self._of(provider)
        return self._tracer

    def _of(self, provider: Any) -> Any:
        if isinstance(provider, (ProxyTracerProvider, NoOpTracerProvider)):
            return None  # the program has set none yet, or wants none
        tracer = provider.get_tracer(SCOPE, __version__, schema_url=SCHEMA_URL)
        if isinstance(tracer, NoOpTracer):
            return None  # OTEL_SDK_DISABLED
        if hasattr(tracer, "id_generator"):
            # The SDK keeps a tracer for each scope. This scope is ours, so no other library uses the tracer.
            tracer.id_generator = self.ids
        return tracer


def fail(span: Any, error: "BaseException | None", time_ns: int) -> None:
    """Record that an exception left a span, as OpenTelemetry's semantic conventions say.

    - `span`: the span.
    - `error`: the exception. Its class may be the program's, so none of its code is run.
    - `time_ns`: when it left the span, in Unix nanoseconds.
    """
    text = error_text(error)
    attributes = {"exception.type": text.partition(": ")[0], "exception.message": text.partition(": ")[2]}
    if error is not None:
        kind = type(error)
        module = type.__dict__["__module__"].__get__(kind)
        if type(module) is str and module != "builtins":
            attributes["exception.type"] = "%s.%s" % (module, attributes["exception.type"])
        attributes["exception.stacktrace"] = "".join(traceback.format_tb(error.__traceback__)) + text
    span.add_event("exception", attributes, timestamp=time_ns)
    span.set_status(Status(StatusCode.ERROR, text))
