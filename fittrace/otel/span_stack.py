"""The stack of one thread's open spans: each that is sent is a span of OpenTelemetry, and is current meanwhile."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, Sequence

from opentelemetry import context as contexts
from opentelemetry.trace import get_current_span

from ..capture.record.observer import NEVER, SIEVE
from ..capture.sites import Site
from ..schema import otel_names
from ..schema.journal_format import ABSENT
from .contexts import AttachedContext, is_over
from .metrics.measurements import Measurements, SpanMeasurement
from .open_spans import OpenSpan
from .sdk_spans import fail
from .site_filter import ALONE, BARE, FOLLOWED, SPARED, SiteFilter

if TYPE_CHECKING:
    from .live_tracer import LiveTracer

Record = Sequence[int]

_MOST = (1 << 64) - 1
_ANCHORS = ("epoch", "validation")
_ENDS = {"fit": "on_train_end", "evaluate": "on_test_end", "predict": "on_predict_end"}


class SpanStack:
    """What is open in the calling thread, for `following`; `append` records something more.

    `_frames` are the heights at which the frames of the engine's functions begin, `_sites` tells which sites matter
    now, and `_measuring` measures, where there is a meter provider. From `_due_ns` on a batch is sent again, where so
    many are in a second.
    """

    def __init__(self, following: LiveTracer, append: Callable[[Record], None]) -> None:
        self._following = following
        self._append = append
        self._stack: list[OpenSpan] = []
        self._frames: list[int] = []
        self._shift_ns = self._due_ns = 0
        self.sieve = bytearray(SIEVE.size)
        self._sift()
        self._measuring: Measurements | None = None
        self._sites = following.sites(FOLLOWED, is_measured=False)

    def forget(self) -> None:
        """Follow none of what is open any further."""
        del self._stack[:], self._frames[:]
        if self._measuring is not None:
            self._measuring.forget()
        self._watch()

    def _watch(self) -> None:
        """Attend to what matters now: little of it in a batch, and less where nothing is followed of it."""
        place, one = FOLLOWED, self._stack[-1] if self._stack else None
        if one is not None and one.is_batch:
            place = BARE if one.is_spared else ALONE
        elif one is not None and one.is_spared:
            place = SPARED
        sites = self._following.sites(place, self._measuring is not None)
        if sites is not self._sites:
            self._attend(sites)

    def _attend(self, sites: SiteFilter) -> None:
        """From now on these sites matter."""
        self._sites = sites

    def _sift(self) -> None:
        """From now on these moments pass the sieve."""
        batches = self._following.batches
        due_ns = self._due_ns - self._shift_ns if batches.period_ns else NEVER
        SIEVE.pack_into(self.sieve, 0, self._shift_ns & _MOST, min(batches.limit, _MOST), due_ns)

    def _is_sent(self, around: OpenSpan, clock_ns: int) -> bool:
        """Whether a batch in `around` is sent which begins now."""
        return not around.is_out and self._following.batches.takes(clock_ns + self._shift_ns, self._due_ns)

    def _is_unmeasured(self, clock_ns: int) -> bool:
        """Whether a batch is not measured which begins now."""
        return self._measuring is None or not self._measuring.is_rested(clock_ns)

    def _is_left_out(self, around: OpenSpan, clock_ns: int) -> bool:
        """Whether nothing is followed of a batch in `around` which begins now."""
        return not self._is_sent(around, clock_ns) and self._is_unmeasured(clock_ns)

    def _target(self, hook: str, counts: "str | None") -> "OpenSpan | None":
        """The span whose logs a hook at its end is given."""
        for one in reversed(self._stack):
            if one.phase == counts and counts in ("epoch", "batch"):
                return one
            if one.begins:
                return one if counts is None and hook == _ENDS.get(one.phase) else None
        return None

    def _push(
        self,
        site: Site,
        clock_ns: int,
        beside: "OpenSpan | None" = None,
        number: int = ABSENT,
        callback: "str | None" = None,
        position: "int | None" = None,
    ) -> None:
        """Open the spans of a site that are followed; `beside` is where they are if nothing is open in this thread."""
        following, stack = self._following, self._stack
        begins = site.root and site.kind == "call" and not self._validates()
        if begins or not stack:
            if self._shift_ns != following.shift_ns:
                self._shift_ns = following.shift_ns
                self._sift()
            self._measuring = following.measuring(self._measuring)
            self._watch()
        start_ns = clock_ns + self._shift_ns
        is_alone = not stack and not begins
        around = stack[-1] if stack else beside
        while len(stack) < self._frames[-1] + site.depth:
            around = OpenSpan("", around, clock_ns)  # one that is not followed, in the place that it has in its frame
            stack.append(around)
        for nth, phase in enumerate(site.phases[: self._sites.followed(site) or int(is_alone)]):
            is_batch = phase == "batch" or (is_alone and site.counts == "batch")
            is_sent = True
            if is_batch and around is not None:
                is_sent = self._is_sent(around, clock_ns)
                if is_sent and following.batches.period_ns:
                    self._due_ns = following.batches.due(start_ns)
                    self._sift()
                if not is_sent and self._is_unmeasured(clock_ns):
                    around = around.leaving_out(phase)
                    stack.append(around)
                    if is_alone:
                        self._attach(around)
                    self._watch()
                    continue
            one = OpenSpan(phase, around, clock_ns)
            stack.append(one)
            one.place(site, around, begins, number)
            one.callback = callback
            if begins:
                one.is_out = following.tracer() is None
            elif is_batch and around is not None:
                one.is_batch, one.is_out = True, not is_sent
                one.measured = None if self._measuring is None else SpanMeasurement()
            if begins or is_batch or one.is_spared or (around is not None and around.is_batch):
                self._watch()
            if not one.is_out and otel_names.is_sent(following.level, phase, begins):
                self._start(one, site, nth, start_ns, callback, position)
            elif is_alone:
                self._attach(one)
            if begins or phase in _ANCHORS:
                one.outer, one.fit.anchor = None if begins else one.fit.anchor, one
            around = one

    def _validates(self) -> bool:
        """Whether what is called now is called by a fit's own validation, and not by a hook in it."""
        stack, frames = self._stack, self._frames
        return bool(stack) and stack[-1].phase == "validation" and (len(frames) < 2 or len(stack) > frames[-2])

    @staticmethod
    def _attach(one: OpenSpan) -> None:
        """Hooks on a thread of their own are in their fit, sent or not."""
        if one.nearest is not None:
            one.attached = one.inside = AttachedContext(get_current_span(one.nearest), None)

    def _start(
        self, one: OpenSpan, site: Site, nth: int, start_ns: int, callback: "str | None", position: "int | None"
    ) -> None:
        following = self._following
        attributes = self._sites.attributes(site)
        attributes["thread.name"] = following.thread_name()
        if one.stage is not None:
            attributes["keras.stage"] = one.stage
        if one.epoch is not None:
            attributes["keras.epoch"] = one.epoch
        if one.batch is not None:
            attributes["keras.batch"] = one.batch
        hook = site.hook or (self._stack[-2].hook if callback is not None else None)
        if hook is not None:
            attributes["keras.hook"] = hook
        if callback is not None:
            attributes["keras.callback"] = callback
        if position is not None:
            attributes["keras.callback_position"] = position
        parent = one.nearest
        if one.begins:
            parent = self._around_a_fit(one)
            attributes.update(following.engine(site))
        name = otel_names.span_name(one.phase, one.begins, callback is not None)
        one.span = following.start(name, parent, attributes, start_ns, site.number, nth)
        one.attached = one.inside = AttachedContext(one.span, one.inside if len(self._stack) > 1 else None)
        one.nearest = one.attached.context

    def _around_a_fit(self, one: OpenSpan) -> Any:
        """The context that a fit begins in, which is the program's own; another trace tells of it."""
        current = contexts.get_current()
        span = get_current_span(current)
        if one.nearest is not None and (is_over(span) or span is get_current_span(one.nearest)):
            return one.nearest
        around = span.get_span_context()
        if around.is_valid:
            self._append(self._following.told(around))
        return current

    def _sizes_told(self, one: OpenSpan, turn: Record) -> "Record | None":
        """What the loop of a turn told of its batches."""
        sizes = one.fit.sizes
        return sizes.get((self._following.site(turn[0]).function, one.stage)) if sizes else None

    def _close(self, height: int, clock_ns: int, failed: bool = False) -> None:
        """End all spans above a height of the stack, the innermost first."""
        stack = self._stack
        while len(stack) > height:
            one = stack.pop()
            fails = failed or one.error is not None
            if one.is_stopped and one.turned and not fails:
                # The data ran out, and the engine caught what says so.
                one.turned = False
                if self._measuring is not None and one.turn is not None:
                    self._measuring.uncount(one, self._sizes_told(one, one.turn))
            if one.attached is not None:
                one.attached.leave()
            if one.span is not None:
                end_ns = clock_ns + self._shift_ns
                if fails:
                    fail(one.span, sys.exc_info()[1] if failed else one.error, end_ns)
                if one.phase == "batch" and not one.turned:
                    # It asked for a batch, and there was none any more.
                    one.span.update_name("keras.slice")
                one.span.end(end_ns)
            if one.begins:
                self._following.ended(one)
            elif one.phase in _ANCHORS and one.outer is not None:
                one.fit.anchor = one.outer
            if self._measuring is not None and not one.is_spared:
                self._measuring.close(one, stack[-1] if stack else None, clock_ns)
            if one.begins or one.is_batch or one.is_spared or (stack and stack[-1].is_batch):
                self._watch()
