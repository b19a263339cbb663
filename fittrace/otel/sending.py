"""Sending: what `fittrace run --otlp` sends with, apart from whatever OpenTelemetry the program has set up itself.

The SDK's own processor queues spans and its own exporter sends them, in threads of theirs. Here is what they leave
open: a training waits for nothing, its end for no longer than `PATIENCE_S`, and what was not sent is counted and told.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Sequence

from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from ..capture import Session
from ..capture.facts import facts
from ..otlp import Quiet, span_exporter
from ..schema.otel import resource
from .following import Following
from .meters import Meters
from .settings import settings
from .spans import Tracers

ENDPOINT = "FITTRACE_OTLP"
"""The environment variable that asks for it: an endpoint, or empty for where the `OTEL_*` variables say."""
PATIENCE_S = 3
"""How long a program that ends waits for the last spans to be sent."""
_QUEUE = 2048


class Sent(SpanExporter):  # type: ignore[misc]
    """Exports through the SDK's `exporter`, quietly, and counts; `reason` is why the first spans were not sent."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter
        self._quiet = Quiet()
        self.sent = 0
        self.failed = 0

    @property
    def reason(self) -> str:
        """What the exporter said of its first failure."""
        return self._quiet.reason

    @property
    def is_well(self) -> bool:
        """Whether there is hope for what is still to be sent: nothing has failed so far."""
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
        """Let go of the connection."""
        with self._quiet:
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing waits here."""
        return True


class Bounded(SpanProcessor):  # type: ignore[misc]
    """Hands spans to the SDK's processor as long as its queue has room: for each that finds none it logs a line."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._most = int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE) or _QUEUE)
        self._processor = BatchSpanProcessor(sent)
        self.ended = 0
        self._queued = 0

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """Nothing is to be done yet."""

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


class _Pipeline:
    """What sends the spans of one process."""

    def __init__(self, session: Session, endpoint: "str | None") -> None:
        self.pid = os.getpid()
        self._sent = Sent(span_exporter(endpoint))
        self._processor = Bounded(self._sent)
        self.provider = TracerProvider(resource=_resource(session), shutdown_on_exit=False)
        self.provider.add_span_processor(self._processor)
        self._over = threading.Event()
        self._closed = threading.Event()
        # Now: at the very end of a program no thread can be started any more.
        threading.Thread(target=self._finish, name="fittrace-otlp", daemon=True).start()

    def _finish(self) -> None:
        self._over.wait()
        self._processor.shutdown()
        self._closed.set()

    def close(self) -> "str | None":
        """Send what is left, for as long as there is patience. What there is to say of what was not sent."""
        self._over.set()
        self._closed.wait(PATIENCE_S if self._sent.is_well else 0)
        missing = self._processor.ended - self._sent.sent
        if not missing:
            return None
        reason = " (%s)" % self._sent.reason if self._sent.reason else ""
        return "%d of %d spans were not sent%s" % (missing, self._processor.ended, reason)


class Sending:
    """Sends the spans of a session's fits to `endpoint`, until `close`."""

    def __init__(self, session: Session, endpoint: "str | None") -> None:
        self._session = session
        self._endpoint = endpoint
        self._pipeline = _Pipeline(session, endpoint)
        session.observe(Following(session, Tracers(self._provider), Meters(), settings()))

    def _provider(self) -> TracerProvider:
        if self._pipeline.pid != os.getpid():
            # Forked off: threads, connections and counts are those of the parent.
            self._pipeline = _Pipeline(self._session, self._endpoint)
        return self._pipeline.provider

    def close(self) -> None:
        """Send what is left, and note in the trace what was not sent."""
        if self._pipeline.pid == os.getpid():
            remark = self._pipeline.close()
            if remark is not None:
                remedy = "`fittrace export --format otlp --endpoint URL` sends them all"
                self._session.note("otlp", "%s; %s" % (remark, remedy))


def begin(session: Session) -> None:
    """Send the spans of a session's fits, as the environment says; what stands against it is noted in the trace."""
    try:
        session.at_close(Sending(session, os.environ.get(ENDPOINT) or None).close)
    except Exception as error:
        session.note("otlp", "no spans are sent: %s" % error)


def _resource(session: Session) -> Resource:
    run = os.path.basename(session.directory) if session.directory is not None else None
    said = facts()
    ours = resource(said, said["argv"], run)
    # What the user says comes before it.
    return Resource.create(ours).merge(OTELResourceDetector().detect())
