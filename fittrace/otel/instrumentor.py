"""The instrumentor, which `opentelemetry-instrument` or the program itself calls."""

from __future__ import annotations

from typing import Any, Collection

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from ..capture import Session
from ..schema.batches_to_sample import OFF
from ..schema.capture_settings import Settings
from .live_settings import settings
from .live_tracer import LiveTracer
from .metrics.meters import Meters
from .sdk_spans import Tracers


class KerasInstrumentor(BaseInstrumentor):
    """Instruments Keras: every call of `fit`, `evaluate` and `predict` becomes spans, in every Keras that is imported.

    The options of `instrument`:

    - `tracer_provider`: receives the spans. By default OpenTelemetry's global one.
    - `meter_provider`: receives the metrics of batches and hooks. By default OpenTelemetry's global one.
    - `level`: which spans are sent: `fit`, `epoch`, `batch`, `hooks` or `all`.
    - `batches`: which batches are sent: a ratio, or a rate as text, such as `10/s`.

    It adds no callback and changes no model. `uninstrument` restores Keras' own code. Under `fittrace run`, the
    trace is recorded as usual.

    >>> from fittrace.otel import KerasInstrumentor
    >>> KerasInstrumentor().instrument(level="epoch")
    >>> KerasInstrumentor().uninstrument()
    """

    _session: "Session | None" = None
    _live: "LiveTracer | None" = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: no Keras has to be installed. Each one is instrumented when it is imported."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        options = settings(kwargs.get("level"), kwargs.get("batches"))
        session = Session.active
        if session is None:
            session = Session(None, Settings(run_metadata=OFF))
            session.start()
        tracer_provider, meter_provider = kwargs.get("tracer_provider"), kwargs.get("meter_provider")
        tracers = Tracers() if tracer_provider is None else Tracers(lambda: tracer_provider)
        meters = Meters() if meter_provider is None else Meters(lambda: meter_provider)
        live = LiveTracer(session, tracers, meters, options)
        session.observe(live)
        self._session, self._live = session, live

    def _uninstrument(self, **kwargs: Any) -> None:
        session, live = self._session, self._live
        self._session = self._live = None
        if session is None or live is None:
            return
        live.finish()
        session.observe(None)
        if session.directory is None:
            session.close()
