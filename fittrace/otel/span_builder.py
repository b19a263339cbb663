"""The follower: what the records of one thread do to the stack of its open spans, site by site.

It does with one record after the other what `fittrace.store` does with all at once, so that both tell the same spans.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Callable, Sequence

from ..capture.isolation.interruptions import is_programs
from ..capture.record.observer import ENTERS, LEAVES, PASSED_OVER, SIFTED, TOLD, Append, Observing
from ..capture.sites import Site
from ..schema import otel_names
from ..schema.journal_format import ABSENT
from ..schema.record_kinds import END_FRAMES
from .log_numbers import numbers
from .open_spans import OpenSpan
from .site_filter import SiteFilter
from .span_stack import Record, SpanStack

if TYPE_CHECKING:
    from .live_tracer import LiveTracer

Handler = Callable[[Record], None]


class SpanBuilder(SpanStack, Observing):
    """Follows the records of the calling thread, for `following`.

    `_logs_of` are the spans whose logs the hooks under way are given, by how many frames are open then.
    """

    def __init__(self, following: LiveTracer, append: Append) -> None:
        super().__init__(following, append)
        self.interest = bytearray()
        self._logs_of: dict[int, OpenSpan | None] = {}
        self._unnamed: str | None = None
        self._handlers: dict[int, Handler] = {}
        # What was found of the sites that came by, while these sites mattered.
        self._known: dict[SiteFilter, tuple[dict[int, Handler], bytearray]] = {}
        self._make: dict[str, Callable[[Site], Handler]] = {
            "call": self._call, "hooks": self._hooks, "leave": self._leave, "raise": self._raise, "turn": self._turn,
            "hook": self._hook, "state": self._state, "named": lambda site: self._named, "sizes": self._sizes,
            "traced": lambda site: self._traced, "raised": self._raised,
        }  # fmt: skip
        self._attend(self._sites)

    def observe(self, record: Sequence[int], entered: int) -> None:
        """Handle a record."""
        try:
            if entered:
                self._frames += [len(self._stack)] * entered
            (self._handlers.get(record[0]) or self._meet(record[0]))(record)
        except BaseException as error:
            if is_programs(error):
                self._end_here()
                raise
            self.forget()
            self._following.failed(error)  # type: ignore[arg-type]

    def _attend(self, sites: SiteFilter) -> None:
        super()._attend(sites)
        known = self._known.get(sites)
        if known is None:
            known = self._known[sites] = {}, bytearray()
        self._handlers, self.interest[:] = known

    def _meet(self, head: int) -> Handler:
        """What is done with the first record of a site that comes by while these sites matter."""
        site = self._following.site(head)
        handlers, interest = self._known[self._sites]
        missing = site.number + 1 - len(interest)
        interest += bytes([TOLD]) * missing
        interest[site.number] = self._interest_in(site)
        self.interest[:] = interest
        handlers[head] = self._handler(site, interest[site.number])
        return handlers[head]

    def _interest_in(self, site: Site) -> int:
        if not self._sites.matters(site):
            return PASSED_OVER
        if self._sites.is_sifted(site):
            return SIFTED
        if site.kind in END_FRAMES:
            return LEAVES
        is_bare = site.kind == "call" and not (site.root or self._sites.opens(site))
        return ENTERS if is_bare or (site.kind == "hooks" and self._sites.is_spared) else TOLD

    def _handler(self, site: Site, interest: int) -> Handler:
        """What is done with the records of a site."""
        if interest == PASSED_OVER:
            return self._pass_over
        if interest == ENTERS:
            return self._enter
        make = self._make.get(site.kind)
        if make is not None:
            return make(site)
        is_after = self._sites.is_spared and not self._sites.opens(site)
        return self._after(site) if is_after else self._opened(site)

    def _opened(self, site: Site) -> Handler:
        """What opens the spans of a site, if it has some."""
        if site.phases[:1] != ("batch",) or not self._sites.opens(site):
            return self._open(site)
        return self._sent(site) if self._sites.is_sifted(site) else self._batch(site)

    def forget(self) -> None:
        """Follow none of what is open any further."""
        super().forget()
        self._logs_of.clear()
        self._unnamed = None

    def _end_here(self) -> None:
        """End all that is open, since it is not known how far what was interrupted has come."""
        try:
            self.end(self._following.now())
        except Exception:
            self.forget()

    def end(self, time_ns: int) -> None:
        """End all that is open."""
        self._close(0, time_ns)
        self.forget()

    # What a site's records do. Each of these is called once for a site, and gives what is called for each record.

    def _pass_over(self, record: Record) -> None:
        pass

    def _enter(self, record: Record) -> None:
        """Nothing but the frame counts."""
        self._frames.append(len(self._stack))

    def _call(self, site: Site) -> Handler:
        def handle(record: Record) -> None:
            self._frames.append(len(self._stack))
            self._push(site, record[1])

        return handle

    def _hooks(self, site: Site) -> Handler:
        is_end = site.hook is not None and site.hook.endswith("_end")
        is_followed = self._sites.opens(site)
        owners = self._following.owners

        def handle(record: Record) -> None:
            stack, frames = self._stack, self._frames
            frames.append(len(stack))
            self._unnamed = None
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
            self._ends(self._target(str(site.hook), site.counts) if is_end else None)
            if site.hook is None:
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
            self._ends(self._target(hook, counts))

    def _ends(self, one: "OpenSpan | None") -> None:
        """Take note that hooks are called at the end of a span, and given its logs."""
        self._logs_of[len(self._frames)] = one
        if one is not None and one.is_batch:
            one.has_run = True

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
        opens, depth, frames, stack = self._sites.opens(site), site.depth, self._frames, self._stack

        def handle(record: Record) -> None:
            if frames:
                height = frames[-1] + depth
                if len(stack) > height:
                    self._close(height, record[1])
                if opens:
                    self._push(site, record[1])

        return handle

    def _after(self, site: Site) -> Handler:
        """The same in a batch of which nothing is followed: what it ends may be the batch, after which more is."""
        opened, sites = self._open(site), self._sites

        def handle(record: Record) -> None:
            opened(record)
            if self._sites is not sites:
                self.observe(record, 0)

        return handle

    def _batch(self, site: Site) -> Handler:
        """The same for batches, most of which are left out."""
        depth, frames, stack = site.depth, self._frames, self._stack

        def handle(record: Record) -> None:
            if not frames:
                return
            height = frames[-1] + depth
            # One that is left out after another is the common case where batches are counted; the stack stays as it is.
            follows_one = len(stack) == height + 1 > 1 and stack[-1] is stack[-2].left_out
            if follows_one and self._is_left_out(stack[-2], record[1]):
                stack[-2].leaving_out("batch")
                return
            self._close(height, record[1])
            around = stack[-1] if 0 < len(stack) == height else None
            if around is not None and self._is_left_out(around, record[1]):
                stack.append(around.leaving_out("batch"))
                self._watch()
            else:
                self._push(site, record[1])

        return handle

    def _sent(self, site: Site) -> Handler:
        """The same for those that are sent, of batches of which the others are not told."""
        depth, frames, stack = site.depth, self._frames, self._stack

        def handle(record: Record) -> None:
            if frames:
                del stack[frames[-1] + depth :]  # what stands for one that is left out, if anything
                self._watch()
                self._push(site, record[1])

        return handle

    def _turn(self, site: Site) -> Handler:
        opened = self._opened(site)
        stack, is_epoch = self._stack, site.counts == "epoch"

        def handle(record: Record) -> None:
            opened(record)
            one = stack[-1] if stack else None
            if one is None or one.phase != site.counts:
                return
            one.turned = True
            if not is_epoch:
                one.batch = record[2]
                if self._measuring is not None:
                    self._measuring.count(one, record, self._sizes_told(one, record))
            elif one.stage == "train" or one.epoch is None:
                # A loop over epochs that does not train goes round once, within the epoch of whoever validates.
                one.epoch = record[2]
            if one.span is not None:
                self._count(one, site, record)

        return handle

    @staticmethod
    def _count(one: OpenSpan, site: Site, record: Record) -> None:
        if site.counts == "epoch":
            one.span.set_attribute("keras.epoch", one.epoch)
        else:
            attributes = {"keras.batch": one.batch, "keras.last_batch": record[3]}
            if record[4] != ABSENT:
                attributes["keras.batch_size"] = record[4]
            one.span.set_attributes(attributes)

    def _hook(self, site: Site) -> Handler:
        opens, depth = self._sites.opens(site), site.depth

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
            target, measuring = self._logs_of.get(len(self._frames)), self._measuring
            if target is None or (target.span is None and measuring is None):
                return
            told = dict(numbers(record, *self._following.keys(record[1])))
            if target.span is not None:
                target.span.set_attributes({otel_names.LOGS + key: value for key, value in told.items()})
            if measuring is not None:
                for key, value in told.items():
                    measuring.number(target, key, value)

        return handle

    def _sizes(self, site: Site) -> Handler:
        function = site.function

        def handle(record: Record) -> None:
            if self._stack:
                fit = self._stack[-1].fit
                fit.sizes = fit.sizes or {}
                fit.sizes[function, self._stack[-1].stage] = record

        return handle

    def _traced(self, record: Record) -> None:
        batch = next((one for one in self._stack[self._frames[-1] :] if one.is_batch), None) if self._frames else None
        if batch is not None and not batch.retraced and self._measuring is not None:
            batch.retraced = True
            self._measuring.retraced(batch)

    def _raised(self, site: Site) -> Handler:
        """An exception leaves what is open in its frame, or is caught there: both are known only later, but for one
        that passes a `finally`."""

        def handle(record: Record) -> None:
            here = self._stack[self._frames[-1] :] if self._frames else []
            for one in here if site.goes_on else ():
                one.error = sys.exc_info()[1]
            batch = next((one for one in reversed(here) if one.is_batch), None)
            if batch is not None and not batch.has_run:
                batch.is_stopped = True

        return handle
