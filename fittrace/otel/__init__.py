"""OpenTelemetry, live: the spans of each fit while it trains.

`KerasInstrumentor` instruments Keras as OpenTelemetry's other instrumentors instrument their libraries.
`opentelemetry-instrument` finds it. `fittrace run --otlp` does the same with a tracer provider of its own (`sending`).

This package runs inside traced programs. So its syntax is that of Python 3.7, and it imports only `fittrace.capture`
and OpenTelemetry, which must be installed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["KerasInstrumentor"]

if TYPE_CHECKING:
    from .instrumentor import KerasInstrumentor


def __getattr__(name: str) -> Any:
    if name != "KerasInstrumentor":
        raise AttributeError("module 'fittrace.otel' has no attribute %r" % name)
    from ..otlp_exporters import missing

    try:
        from .instrumentor import KerasInstrumentor
    except ImportError as error:
        raise missing("opentelemetry-instrumentation", error) from None
    return KerasInstrumentor
