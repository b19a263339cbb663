"""The pipelines of `fittrace run --otlp`. They are separate from any OpenTelemetry that the program sets up."""

from __future__ import annotations

import os
from typing import Any

from opentelemetry import metrics
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider

from ...capture import Session
from ...capture.journal.process_facts import facts
from ...schema.otel_names import resource
from ..live_settings import settings
from ..live_tracer import LiveTracer
from ..metrics.meters import Meters
from ..sdk_spans import Tracers
from .metric_pipeline import MetricPipeline, is_wanted
from .span_pipeline import SpanPipeline

ENDPOINT = "FITTRACE_OTLP"
"""The environment variable that turns sending on: an endpoint, or empty for that of the `OTEL_*` variables."""


class Pipelines:
    """Sends the spans of a session's fits to `endpoint`, until `close`.

    It also sends metrics if the environment asks for them. Otherwise the program's own meter provider gets them.
    """

    def __init__(self, session: Session, endpoint: "str | None") -> None:
        self._session = session
        self._endpoint = endpoint
        self._has_metrics = is_wanted(os.environ)
        self._open()
        session.observe(LiveTracer(session, Tracers(self._tracers), Meters(self._meters), settings()))

    def _open(self) -> None:
        self._pid = os.getpid()
        process_resource = _resource(self._session)
        self._spans = SpanPipeline(process_resource, self._endpoint)
        self._metrics = MetricPipeline(process_resource, self._endpoint) if self._has_metrics else None

    def _tracers(self) -> TracerProvider:
        if self._pid != os.getpid():
            # After a fork, the threads, connections and counts belong to the parent. Open new pipelines.
            self._open()
        return self._spans.provider

    def _meters(self) -> Any:
        self._tracers()
        return metrics.get_meter_provider() if self._metrics is None else self._metrics.provider

    def close(self) -> None:
        """Send the queued spans and metrics, and add a note to the trace if some were not sent."""
        if self._pid == os.getpid():
            pipelines = [pipeline for pipeline in (self._spans, self._metrics) if pipeline is not None]
            for pipeline in pipelines:
                pipeline.closing.begin()
            for pipeline in pipelines:
                message = pipeline.close()
                if message is not None:
                    self._session.note("otlp", message)


def begin(session: Session) -> None:
    """Send the spans of a session's fits, as the environment says. If that fails, a note in the trace says why."""
    try:
        session.at_close(Pipelines(session, os.environ.get(ENDPOINT) or None).close)
    except Exception as error:
        session.note("otlp", "no spans are sent: %s" % error)


def _resource(session: Session) -> Resource:
    run = os.path.basename(session.directory) if session.directory is not None else None
    process = facts()
    ours = resource(process, process["argv"], run)
    # The user's own attributes win.
    return Resource.create(ours).merge(OTELResourceDetector().detect())
