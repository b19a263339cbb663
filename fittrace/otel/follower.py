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
from .opened import Open
from .spans import fail

if TYPE_CHECKING:
    from .following import Following

Record = Sequence[int]
Handler = Callable[[Record], None]

_ANCHORS = ("epoch", "validation")
_ENDS = {"fit": "on_train_end", "evaluate": "on_test_end", "predict": "on_predict_end"}


class Follower:
    """Follows the records of the calling thread, for `following`."""

    def __init__(self, following: Following, append: Callable[[Record], None]) -> None:
        self._following = following
        self._append = append
        self._stack: list[Open] = []
        self._frames: list[int] = []
        self._logs_of: Open | None = None
        self._unnamed: str | None = None
        self._shift_ns = 0
        self._make: dict[str, Callable[[Site], Handler]] = {
            "call": self._call, "hooks": self._hooks, "leave": self._leave, "raise": self._raise, "turn": self._turn,
            "hook": self._hook, "state": self._state, "named": lambda site: self._named,
        }  # fmt: skip

    def handler(self, site: Site) -> Handler:
        """What is done with the records of a site that matters."""
        if site.kind == "open" and site.phases[0] == "batch" and self._following.sites.opens(site):
            return self._batch(site)
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
        is_followed = site.root or self._following.sites.opens(site)

        def handle(record: Record) -> None:
            self._frames.append(len(self._stack))
            if is_followed:
                self._push(site, record[1])

        return handle

    def _hooks(self, site: Site) -> Handler:
        is_end = site.hook is not None and site.hook.endswith("_end")
        is_followed = self._following.sites.opens(site)
        owners = self._following.owners

        def handle(record: Record) -> None:
            stack = self._stack
            self._frames.append(len(stack))
            self._logs_of = self._unnamed = None
            if stack:
                fit = stack[-1].fit
                if owners.get(record[2]) is not fit:
                    owners[record[2]] = fit
                if is_followed:
                    self._push(site, record[1], None, record[3])
                    stack[-1].hook = site.hook
            elif record[2] in owners:
                self._push(site, record[1], owners[record[2]].anchor, record[3])
                stack[-1].hook = site.hook
            if is_end:
                self._logs_of = self._target(str(site.hook), site.counts)
            elif site.hook is None:
                self._unnamed = site.counts or ""

        return handle

    def _named(self, record: Record) -> None:
        counts = self._unnamed
        if counts is None:
            return
        self._unnamed = None
        hook = self._following.text(record[1])
        one = self._stack[-1] if self._stack else None
        if one is not None and one.phase == "hooks":
            one.hook = hook
            if one.span is not None and hook is not None:
                one.span.set_attribute("keras.hook", hook)
        if hook is not None and hook.endswith("_end"):
            self._logs_of = self._target(hook, counts)

    def _leave(self, site: Site) -> Handler:
        frames, stack = self._frames, self._stack

        def handle(record: Record) -> None:
            if frames:
                height = frames.pop()
                if len(stack) > height:
                    self._close(height, record[1])

        return handle

    def _raise(self, site: Site) -> Handler:
        def handle(record: Record) -> None:
            if self._frames:
                self._close(self._frames.pop(), record[1], failed=True)

        return handle

    def _open(self, site: Site) -> Handler:
        opens, depth, frames, stack = self._following.sites.opens(site), site.depth, self._frames, self._stack

        def handle(record: Record) -> None:
            if frames:
                height = frames[-1] + depth
                if len(stack) > height:
                    self._close(height, record[1])
                if opens:
                    self._push(site, record[1])

        return handle

    def _batch(self, site: Site) -> Handler:
        """The same for batches, most of which are left out."""
        depth, frames, stack = site.depth, self._frames, self._stack
        limit, scattered = self._following.ratio * (1 << 64), otel.scattered

        def handle(record: Record) -> None:
            if not frames:
                return
            height = frames[-1] + depth
            if len(stack) > height:
                self._close(height, record[1])
            around = stack[-1] if 0 < len(stack) == height else None
            if around is not None and (around.is_out or scattered(record[1] + self._shift_ns) >= limit):
                stack.append(around.leaving_out("batch"))
            else:
                self._push(site, record[1])

        return handle

    def _turn(self, site: Site) -> Handler:
        is_batch = site.phases[:1] == ("batch",) and self._following.sites.opens(site)
        opened = self._batch(site) if is_batch else self._open(site)
        stack, is_epoch = self._stack, site.counts == "epoch"

        def handle(record: Record) -> None:
            opened(record)
            one = stack[-1] if stack else None
            if one is None or one.phase != site.counts:
                return
            one.turned = True
            if not is_epoch:
                one.batch = record[2]
            elif one.stage == "train" or one.epoch is None:
                # A loop over epochs that does not train goes round once, within the epoch of whoever validates.
                one.epoch = record[2]
            if one.span is not None:
                self._count(one, site, record)

        return handle

    @staticmethod
    def _count(one: Open, site: Site, record: Record) -> None:
        if site.counts == "epoch":
            one.span.set_attribute("keras.epoch", one.epoch)
        else:
            one.span.set_attribute("keras.batch", one.batch)
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
        """Open the spans of a site that are followed; `beside` is where they are if nothing is open in this thread."""
        following, stack = self._following, self._stack
        begins = site.root and site.kind == "call" and not self._validates()
        if begins or not stack:
            self._shift_ns = following.shift_ns
        start_ns = clock_ns + self._shift_ns
        is_alone = not stack and not begins
        around = stack[-1] if stack else beside
        while len(stack) < self._frames[-1] + site.depth:
            around = Open("", around)  # one that is not followed, in the place that it has in its frame
            stack.append(around)
        for nth, phase in enumerate(site.phases[: following.sites.followed(site) or int(is_alone)]):
            is_batch = phase == "batch" or (is_alone and site.counts == "batch")
            if is_batch and around is not None and not around.is_out and not otel.is_sampled(start_ns, following.ratio):
                around = around.leaving_out(phase)
                stack.append(around)
                if is_alone:
                    self._attach(around)
                continue
            one = Open(phase, around)
            stack.append(one)
            one.place(site, around, begins, number)
            if begins:
                one.is_out = following.tracer() is None
            if not one.is_out and otel.is_sent(following.level, phase, begins):
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
    def _attach(one: Open) -> None:
        """Hooks on a thread of their own are in their fit, sent or not."""
        if one.nearest is not None:
            one.attached = one.inside = Attached(get_current_span(one.nearest), None)

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
        one.attached = one.inside = Attached(one.span, one.inside if len(self._stack) > 1 else None)
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
                end_ns = clock_ns + self._shift_ns
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
