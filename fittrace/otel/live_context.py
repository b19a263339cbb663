"""The context of live spans: the session's facts, and the providers that receive spans and measurements."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from opentelemetry.trace import SpanContext

from ..capture import Session
from ..capture.sites import Site
from ..engines import ENGINES
from ..schema import otel_names, sent_spans
from ..schema.sent_batches import NONE
from .live_settings import LiveSettings
from .metrics.measurements import Measurements
from .metrics.meters import Meters
from .open_spans import OpenSpan
from .sdk_spans import Tracers
from .site_filter import site_filters


class LiveContext:
    """What the span builders of all threads share.

    - `level`: which spans are sent, a key of `sent_spans.LEVELS`.
    - `batches`: which batches are sent.
    - `site_filters`: which sites matter, by `is_measured` and `Scope`.
    - `fit_of_list`: the fit that last used the callback list of that identity.
    """

    def __init__(self, session: Session, tracers: Tracers, meters: Meters, settings: LiveSettings) -> None:
        self.level, self.batches = settings
        if not sent_spans.is_sent(self.level, "batch", begins_fit=False):
            self.batches = NONE
        self.site_filters = site_filters(session.sites, self.level)
        self.fit_of_list: dict[int, OpenSpan] = {}
        self._session = session
        self._tracers = tracers
        self._meters = meters
        self._facts: Any = None
        self._ids = otel_names.Ids("", 0, 0)
        self._unix_shift_ns = 0
        self._keys: dict[int, tuple[tuple[str, ...], str]] = {}
        self._texts: dict[int, str | None] = {}
        self._engine_attributes: dict[str, dict[str, str]] = {}
        self._traceparent_site = Site(len(session.sites), "values", "", "", 0, "", level=1)
        session.sites.append(self._traceparent_site)

    # The session

    def report_fault(self, error: Exception) -> None:
        """Note that a thread's records could not be followed."""
        self._session.fault("following the records for OpenTelemetry", error)

    def now(self) -> int:
        """The time of the process' clock."""
        return int(self._session.recorder.clock())

    def site(self, head: int) -> Site:
        """The site whose records begin with `head`."""
        return self._session.sites[-head - 1]

    def class_name(self, number: int) -> "str | None":
        """The name of the callback's class that has this number."""
        return self._session.names.class_names.get(number)

    def keys(self, number: int) -> "tuple[tuple[str, ...], str]":
        """The keys of logs that have this number, and how each value is kept."""
        if number not in self._keys:
            self._keys[number] = self._session.names.keys_of(number)
        return self._keys[number]

    def text(self, number: int) -> "str | None":
        """The text that has this number."""
        if number not in self._texts:
            self._texts[number] = self._session.names.text_of(number)
        return self._texts[number]

    @property
    def unix_shift_ns(self) -> int:
        """Nanoseconds to add to a time of the process' clock to get Unix time."""
        self._read_facts()
        return self._unix_shift_ns

    def _read_facts(self) -> None:
        facts = self._session.facts
        if facts is not self._facts and facts:
            self._ids = otel_names.Ids(facts["host"], facts["pid"], facts["time_ns"])
            self._unix_shift_ns = facts["time_ns"] - facts["clock_ns"]
            self._facts = facts

    # Spans and measurements

    def tracer(self) -> Any:
        """The tracer that starts spans. None if no provider receives them."""
        return self._tracers.tracer()

    def start_span(
        self, name: str, parent: Any, attributes: "dict[str, Any]", start_ns: int, site: int, nth: int
    ) -> Any:
        """Start a span.

        - `parent`: the context with the span around it.
        - `start_ns`: when it begins, in Unix time.
        - `site`: the number of the site that opens it.
        - `nth`: its index among the spans that one record of the site opens.
        """
        self._read_facts()
        ids = self._tracers.ids
        ids.span, ids.trace = self._ids.span(start_ns, site, nth), partial(self._ids.trace, start_ns, site)
        return self._tracers.tracer().start_span(name, context=parent, attributes=attributes, start_time=start_ns)

    def measurements(self, known: "Measurements | None") -> "Measurements | None":
        """The measurements of the calling thread. None if there is no meter provider.

        `known` has the thread's last measurements. They are returned as long as the meter provider stays the same.
        """
        instruments = self._meters.instruments()
        if instruments is None:
            return None
        if known is not None and known.instruments is instruments:
            return known
        return Measurements(instruments, self._session.recorder.clock)

    def traceparent_record(self, around: SpanContext) -> "tuple[int, ...]":
        """The record that names the program's own span around a fit in the fittrace trace."""
        text = otel_names.traceparent(around.trace_id, around.span_id, int(around.trace_flags))
        names = self._session.names
        return (self._traceparent_site.head, names.keys((otel_names.TRACEPARENT,), "t"), names.text(text))

    def engine_attributes(self, site: Site) -> "dict[str, str]":
        """The attributes that name the engine of a site."""
        known = self._engine_attributes.get(site.engine)
        if known is None:
            # Several packages may have the same engine, such as `tf_keras` and TensorFlow 1. Take the imported one.
            packages = [
                engine.package for engine in ENGINES if engine.name == site.engine and engine.home in sys.modules
            ]
            version = getattr(sys.modules.get(packages[0]) if packages else None, "__version__", None)
            version = version if isinstance(version, str) else "unknown"
            known = {"keras.engine": site.engine, "keras.engine_version": version}
            self._engine_attributes[site.engine] = known
        return known

    # Fits

    def end_fit(self, fit: OpenSpan) -> None:
        """Forget the callback lists of a fit that has ended."""
        for identity in [identity for identity, user in list(self.fit_of_list.items()) if user is fit]:
            del self.fit_of_list[identity]
