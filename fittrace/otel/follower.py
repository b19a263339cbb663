"""The follower: what is open in one thread, after its records, and a span of OpenTelemetry for each that is sent.

It does with one record after the other what `fittrace.store` does with all at once, so that both tell the same spans.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, Sequence

from opentelemetry import context as contexts
from opentelemetry.trace import get_current_span

from ..capture.sites import Site
from ..schema import otel
from ..schema.journal import ABSENT
from .contexts import Attached, is_over
from .logs import numbers
from .spans import fail

if TYPE_CHECKING:
    from .following import Following

Record = Sequence[int]
Handler = Callable[[Record], None]

_ANCHORS = ("epoch", "validation")
_ENDS = {"fit": "on_train_end", "evaluate": "on_test_end", "predict": "on_predict_end"}


class Open:
    """One span that is open: sent as `span`, or None.

    `nearest` is the context of the nearest that is sent, itself or around it; `inside` is what of ours is current in
    this thread. Nothing is sent of what is in one that `is_out`. `fit` is the root that it belongs to, whose `anchor`
    is where hooks on other threads are.
    """

    __slots__ = (
        "anchor", "attached", "batch", "begins", "epoch", "fit", "hook", "inside", "is_out", "nearest", "outer",
        "phase", "seen", "span", "stage", "turned",
    )  # fmt: skip

    def __init__(self, phase: str, around: "Open | None") -> None:
        self.phase = phase
        self.span: Any = None
        self.attached: Attached | None = None
        self.begins = False
        self.turned = False
        self.seen = 0
        self.outer: Open | None = None
        self.anchor: Open = self
        self.hook: str | None = None
        self.inside: Attached | None = None
        if around is None:
            self.nearest: Any = None
            self.is_out = False
            self.fit: Open = self
            self.stage: str | None = None
            self.epoch: int | None = None
            self.batch: int | None = None
        else:
            self.nearest, self.is_out, self.fit = around.nearest, around.is_out, around.fit
            self.stage, self.epoch, self.batch = around.stage, around.epoch, around.batch


class Follower:
    """Follows the records of the calling thread, for `following`."""

    def __init__(self, following: Following, append: Callable[[Record], None]) -> None:
        self._following = following
        self._append = append
        self._stack: list[Open] = []
        self._frames: list[int] = []
        self._logs_of: Open | None = None
        self._unnamed: tuple[Open, str] | None = None
        self._make: dict[str, Callable[[Site], Handler]] = {
            "call": self._call, "hooks": self._hooks, "leave": self._leave, "raise": self._raise, "turn": self._turn,
            "hook": self._hook, "state": self._state, "named": lambda site: self._named,
        }  # fmt: skip

    def handler(self, site: Site) -> Handler:
        """What is done with the records of a site that matters."""
        return self._make.get(site.kind, self._open)(site)

    def forget(self) -> None:
        """Follow none of what is open any further."""
        del self._stack[:], self._frames[:]
        self._logs_of = self._unnamed = None

    def end(self, time_ns: int) -> None:
        """End all that is open."""
        self._close(0, time_ns)
        self.forget()

    # What a site's records do. Each of these is called once for a site, and gives what is called for each record.

    def _call(self, site: Site) -> Handler:
        def handle(record: Record) -> None:
            self._frames.append(len(self._stack))
            self._push(site, record[1])

        return handle

    def _hooks(self, site: Site) -> Handler:
        is_end = site.hook is None or site.hook.endswith("_end")

        def handle(record: Record) -> None:
            stack, owner, number = self._stack, record[2], record[3]
            self._frames.append(len(stack))
            beside = None
            if stack:
                self._following.owners[owner] = stack[-1].fit
            else:
                fit = self._following.owners.get(owner)
                beside = fit.anchor if fit is not None else None
            self._push(site, record[1], beside, number)
            one = stack[-1]
            one.hook = site.hook
            self._logs_of = None
            if site.hook is None:
                self._unnamed = one, site.counts or ""
            elif is_end:
                self._logs_of = self._target(site.hook, site.counts)

        return handle

    def _named(self, record: Record) -> None:
        if self._unnamed is None:
            return
        one, counts = self._unnamed
        one.hook = self._following.text(record[1])
        if one.span is not None and one.hook is not None:
            one.span.set_attribute("keras.hook", one.hook)
        if one.hook is not None and one.hook.endswith("_end"):
            self._logs_of = self._target(one.hook, counts)

    def _leave(self, site: Site) -> Handler:
        def handle(record: Record) -> None:
            if self._frames:
                self._close(self._frames.pop(), record[1])

        return handle

    def _raise(self, site: Site) -> Handler:
        def handle(record: Record) -> None:
            if self._frames:
                self._close(self._frames.pop(), record[1], failed=True)

        return handle

    def _open(self, site: Site) -> Handler:
        opens, depth = self._following.sites.opens(site), site.depth

        def handle(record: Record) -> None:
            if self._frames:
                self._close(self._frames[-1] + depth, record[1])
                if opens:
                    self._push(site, record[1])

        return handle

    def _turn(self, site: Site) -> Handler:
        opened = self._open(site)

        def handle(record: Record) -> None:
            opened(record)
            one = self._stack[-1] if self._stack else None
            if one is None or one.phase != site.counts:
                return
            one.turned = True
            if site.counts == "epoch":
                one.epoch = record[2]
            else:
                one.batch = record[2]
            if one.span is not None:
                self._count(one, site, record)

        return handle

    @staticmethod
    def _count(one: Open, site: Site, record: Record) -> None:
        one.span.set_attribute("keras." + one.phase, record[2])
        if site.counts == "batch":
            one.span.set_attribute("keras.last_batch", record[3])
            if record[4] != ABSENT:
                one.span.set_attribute("keras.batch_size", record[4])

    def _hook(self, site: Site) -> Handler:
        opens, depth = self._following.sites.opens(site), site.depth

        def handle(record: Record) -> None:
            if not self._frames:
                return
            self._close(self._frames[-1] + depth, record[1])
            if opens and self._stack:
                around = self._stack[-1]
                self._push(site, record[2], None, ABSENT, self._following.class_name(record[3]), around.seen)
                self._stack[-1].hook = around.hook
                around.seen += 1

        return handle

    def _state(self, site: Site) -> Handler:
        def handle(record: Record) -> None:
            target = self._logs_of
            if target is not None and target.span is not None:
                for key, value in numbers(record, *self._following.keys(record[1])):
                    target.span.set_attribute(otel.LOGS + key, value)

        return handle

    def _target(self, hook: str, counts: "str | None") -> "Open | None":
        """The span whose logs a hook at its end is given."""
        for one in reversed(self._stack):
            if one.phase == counts and counts in ("epoch", "batch"):
                return one
            if one.begins:
                return one if counts is None and hook == _ENDS.get(one.phase) else None
        return None

    # The stack.

    def _push(
        self,
        site: Site,
        clock_ns: int,
        beside: "Open | None" = None,
        number: int = ABSENT,
        callback: "str | None" = None,
        position: "int | None" = None,
    ) -> None:
        """Open the spans of a site; `beside` is where they are if nothing is open in this thread."""
        following, stack = self._following, self._stack
        start_ns = clock_ns + following.shift_ns
        for nth, phase in enumerate(site.phases):
            around = stack[-1] if stack else None
            one = Open(phase, around or beside)
            one.begins = site.root and site.kind == "call" and (around is None or around.phase != "validation")
            if one.begins:
                one.fit, one.is_out = one, following.tracer() is None
                one.epoch = one.batch = None
            if site.stage is not None:
                one.stage = site.stage
            elif around is not None and around.phase == "validation" and one.stage is None:
                one.stage = "test"
            if number != ABSENT and site.counts == "epoch":
                one.epoch = number
            elif number != ABSENT and site.counts == "batch":
                one.batch = number
            if around is not None:
                one.inside = around.inside
            stack.append(one)
            stands_alone = around is None and not one.begins and site.counts == "batch"
            if (phase == "batch" or stands_alone) and not one.is_out:
                one.is_out = not otel.is_sampled(following.ids.span(start_ns, site.number, nth), following.ratio)
            if not one.is_out and otel.is_sent(following.level, phase, one.begins):
                self._start(one, site, nth, start_ns, callback, position)
            elif around is None and one.nearest is not None:
                # Hooks on a thread of their own are in their fit, sent or not.
                one.attached = one.inside = Attached(get_current_span(one.nearest), None)
            if one.begins or phase in _ANCHORS:
                one.outer, one.fit.anchor = None if one.begins else one.fit.anchor, one

    def _start(
        self, one: Open, site: Site, nth: int, start_ns: int, callback: "str | None", position: "int | None"
    ) -> None:
        following = self._following
        attributes = following.sites.attributes(site)
        attributes["thread.name"] = following.thread_name()
        for key, value in (
            ("keras.stage", one.stage),
            ("keras.epoch", one.epoch),
            ("keras.batch", one.batch),
            ("keras.hook", site.hook or (self._stack[-2].hook if callback is not None else None)),
            ("keras.callback", callback),
            ("keras.callback_position", position),
        ):
            if value is not None:
                attributes[key] = value
        parent = one.nearest
        if one.begins:
            parent = self._around_a_fit(one)
            attributes.update(following.engine(site))
        name = otel.span_name(one.phase, one.begins, callback is not None)
        one.span = following.start(name, parent, attributes, start_ns, site.number, nth)
        one.attached = one.inside = Attached(one.span, one.inside)
        one.nearest = one.attached.context

    def _around_a_fit(self, one: Open) -> Any:
        """The context that a fit begins in, which is the program's own; another trace tells of it."""
        current = contexts.get_current()
        span = get_current_span(current)
        if one.nearest is not None and (is_over(span) or span is get_current_span(one.nearest)):
            return one.nearest
        around = span.get_span_context()
        if around.is_valid:
            self._append(self._following.told(around))
        return current

    def _close(self, height: int, clock_ns: int, failed: bool = False) -> None:
        """End all spans above a height of the stack, the innermost first."""
        stack = self._stack
        while len(stack) > height:
            one = stack.pop()
            if one.attached is not None:
                one.attached.leave()
            if one.span is not None:
                end_ns = clock_ns + self._following.shift_ns
                if failed:
                    fail(one.span, sys.exc_info()[1], end_ns)
                if one.phase == "batch" and not one.turned:
                    # It asked for a batch, and there was none any more.
                    one.span.update_name("keras.slice")
                one.span.end(end_ns)
            if one.begins:
                self._following.ended(one)
            elif one.phase in _ANCHORS and one.outer is not None:
                one.fit.anchor = one.outer
