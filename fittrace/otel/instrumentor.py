"""The instrumentor: what `opentelemetry-instrument` finds, and what a program calls itself."""

from __future__ import annotations

from typing import Any, Collection

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from ..capture import Session
from ..schema.capture_settings import Settings
from ..schema.sampled_batches import OFF
from .live_settings import settings
from .live_tracer import LiveTracer
from .metrics.meters import Meters
from .sdk_spans import Tracers


class KerasInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Instruments Keras: every call of `fit`, `evaluate` and `predict` becomes spans, of whatever Keras is imported.

    `instrument` takes `tracer_provider`, `level` (`fit`, `epoch`, `batch`, `hooks` or `all`) and `batches`, which of
    them are sent: a ratio, or as text so many in a second, `10/s`; and `meter_provider`, with which batches and hooks
    are measured. No callback is added and no model is touched; `uninstrument` gives Keras its own code back. Under
    `fittrace run` the trace is recorded as ever.

    >>> from fittrace.otel import KerasInstrumentor
    >>> KerasInstrumentor().instrument(level="epoch")
    >>> KerasInstrumentor().uninstrument()
    """

    _session: "Session | None" = None
    _live: "LiveTracer | None" = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: it waits for whichever Keras is imported."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        chosen = settings(kwargs.get("level"), kwargs.get("batches"))
        session = Session.active
        if session is None:
            session = Session(None, Settings(run_metadata=OFF))
            session.start()
        given, meter = kwargs.get("tracer_provider"), kwargs.get("meter_provider")
        tracers = Tracers() if given is None else Tracers(lambda: given)
        meters = Meters() if meter is None else Meters(lambda: meter)
        live = LiveTracer(session, tracers, meters, chosen)
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
