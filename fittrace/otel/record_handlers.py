"""Record handlers: the effect of each site's records on the open spans of a thread.

`schema.open_frames` is the plain specification of which spans a record opens and closes. A test compares the handlers
with it.
"""

from __future__ import annotations

import sys
from typing import Callable

from ..capture.sites import Site
from ..schema import otel_names
from ..schema.journal_format import ABSENT
from .live_context import LiveContext
from .log_numbers import numbers
from .open_spans import OpenSpan
from .span_stack import Record, SpanStack

Handler = Callable[[Record], None]

_LAST_HOOKS = {"fit": "on_train_end", "evaluate": "on_test_end", "predict": "on_predict_end"}
"""By the phase of a fit's outermost span: the hook that gets its last logs."""


class RecordHandlers:
    """Makes the handlers of sites, for the stack's present filter.

    A handler is made once for each site and filter, and called for each record. So all that depends on the site alone
    is computed when the handler is made.

    - `context`, `stack`: what the handlers work on.
    - `observe`: handles a record anew, after its handler has changed the filter.
    """

    def __init__(self, context: LiveContext, stack: SpanStack, observe: Callable[[Record], None]) -> None:
        self._context = context
        self._stack = stack
        self._observe = observe
        # The spans whose logs the running hooks get, by the number of open frames.
        self._logs_of: dict[int, OpenSpan | None] = {}
        # What the number of a hook counts ("" for nothing), while the hook waits for its `named` record; else None.
        self._unnamed: str | None = None
        self._makers: dict[str, Callable[[Site], Handler]] = {
            "call": self._call, "hooks": self._hooks, "leave": self._leave, "raise": self._raise, "turn": self._turn,
            "hook": self._hook, "state": self._state, "named": lambda site: self._named, "sizes": self._sizes,
            "traced": lambda site: self._traced, "raised": self._raised,
        }  # fmt: skip

    def forget(self) -> None:
        """Forget what the open spans wait for."""
        self._logs_of.clear()
        self._unnamed = None

    def make(self, site: Site) -> Handler:
        """The handler of a site, for the present filter."""
        make = self._makers.get(site.kind)
        if make is not None:
            return make(site)
        site_filter = self._stack.filter
        is_closing = site_filter.is_left_out and not site_filter.opens(site)
        return self._close_left_out(site) if is_closing else self._opening(site)

    def enter(self, record: Record) -> None:
        """Handle a record that only begins a frame."""
        self._stack.frames.append(len(self._stack.spans))

    def _opening(self, site: Site) -> Handler:
        """The handler that closes what is open at the site's depth, and opens the site's spans."""
        site_filter = self._stack.filter
        if site.phases[:1] != ("batch",) or not site_filter.opens(site):
            return self._open(site)
        return self._open_sent_batch(site) if site_filter.needs_sent_batch(site) else self._open_batch(site)

    # Each of these methods returns the handler of a site, or is itself the handler where nothing depends on the site.

    def _call(self, site: Site) -> Handler:
        frames, spans, push = self._stack.frames, self._stack.spans, self._stack.push

        def handle(record: Record) -> None:
            frames.append(len(spans))
            push(site, record[1])

        return handle

    def _hooks(self, site: Site) -> Handler:
        """Handle a callback list that begins to call a hook.

        If nothing is open in this thread, it may be a pool's thread. Then the identity of the list tells the fit.
        """
        is_end = site.hook is not None and site.hook.endswith("_end")
        is_followed = self._stack.filter.opens(site)
        frames, spans, push = self._stack.frames, self._stack.spans, self._stack.push
        fit_of_list = self._context.fit_of_list

        def handle(record: Record) -> None:
            frames.append(len(spans))
            self._unnamed = None
            if spans:
                fit = spans[-1].fit
                if fit_of_list.get(record[2]) is not fit:
                    fit_of_list[record[2]] = fit
                if is_followed:
                    push(site, record[1], None, record[3])
                    spans[-1].hook = site.hook
            elif record[2] in fit_of_list:
                push(site, record[1], fit_of_list[record[2]].anchor, record[3])
                spans[-1].hook = site.hook
            self._give_logs(self._logs_owner(str(site.hook), site.counts) if is_end else None)
            if site.hook is None:
                self._unnamed = site.counts or ""

        return handle

    def _named(self, record: Record) -> None:
        """Handle the name of the hook that a list calls, if its site does not have the name."""
        counts = self._unnamed
        if counts is None:
            return
        self._unnamed = None
        hook = self._context.text(record[1])
        span = self._stack.spans[-1] if self._stack.spans else None
        if span is not None and span.phase == "hooks":
            span.hook = hook
            if span.span is not None and hook is not None:
                span.span.set_attribute("keras.hook", hook)
        if hook is not None and hook.endswith("_end"):
            self._give_logs(self._logs_owner(hook, counts))

    def _logs_owner(self, hook: str, counts: "str | None") -> "OpenSpan | None":
        """The span that ends with this hook, whose logs the hook gets. `counts` is what the hook's number counts."""
        for span in reversed(self._stack.spans):
            if span.phase == counts and counts in ("epoch", "batch"):
                return span
            if span.begins_fit:
                return span if counts is None and hook == _LAST_HOOKS.get(span.phase) else None
        return None

    def _give_logs(self, owner: "OpenSpan | None") -> None:
        """Note that the hooks called now get the logs of `owner`, at its end. None: they get no span's logs."""
        self._logs_of[len(self._stack.frames)] = owner
        if owner is not None and owner.is_batch:
            owner.has_run = True

    def _leave(self, site: Site) -> Handler:
        frames, spans, close = self._stack.frames, self._stack.spans, self._stack.close

        def handle(record: Record) -> None:
            if frames:
                height = frames.pop()
                if len(spans) > height:
                    close(height, record[1])

        return handle

    def _raise(self, site: Site) -> Handler:
        frames, close = self._stack.frames, self._stack.close

        def handle(record: Record) -> None:
            if frames:
                close(frames.pop(), record[1], failed=True)

        return handle

    def _open(self, site: Site) -> Handler:
        stack, opens, depth = self._stack, self._stack.filter.opens(site), site.depth
        frames, spans, close, push = stack.frames, stack.spans, stack.close, stack.push

        def handle(record: Record) -> None:
            if frames:
                height = frames[-1] + depth
                if len(spans) > height:
                    close(height, record[1])
                if opens:
                    push(site, record[1])

        return handle

    def _close_left_out(self, site: Site) -> Handler:
        """Handle a record that opens nothing, in a batch that is left out.

        It may end this batch. Then the filter changes, and the record is handled again with the new filter's handler.
        """
        handle_open, stack, site_filter = self._open(site), self._stack, self._stack.filter

        def handle(record: Record) -> None:
            handle_open(record)
            if stack.filter is not site_filter:
                self._observe(record)

        return handle

    def _open_batch(self, site: Site) -> Handler:
        """Handle a record that opens a batch. Most batches are left out, so that case is the fast path."""
        stack, depth, frames, spans = self._stack, site.depth, self._stack.frames, self._stack.spans

        def handle(record: Record) -> None:
            if not frames:
                return
            height = frames[-1] + depth
            # The common case: the batch before was left out too. Use its stand-in again, and leave the stack as it is.
            follows_left_out = len(spans) == height + 1 > 1 and spans[-1] is spans[-2].stand_in
            if follows_left_out and stack.is_left_out(spans[-2], record[1]):
                spans[-2].left_out_batch("batch")
                return
            stack.close(height, record[1])
            around = spans[-1] if 0 < len(spans) == height else None
            if around is not None and stack.is_left_out(around, record[1]):
                spans.append(around.left_out_batch("batch"))
                stack.update_filter()
            else:
                stack.push(site, record[1])

        return handle

    def _open_sent_batch(self, site: Site) -> Handler:
        """Handle a record that opens a sent batch, while the probes pass on no others."""
        stack, depth, frames, spans = self._stack, site.depth, self._stack.frames, self._stack.spans

        def handle(record: Record) -> None:
            if frames:
                del spans[frames[-1] + depth :]  # the stand-in of the batch before, if there is one
                stack.update_filter()
                stack.push(site, record[1])

        return handle

    def _turn(self, site: Site) -> Handler:
        """Handle a turn of a loop. It may open an epoch or a batch, and tells its number."""
        handle_opening, stack = self._opening(site), self._stack
        spans, is_epoch = stack.spans, site.counts == "epoch"

        def handle(record: Record) -> None:
            handle_opening(record)
            span = spans[-1] if spans else None
            if span is None or span.phase != site.counts:
                return
            span.has_turn = True
            if not is_epoch:
                span.batch = record[2]
                if stack.measurements is not None:
                    stack.measurements.count(span, record, stack.sizes_of(span, record))
            elif span.stage == "train" or span.epoch is None:
                # A loop over epochs that validates has a single turn, with a number of its own. The epoch of the fit
                # around it counts.
                span.epoch = record[2]
            if span.span is not None:
                self._set_number(span, is_epoch, record)

        return handle

    @staticmethod
    def _set_number(span: OpenSpan, is_epoch: bool, turn: Record) -> None:
        if is_epoch:
            span.span.set_attribute("keras.epoch", span.epoch)
        else:
            attributes = {"keras.batch": span.batch, "keras.last_batch": turn[3]}
            if turn[4] != ABSENT:
                attributes["keras.batch_size"] = turn[4]
            span.span.set_attributes(attributes)

    def _hook(self, site: Site) -> Handler:
        """Handle the begin of a callback's hook. It ends the hook of the callback before."""
        stack, opens, depth = self._stack, self._stack.filter.opens(site), site.depth
        frames, spans = stack.frames, stack.spans

        def handle(record: Record) -> None:
            if not frames:
                return
            stack.close(frames[-1] + depth, record[1])
            if opens and spans:
                around = spans[-1]
                stack.push(site, record[2], None, ABSENT, self._context.class_name(record[3]), around.hook_count)
                spans[-1].hook = around.hook
                around.hook_count += 1

        return handle

    def _state(self, site: Site) -> Handler:
        """Handle logs that have changed."""
        stack = self._stack

        def handle(record: Record) -> None:
            owner, measurements = self._logs_of.get(len(stack.frames)), stack.measurements
            if owner is None or (owner.span is None and measurements is None):
                return
            logs = dict(numbers(record, *self._context.keys(record[1])))
            if owner.span is not None:
                owner.span.set_attributes({otel_names.LOGS + key: value for key, value in logs.items()})
            if measurements is not None:
                for key, value in logs.items():
                    measurements.keep_number(owner, key, value)

        return handle

    def _sizes(self, site: Site) -> Handler:
        """Handle the sizes of a loop's batches. They are used to count the samples of its turns."""
        function, spans = site.function, self._stack.spans

        def handle(record: Record) -> None:
            if spans:
                fit = spans[-1].fit
                fit.sizes = fit.sizes or {}
                fit.sizes[function, spans[-1].stage] = record

        return handle

    def _traced(self, record: Record) -> None:
        """Handle the retracing of a `tf.function`. A batch counts once, even if it retraces several functions."""
        batch = next((span for span in self._frame_spans() if span.is_batch), None)
        if batch is not None and not batch.is_retraced and self._stack.measurements is not None:
            batch.is_retraced = True
            self._stack.measurements.count_retrace(batch)

    def _raised(self, site: Site) -> Handler:
        """Handle an exception that a frame catches, or passes on.

        It may end the open spans of the frame. This is known at once only if the exception passes a `finally`.
        """

        def handle(record: Record) -> None:
            spans = self._frame_spans()
            for span in spans if site.goes_on else ():
                span.error = sys.exc_info()[1]
            batch = next((span for span in reversed(spans) if span.is_batch), None)
            if batch is not None and not batch.has_run:
                batch.is_stopped = True

        return handle

    def _frame_spans(self) -> "list[OpenSpan]":
        """The open spans of the innermost frame."""
        frames = self._stack.frames
        return self._stack.spans[frames[-1] :] if frames else []
