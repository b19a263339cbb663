"""The open spans of one thread. A sent span has a span of OpenTelemetry, which is current until it ends."""

from __future__ import annotations

import sys
from typing import Any, Callable, Sequence

from opentelemetry import context as contexts
from opentelemetry.trace import get_current_span

from ..capture.journal.definitions import thread_name
from ..capture.record.observer import BATCH_FILTER, NEVER
from ..capture.sites import Site
from ..schema import otel_names, sent_spans
from ..schema.journal_format import ABSENT
from .contexts import AttachedContext, is_over
from .live_context import LiveContext
from .metrics.measurements import Measurements
from .open_spans import BatchMeasurement, OpenSpan
from .sdk_spans import fail
from .site_filter import Scope, SiteFilter

Record = Sequence[int]

# A member of an enumeration is slow to look up in its class on Python 3.7.
_FOLLOWED, _FOLLOWED_BATCH, _LEFT_OUT, _LEFT_OUT_BATCH = Scope
_LARGEST_UINT64 = (1 << 64) - 1
_ANCHOR_PHASES = ("epoch", "validation")


class SpanStack:
    """The open spans and frames of the calling thread.

    - `spans`: the open spans that are followed, outermost first. A span that is not followed is among them only to keep
      the depth of the others.
    - `frames`: for each frame of an engine's function, how many of `spans` were open when it began.
    - `filter`: which sites matter now. `on_filter` is called when it changes.
    - `measurements`: measures the thread's batches and hooks. None if there is no meter provider.
    - `batch_filter`: which batches are sent, for the probes. A `BATCH_FILTER`.
    - `append`: appends a record to the thread's journal.
    """

    def __init__(
        self, context: LiveContext, append: Callable[[Record], None], on_filter: Callable[[SiteFilter], None]
    ) -> None:
        self._context = context
        self._append = append
        self._on_filter = on_filter
        self.spans: list[OpenSpan] = []
        self.frames: list[int] = []
        self.filter = context.site_filters[False][_FOLLOWED]
        self.measurements: Measurements | None = None
        # The shift from the process' clock to Unix time; and the earliest time of the next sent batch, if a rate limits
        # them.
        self._unix_shift_ns = self._due_ns = 0
        self.batch_filter = bytearray(BATCH_FILTER.size)
        self._update_batch_filter()

    def forget(self) -> None:
        """Follow none of what is open any further."""
        del self.spans[:], self.frames[:]
        if self.measurements is not None:
            self.measurements.forget()
        self.update_filter()

    # Which sites matter, and which batches are sent

    def update_filter(self) -> None:
        """Select the site filter for the innermost open span."""
        scope, span = _FOLLOWED, self.spans[-1] if self.spans else None
        if span is not None and span.is_batch:
            scope = _LEFT_OUT_BATCH if span.is_left_out else _FOLLOWED_BATCH
        elif span is not None and span.is_left_out:
            scope = _LEFT_OUT
        site_filter = self._context.site_filters[self.measurements is not None][scope]
        if site_filter is not self.filter:
            self.filter = site_filter
            self._on_filter(site_filter)

    def _update_batch_filter(self) -> None:
        """Tell the probes which times of batches pass from now on."""
        batches = self._context.batches
        due_ns = self._due_ns - self._unix_shift_ns if batches.period_ns else NEVER
        limit = min(batches.limit, _LARGEST_UINT64)
        BATCH_FILTER.pack_into(self.batch_filter, 0, self._unix_shift_ns & _LARGEST_UINT64, limit, due_ns)

    def _is_sent(self, around: OpenSpan, clock_ns: int) -> bool:
        """Whether a batch in `around` that begins now is sent."""
        return not around.is_unsent and self._context.batches.takes(clock_ns + self._unix_shift_ns, self._due_ns)

    def _is_unmeasured(self, clock_ns: int) -> bool:
        """Whether a batch that begins now is not measured."""
        return self.measurements is None or not self.measurements.is_rested(clock_ns)

    def is_left_out(self, around: OpenSpan, clock_ns: int) -> bool:
        """Whether a batch in `around` that begins now is neither sent nor measured."""
        return not self._is_sent(around, clock_ns) and self._is_unmeasured(clock_ns)

    # Opening

    def push(
        self,
        site: Site,
        clock_ns: int,
        elsewhere: "OpenSpan | None" = None,
        number: int = ABSENT,
        callback: "str | None" = None,
        position: "int | None" = None,
    ) -> None:
        """Open the followed spans of a site.

        - `site`: the site.
        - `clock_ns`: when they begin.
        - `elsewhere`: the span on another thread that they are in, if nothing is open in this thread.
        - `number`: the number of the epoch or batch, or ABSENT.
        - `callback`: the class of the callback whose hook it is.
        - `position`: the position of that callback among the hooks of the list.
        """
        context, spans = self._context, self.spans
        begins_fit = site.root and site.kind == "call" and not self._is_validation()
        if begins_fit or not spans:
            self._refresh()
        start_ns = clock_ns + self._unix_shift_ns
        is_alone = not spans and not begins_fit
        around = spans[-1] if spans else elsewhere
        while len(spans) < self.frames[-1] + site.depth:
            around = OpenSpan("", around, clock_ns)  # keeps the depth of a span that is not followed
            spans.append(around)
        for nth, phase in enumerate(site.phases[: self.filter.followed_count(site) or int(is_alone)]):
            is_batch = phase == "batch" or (is_alone and site.counts == "batch")
            is_sent = True
            if is_batch and around is not None:
                is_sent = self._take_batch(around, clock_ns)
                if not is_sent and self._is_unmeasured(clock_ns):
                    around = self._push_left_out(around, phase, is_alone)
                    continue
            span = OpenSpan(phase, around, clock_ns)
            spans.append(span)
            span.locate(site, around, begins_fit, number)
            span.callback = callback
            if begins_fit:
                span.is_unsent = context.tracer() is None
            elif is_batch and around is not None:
                span.is_batch, span.is_unsent = True, not is_sent
                span.measurement = None if self.measurements is None else BatchMeasurement()
            if begins_fit or is_batch or span.is_left_out or (around is not None and around.is_batch):
                self.update_filter()
            if not span.is_unsent and sent_spans.is_sent(context.level, phase, begins_fit):
                self._start(span, site, nth, start_ns, position)
            elif is_alone:
                self._attach_unsent(span)
            if begins_fit or phase in _ANCHOR_PHASES:
                # From here on, hooks on other threads are in this span.
                span.outer_anchor, span.fit.anchor = None if begins_fit else span.fit.anchor, span
            around = span

    def _take_batch(self, around: OpenSpan, clock_ns: int) -> bool:
        """Decide whether a batch in `around` that begins now is sent. If it is, a rate puts off the next one."""
        is_sent = self._is_sent(around, clock_ns)
        if is_sent and self._context.batches.period_ns:
            self._due_ns = self._context.batches.due(clock_ns + self._unix_shift_ns)
            self._update_batch_filter()
        return is_sent

    def _push_left_out(self, around: OpenSpan, phase: str, is_alone: bool) -> OpenSpan:
        """Open the stand-in of a batch that is neither sent nor measured. The parameters are those in `push`."""
        stand_in = around.left_out_batch(phase)
        self.spans.append(stand_in)
        if is_alone:
            self._attach_unsent(stand_in)
        self.update_filter()
        return stand_in

    def _refresh(self) -> None:
        """Update what may have changed since the last fit: the clock's shift, and the measurements."""
        if self._unix_shift_ns != self._context.unix_shift_ns:
            self._unix_shift_ns = self._context.unix_shift_ns
            self._update_batch_filter()
        self.measurements = self._context.measurements(self.measurements)
        self.update_filter()

    def _is_validation(self) -> bool:
        """Whether a fit's own validation makes this call, and not a hook inside the validation."""
        spans, frames = self.spans, self.frames
        return bool(spans) and spans[-1].phase == "validation" and (len(frames) < 2 or len(spans) > frames[-2])

    @staticmethod
    def _attach_unsent(span: OpenSpan) -> None:
        """Make the fit's span current in a thread that runs only hooks, even though the hooks are not sent."""
        if span.context is not None:
            span.attached = span.innermost_attached = AttachedContext(get_current_span(span.context), None)

    def _start(self, span: OpenSpan, site: Site, nth: int, start_ns: int, position: "int | None") -> None:
        """Start the span of OpenTelemetry, and make it current."""
        context = self._context
        attributes = self.filter.attributes(site)
        attributes["thread.name"] = thread_name()
        if span.stage is not None:
            attributes["keras.stage"] = span.stage
        if span.epoch is not None:
            attributes["keras.epoch"] = span.epoch
        if span.batch is not None:
            attributes["keras.batch"] = span.batch
        hook = site.hook or (self.spans[-2].hook if span.callback is not None else None)
        if hook is not None:
            attributes["keras.hook"] = hook
        if span.callback is not None:
            attributes["keras.callback"] = span.callback
        if position is not None:
            attributes["keras.callback_position"] = position
        parent = span.context
        if span.begins_fit:
            parent = self._context_around(span)
            attributes.update(context.engine_attributes(site))
        name = otel_names.span_name(span.phase, span.begins_fit, span.callback is not None)
        span.span = context.start_span(name, parent, attributes, start_ns, site.number, nth)
        inside = span.innermost_attached if len(self.spans) > 1 else None
        span.attached = span.innermost_attached = AttachedContext(span.span, inside)
        span.context = span.attached.context

    def _context_around(self, fit: OpenSpan) -> Any:
        """The program's own context, in which a fit begins. Its span is recorded in the fittrace trace."""
        current = contexts.get_current()
        span = get_current_span(current)
        if fit.context is not None and (is_over(span) or span is get_current_span(fit.context)):
            return fit.context
        around = span.get_span_context()
        if around.is_valid:
            self._append(self._context.traceparent_record(around))
        return current

    # Closing

    def close(self, height: int, clock_ns: int, failed: bool = False) -> None:
        """End all spans from the position `height` on, the innermost first.

        - `height`: the position in `spans` of the outermost span to end.
        - `clock_ns`: when they end.
        - `failed`: whether an exception, which is being handled, leaves their frame.
        """
        spans = self.spans
        while len(spans) > height:
            span = spans.pop()
            fails = failed or span.error is not None
            if span.is_stopped and span.has_turn and not fails:
                # The data ran out: the engine caught the iterator's exception. So the turn was no batch.
                span.has_turn = False
                if self.measurements is not None and span.turn is not None:
                    self.measurements.uncount(span, self.sizes_of(span, span.turn))
            if span.attached is not None:
                span.attached.leave()
            if span.span is not None:
                end_ns = clock_ns + self._unix_shift_ns
                if fails:
                    fail(span.span, sys.exc_info()[1] if failed else span.error, end_ns)
                if span.phase == "batch" and not span.has_turn:
                    # It asked for a batch after the last one.
                    span.span.update_name("keras.slice")
                span.span.end(end_ns)
            if span.begins_fit:
                self._context.end_fit(span)
            elif span.phase in _ANCHOR_PHASES and span.outer_anchor is not None:
                span.fit.anchor = span.outer_anchor
            if self.measurements is not None and not span.is_left_out:
                self.measurements.close(span, spans[-1] if spans else None, clock_ns)
            if span.begins_fit or span.is_batch or span.is_left_out or (spans and spans[-1].is_batch):
                self.update_filter()

    def sizes_of(self, batch: OpenSpan, turn: Record) -> "Record | None":
        """The `sizes` record of the loop that made this turn. None if there is none."""
        sizes = batch.fit.sizes
        return sizes.get((self._context.site(turn[0]).function, batch.stage)) if sizes else None
