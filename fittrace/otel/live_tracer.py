"""Following: a session's records become spans of OpenTelemetry while they are made, in every thread."""

from __future__ import annotations

import sys
import threading
from functools import partial
from typing import Any

from opentelemetry.trace import SpanContext

from ..capture import Session
from ..capture.journal.definitions import thread_name
from ..capture.record.observer import Append, Observer, Observing
from ..capture.sites import Site
from ..engines import ENGINES
from ..schema import otel_names
from ..schema.sent_batches import NONE
from .live_settings import LiveSettings
from .metrics.measurements import Measurements
from .metrics.meters import Meters
from .open_spans import OpenSpan
from .sdk_spans import Tracers
from .site_filter import ALONE, BARE, FOLLOWED, SPARED, SiteFilter
from .span_builder import SpanBuilder


class LiveTracer(Observer):
    """Sends the spans of a session's fits through the tracers, as the settings say, and measures with the meters.

    `owners` are the fits whose callback lists have these identities. A fault ends it for what is open then, and is
    noted once.
    """

    def __init__(self, session: Session, tracers: Tracers, meters: Meters, settings: LiveSettings) -> None:
        self.level, self.batches = settings
        if not otel_names.is_sent(self.level, "batch", begins_fit=False):
            self.batches = NONE
        self.owners: dict[int, OpenSpan] = {}
        self._sites = {
            (place, is_measured): SiteFilter(session.sites, self.level, place, is_measured)
            for place in (FOLLOWED, ALONE, SPARED, BARE)
            for is_measured in (False, True)
        }
        # More than a validation or a fit can open in a batch then, again and again.
        for is_measured in (False, True):
            if is_measured or self.level != "batch":
                self._sites[ALONE, is_measured] = self._sites[FOLLOWED, is_measured]
        self._session = session
        self._tracers = tracers
        self._meters = meters
        self._facts: Any = None
        self._ids = otel_names.Ids("", 0, 0)
        self._shift = 0
        self._thread = threading.local()
        self._keys: dict[int, tuple[tuple[str, ...], str]] = {}
        self._texts: dict[int, str | None] = {}
        self._engine: dict[str, dict[str, str]] = {}
        self._told = Site(len(session.sites), "values", "", "", 0, "", level=1)
        session.sites.append(self._told)

    def observing(self, append: Append) -> Observing:
        """What sees the records of the calling thread."""
        follower = self._thread.follower = SpanBuilder(self, append)
        return follower

    def forked(self) -> None:
        """What began before the fork ends in the parent alone."""
        self.owners.clear()
        follower = getattr(self._thread, "follower", None)
        if follower is not None:
            follower.forget()

    def finish(self) -> None:
        """End what is open in the calling thread, and let the gauges say no more."""
        follower = getattr(self._thread, "follower", None)
        if follower is not None:
            follower.end(self.now())
        instruments = self._meters.instruments()
        if instruments is not None:
            instruments.numbers.clear()

    # What a follower asks for.

    def sites(self, place: int, is_measured: bool) -> SiteFilter:
        """Which sites matter in a place, measured or not."""
        return self._sites[place, is_measured]

    def failed(self, error: Exception) -> None:
        """Take note that a thread's records could not be followed."""
        self._session.fault("following the records for OpenTelemetry", error)

    def now(self) -> int:
        """The time of the process' clock."""
        return int(self._session.recorder.clock())

    def site(self, head: int) -> Site:
        """The site whose records have that head."""
        return self._session.sites[-head - 1]

    def measuring(self, known: "Measurements | None") -> "Measurements | None":
        """What measures the calling thread from now on; the same as `known` where that has the same instruments."""
        instruments = self._meters.instruments()
        if instruments is None:
            return None
        if known is not None and known.instruments is instruments:
            return known
        return Measurements(instruments, self._session.recorder.clock)

    @property
    def ids(self) -> otel_names.Ids:
        """The ids of this process' spans."""
        self._look()
        return self._ids

    @property
    def shift_ns(self) -> int:
        """What makes the process' clock Unix time."""
        self._look()
        return self._shift

    def _look(self) -> None:
        facts = self._session.facts
        if facts is not self._facts and facts:
            self._ids = otel_names.Ids(facts["host"], facts["pid"], facts["time_ns"])
            self._shift = facts["time_ns"] - facts["clock_ns"]
            self._facts = facts

    def tracer(self) -> Any:
        """The tracer that spans are started with, None where they go nowhere."""
        return self._tracers.tracer()

    def start(self, name: str, parent: Any, attributes: "dict[str, Any]", start_ns: int, site: int, nth: int) -> Any:
        """A new span, inside the one in the context `parent`."""
        ids = self._tracers.ids
        ids.span, ids.trace = self.ids.span(start_ns, site, nth), partial(self.ids.trace, start_ns, site)
        return self._tracers.tracer().start_span(name, context=parent, attributes=attributes, start_time=start_ns)

    def told(self, around: SpanContext) -> "tuple[int, ...]":
        """The record that tells of the program's own span around a fit."""
        text = otel_names.traceparent(around.trace_id, around.span_id, int(around.trace_flags))
        names = self._session.names
        return (self._told.head, names.keys((otel_names.TRACEPARENT,), "t"), names.text(text))

    def ended(self, fit: OpenSpan) -> None:
        """Take note that a fit is over."""
        for owner in [owner for owner, one in list(self.owners.items()) if one is fit]:
            del self.owners[owner]

    def engine(self, site: Site) -> "dict[str, str]":
        """What is said of the engine."""
        known = self._engine.get(site.engine)
        if known is None:
            # Two Keras may be one engine; the one that is there is meant.
            packages = [one.package for one in ENGINES if one.name == site.engine and one.home in sys.modules]
            version = getattr(sys.modules.get(packages[0]) if packages else None, "__version__", None)
            version = version if isinstance(version, str) else "unknown"
            known = self._engine[site.engine] = {"keras.engine": site.engine, "keras.engine_version": version}
        return known

    @staticmethod
    def thread_name() -> str:
        """The name of the calling thread."""
        return thread_name()

    def class_name(self, number: int) -> "str | None":
        """The name of a callback's class."""
        return self._session.names.class_names.get(number)

    def keys(self, number: int) -> "tuple[tuple[str, ...], str]":
        """The keys of logs that have a number, and how each value is kept."""
        if number not in self._keys:
            self._keys[number] = self._session.names.keys_of(number)
        return self._keys[number]

    def text(self, number: int) -> "str | None":
        """The text that has a number."""
        if number not in self._texts:
            self._texts[number] = self._session.names.text_of(number)
        return self._texts[number]
