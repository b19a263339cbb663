"""The pipeline of spans: the SDK's own processor queues them and its own exporter sends them, in threads of their own.

This adds three things. A training never waits for the queue. Its end waits only a short time. And what was not sent is
counted and reported.
"""

from __future__ import annotations

import os
from typing import Any, Sequence

from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from ...otlp_exporters import Quiet, exporter
from .shutdown import Shutdown

_QUEUE = 2048
"""Spans in the queue of the SDK's processor by default."""


class CountedSpanExporter(SpanExporter):
    """Exports through the SDK's `exporter` without its log lines, and counts the spans that were `sent` or `failed`."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter
        self._quiet = Quiet()
        self.sent = 0
        self.failed = 0

    @property
    def reason(self) -> str:
        """Why the first failed spans were not sent."""
        return self._quiet.reason

    @property
    def is_well(self) -> bool:
        """Whether nothing has failed so far."""
        return not self.failed

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send the spans."""
        with self._quiet:
            result = SpanExportResult.FAILURE
            try:
                result = self._exporter.export(spans)
            finally:
                if result is SpanExportResult.SUCCESS:
                    self.sent += len(spans)
                else:
                    self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        with self._quiet:
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: this exporter has no queue."""
        return True


class BoundedSpanProcessor(SpanProcessor):
    """Hands spans to the SDK's processor as long as its queue has room.

    The processor would log a line for each span that finds no room.
    """

    def __init__(self, sent: CountedSpanExporter) -> None:
        self._sent = sent
        self._most = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE) or _QUEUE)
        self._processor = BatchSpanProcessor(sent)
        self.ended = 0
        self._queued = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Do nothing: only ended spans are sent."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span."""
        if not span.context.trace_flags.sampled:
            return
        self.ended += 1
        if self._queued - self._sent.sent - self._sent.failed < self._most:
            self._queued += 1
            self._processor.on_end(span)

    def shutdown(self) -> None:
        """Send what is queued."""
        self._processor.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what is queued."""
        return bool(self._processor.force_flush(timeout_millis))


class SpanPipeline:
    """Sends the spans of one process to `endpoint`, through a `provider` of its own."""

    def __init__(self, resource: Resource, endpoint: "str | None") -> None:
        self._sent = CountedSpanExporter(exporter("traces", endpoint))
        self._processor = BoundedSpanProcessor(self._sent)
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.provider.add_span_processor(self._processor)
        self.closing = Shutdown(self._processor.shutdown)

    def close(self) -> "str | None":
        """Wait until the queued spans are sent. If sending has failed before, do not wait.

        Returns a message about spans that were not sent. None if all were sent.
        """
        if self._sent.is_well:
            self.closing.wait()
        missing = self._processor.ended - self._sent.sent
        if not missing:
            return None
        reason = " (%s)" % self._sent.reason if self._sent.reason else ""
        remedy = "`fittrace export --format otlp --endpoint URL` sends them all"
        return "%d of %d spans were not sent%s; %s" % (missing, self._processor.ended, reason, remedy)
