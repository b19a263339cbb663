"""OpenTelemetry, live: the spans of each fit while it trains.

`KerasInstrumentor` instruments Keras as OpenTelemetry's other instrumentors do their libraries; it is also what
`opentelemetry-instrument` finds. `fittrace run --otlp` uses the same with a tracer provider of its own (`sending`).

This runs inside traced programs: Python 3.7 syntax, and beside `fittrace.capture` nothing but OpenTelemetry, which
must be installed there.
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
