"""The pipeline of metrics: the SDK's reader collects them periodically, and the SDK's exporter sends them."""

from __future__ import annotations

import os
from typing import Any, Mapping

from opentelemetry.environment_variables import OTEL_METRICS_EXPORTER
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_METRICS_ENDPOINT
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from ...otlp_exporters import Quiet, exporter
from .shutdown import Shutdown


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether an environment asks for metrics. By default none are sent, because many backends accept only spans.

    >>> is_wanted({"OTEL_METRICS_EXPORTER": "otlp"}), is_wanted({})
    (True, False)
    """
    exporters = environment.get(OTEL_METRICS_EXPORTER)
    if exporters:
        return "otlp" in exporters.split(",")
    return bool(environment.get(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT))


class CountedMetricExporter(MetricExporter):
    """Exports through the SDK's `exporter` without its log lines, and counts the exports that were `refused`."""

    def __init__(self, exporter: Any) -> None:
        super().__init__(exporter._preferred_temporality, exporter._preferred_aggregation)
        self._exporter = exporter
        self._quiet = Quiet()
        self.refused = 0

    @property
    def reason(self) -> str:
        """Why the first export was refused."""
        return self._quiet.reason

    def export(self, metrics_data: Any, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Send the metrics."""
        with self._quiet:
            result = MetricExportResult.FAILURE
            try:
                result = self._exporter.export(metrics_data, timeout_millis, **kwargs)
            finally:
                self.refused += result is not MetricExportResult.SUCCESS
        return result

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Do nothing: this exporter has no queue."""
        return True

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Close the connection."""
        with self._quiet:
            self._exporter.shutdown(timeout_millis, **kwargs)


class MetricPipeline:
    """Sends the metrics of one process to `endpoint`, through a `provider` of its own."""

    def __init__(self, resource: Resource, endpoint: "str | None") -> None:
        if os.environ.get(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT):
            endpoint = None
        self._sent = CountedMetricExporter(exporter("metrics", endpoint))
        reader = PeriodicExportingMetricReader(self._sent)
        self.provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self.closing = Shutdown(self.provider.shutdown)

    def close(self) -> "str | None":
        """Wait until the last metrics are sent. If any were refused before, do not wait.

        Returns a message about metrics that were not sent. None if all were sent.
        """
        if not self._sent.refused:
            self.closing.wait()
        if not self._sent.refused:
            return None
        reason = " (%s)" % self._sent.reason if self._sent.reason else ""
        return "metrics were not sent%s; OTEL_METRICS_EXPORTER=none asks for none" % reason
