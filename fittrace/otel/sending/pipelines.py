"""Pipelines: what `fittrace run --otlp` sends with, apart from any OpenTelemetry that the program sets up itself."""

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
"""The environment variable that asks for it: an endpoint, or empty for that of the `OTEL_*` variables."""


class Pipelines:
    """Sends the spans of a session's fits to `endpoint`, until `close`.

    It sends metrics too where the environment asks for them. Else the program's own meter provider gets them.
    """

    def __init__(self, session: Session, endpoint: "str | None") -> None:
        self._session = session
        self._endpoint = endpoint
        self._has_metrics = is_wanted(os.environ)
        self._open()
        session.observe(LiveTracer(session, Tracers(self._tracers), Meters(self._meters), settings()))

    def _open(self) -> None:
        self._pid = os.getpid()
        about = _resource(self._session)
        self._spans = SpanPipeline(about, self._endpoint)
        self._metrics = MetricPipeline(about, self._endpoint) if self._has_metrics else None

    def _tracers(self) -> TracerProvider:
        if self._pid != os.getpid():
            # Forked off: threads, connections and counts are those of the parent.
            self._open()
        return self._spans.provider

    def _meters(self) -> Any:
        self._tracers()
        return metrics.get_meter_provider() if self._metrics is None else self._metrics.provider

    def close(self) -> None:
        """Send what is left, and note in the trace what was not sent."""
        if self._pid == os.getpid():
            pipelines = [pipeline for pipeline in (self._spans, self._metrics) if pipeline is not None]
            for pipeline in pipelines:
                pipeline.closing.begin()
            for pipeline in pipelines:
                remark = pipeline.close()
                if remark is not None:
                    self._session.note("otlp", remark)


def begin(session: Session) -> None:
    """Send the spans of a session's fits, as the environment says. Where that fails, a note in the trace says why."""
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
