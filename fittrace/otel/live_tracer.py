"""The live tracer: it turns the records of all threads into spans of OpenTelemetry as they are made."""

from __future__ import annotations

import threading

from ..capture import Session
from ..capture.record.observer import Append, Observer, Observing
from .live_context import LiveContext
from .live_settings import LiveSettings
from .metrics.meters import Meters
from .sdk_spans import Tracers
from .span_builder import SpanBuilder


class LiveTracer(Observer):
    """Sends and measures the spans of a session's fits, as the settings say.

    After a fault in a thread, the spans that are open there are dropped. A note reports the first fault.
    """

    def __init__(self, session: Session, tracers: Tracers, meters: Meters, settings: LiveSettings) -> None:
        self._context = LiveContext(session, tracers, meters, settings)
        self._meters = meters
        self._thread = threading.local()

    def observing(self, append: Append) -> Observing:
        """The span builder that receives the records of the calling thread."""
        builder = self._thread.builder = SpanBuilder(self._context, append)
        return builder

    def forked(self) -> None:
        """Forget all open spans. After a fork, only the parent process ends them."""
        self._context.fit_of_list.clear()
        builder = getattr(self._thread, "builder", None)
        if builder is not None:
            builder.forget()

    def finish(self) -> None:
        """End what is open in the calling thread, and let the gauges say no more."""
        builder = getattr(self._thread, "builder", None)
        if builder is not None:
            builder.end(self._context.now())
        instruments = self._meters.instruments()
        if instruments is not None:
            instruments.numbers.clear()
