"""The span builder: it turns the records of one thread into spans, record by record.

`fittrace.store` derives the same spans from a complete journal.
"""

from __future__ import annotations

from ..capture.isolation.interruptions import is_programs
from ..capture.record.observer import Append, Dispatch, Observing
from ..capture.sites import Site
from ..schema.record_kinds import END_FRAMES
from .live_context import LiveContext
from .record_handlers import Handler, RecordHandlers
from .site_filter import SiteFilter
from .span_stack import Record, SpanStack


class SpanBuilder(Observing):
    """Follows the records of the calling thread.

    Each filter has its own interest in sites, and its own handlers. Both are determined when the first record of a site
    arrives under that filter.
    """

    def __init__(self, context: LiveContext, append: Append) -> None:
        self._context = context
        self._stack = SpanStack(context, append, self._select_handlers)
        self._makers = RecordHandlers(context, self._stack, self._observe_again)
        self.batch_filter = self._stack.batch_filter
        self.interest = bytearray()
        self._handlers: dict[int, Handler] = {}
        self._known: dict[SiteFilter, tuple[dict[int, Handler], bytearray]] = {}
        self._select_handlers(self._stack.filter)

    def observe(self, record: Record, entered: int) -> None:
        """Handle a record."""
        try:
            if entered:
                self._stack.frames += [len(self._stack.spans)] * entered
            (self._handlers.get(record[0]) or self._meet(record[0]))(record)
        except BaseException as error:
            if is_programs(error):
                self._end_here()
                raise
            self.forget()
            self._context.report_fault(error)  # type: ignore[arg-type]

    def _observe_again(self, record: Record) -> None:
        self.observe(record, 0)

    def forget(self) -> None:
        """Follow none of what is open any further."""
        self._stack.forget()
        self._makers.forget()

    def end(self, time_ns: int) -> None:
        """End all open spans."""
        self._stack.close(0, time_ns)
        self.forget()

    def _end_here(self) -> None:
        """End all open spans: the handler was interrupted, so their state is unknown."""
        try:
            self.end(self._context.now())
        except Exception:
            self.forget()

    def _select_handlers(self, site_filter: SiteFilter) -> None:
        """Call the handlers of this filter from now on."""
        known = self._known.get(site_filter)
        if known is None:
            known = self._known[site_filter] = {}, bytearray()
        self._handlers, self.interest[:] = known

    def _meet(self, head: int) -> Handler:
        """Make and keep the handler of a site, at its first record under this filter."""
        site = self._context.site(head)
        handlers, interest = self._known[self._stack.filter]
        missing = site.number + 1 - len(interest)
        interest += bytes([Dispatch.OBSERVED]) * missing
        interest[site.number] = self._interest_in(site)
        self.interest[:] = interest
        handlers[head] = self._handler(site, interest[site.number])
        return handlers[head]

    def _interest_in(self, site: Site) -> int:
        site_filter = self._stack.filter
        if not site_filter.matters(site):
            return Dispatch.IGNORED
        if site_filter.needs_sent_batch(site):
            return Dispatch.FILTERED
        if site.kind in END_FRAMES:
            return Dispatch.LEAVES
        is_bare = site.kind == "call" and not (site.root or site_filter.opens(site))
        return Dispatch.ENTERS if is_bare or (site.kind == "hooks" and site_filter.is_left_out) else Dispatch.OBSERVED

    def _handler(self, site: Site, interest: int) -> Handler:
        if interest == Dispatch.IGNORED:
            return _pass_over
        return self._makers.enter if interest == Dispatch.ENTERS else self._makers.make(site)


def _pass_over(record: Record) -> None:
    """Do nothing with a record that does not matter."""
