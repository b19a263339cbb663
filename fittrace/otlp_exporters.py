"""The OpenTelemetry SDK's own OTLP exporters, chosen by the environment, and the errors that they log.

Traced processes, which may run on Python 3.7, use this module, and so does the export of a trace. It imports
OpenTelemetry only when an exporter is asked for.
"""

from __future__ import annotations

import importlib
import logging
import os
import random
import sys
import threading
from typing import Any, Sequence

from .schema.errors import FittraceError

_PROTOCOLS = {"grpc": "grpc", "http/protobuf": "http"}
_EXPORTERS = {"traces": ("trace_exporter", "OTLPSpanExporter"), "metrics": ("metric_exporter", "OTLPMetricExporter")}


class MissingOpenTelemetry(FittraceError):
    """A package of OpenTelemetry that is needed is not installed."""


def exporter(signal: str, endpoint: "str | None") -> Any:
    """Make the SDK's exporter of a signal.

    - `signal`: `traces` or `metrics`.
    - `endpoint`: a URL. None: the endpoint that the `OTEL_*` variables name.

    The variable `OTEL_EXPORTER_OTLP_<SIGNAL>_PROTOCOL` or `OTEL_EXPORTER_OTLP_PROTOCOL` names the protocol. Raises
    `FittraceError` if the protocol is unknown, or if its exporter is not installed.
    """
    variables = ("OTEL_EXPORTER_OTLP_%s_PROTOCOL" % signal.upper(), "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next(filter(None, map(os.environ.get, variables)), "http/protobuf")
    if protocol not in _PROTOCOLS:
        known = " or ".join(_PROTOCOLS)
        raise FittraceError(
            "OTEL_EXPORTER_OTLP_PROTOCOL %s: no protocol that the SDK exports; use %s" % (protocol, known)
        )
    kind, (module, name) = _PROTOCOLS[protocol], _EXPORTERS[signal]
    try:
        make = getattr(importlib.import_module("opentelemetry.exporter.otlp.proto.%s.%s" % (kind, module)), name)
    except ImportError as error:
        raise missing("opentelemetry-exporter-otlp-proto-%s" % kind, error) from None
    _leave_random_numbers_alone()
    if endpoint is None:
        return make()
    return make(endpoint=endpoint if kind == "grpc" else url(endpoint, signal))


def missing(package: str, error: ImportError) -> MissingOpenTelemetry:
    """The error for a package that is not installed in this Python. `error` is what its import raised."""
    return MissingOpenTelemetry(
        "OTLP: %s is not installed in %s (%s); install it there, or all that is needed with fittrace[otel]"
        % (package, sys.executable, error)
    )


def url(endpoint: str, signal: str) -> str:
    """The URL to which a signal is posted over HTTP. An `endpoint` with a path of its own is the URL of traces.

    >>> url("http://localhost:4318", "traces"), url("https://collector/custom/v1/traces", "metrics")
    ('http://localhost:4318/v1/traces', 'https://collector/custom/v1/metrics')
    """
    scheme, _, rest = endpoint.partition("://")
    host, _, path = rest.partition("/")
    return endpoint.replace("/v1/traces", "/v1/" + signal) if path else "%s://%s/v1/%s" % (scheme, host, signal)


def _leave_random_numbers_alone() -> None:
    """Give the exporters a random generator of their own.

    They wait for random times between tries. With the shared generator, that would change the program's random numbers.
    """
    for name in ("opentelemetry.exporter.otlp.common.http", "opentelemetry.exporter.otlp.proto.grpc.exporter"):
        module = sys.modules.get(name)
        if module is not None and getattr(module, "random", None) is random:
            module.random = random.Random()  # type: ignore[attr-defined]


class Quiet(logging.Filter):
    """Suppresses what the SDK's exporters log in the thread that sends. They log a line for each try.

    `reason` is the first suppressed line, for the error message.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reason = ""
        self._thread = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record: that of any other thread."""
        if record.thread != self._thread:
            return True
        self.reason = self.reason or record.getMessage()[:300]
        return False

    def __enter__(self) -> "Quiet":
        self._thread = threading.get_ident()
        for logger in _loggers():
            logger.addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        for logger in _loggers():
            logger.removeFilter(self)


def _loggers() -> "Sequence[logging.Logger]":
    return [logging.getLogger(name) for name in list(sys.modules) if name.startswith("opentelemetry.exporter.otlp")]
