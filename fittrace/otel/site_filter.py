"""Site filters: which records matter to live spans. Most do not; one look-up of the site tells."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Sequence

from ..capture.sites import Site
from ..schema.record_kinds import Effect, kinds_that, opened_phases
from ..schema.sent_spans import is_sent

_FRAMES = kinds_that(Effect.ENTER_FRAME, Effect.END_FRAME)
_SPANS = kinds_that(Effect.OPEN_SPANS, Effect.CLOSE_SPANS)
_SENT_NOTES = frozenset(["state", "named"])
"""The kinds of record whose content becomes attributes of spans."""
_COUNTED_NOTES = frozenset(["sizes", "traced"])
"""The kinds of record whose content becomes metrics."""


class Scope(IntEnum):
    """Which spans a thread may open next. It depends on the innermost open span of the thread."""

    FOLLOWED = 0  # The innermost span is any followed span but a batch, or nothing is open.
    FOLLOWED_BATCH = 1  # It is a followed batch.
    LEFT_OUT = 2  # It is a span inside a batch that is left out.
    LEFT_OUT_BATCH = 3  # It is a batch that is left out.


class SiteFilter:
    """Tells which sites matter in one scope.

    - `sites`: all sites of the process; the list grows.
    - `level`: which spans are sent, a key of `sent_spans.LEVELS`.
    - `scope`: the innermost open span of the thread.
    - `is_measured`: whether batches are measured. Then every site that opens spans matters.

    In a batch that is left out, only sites that may end the batch matter, and sites that are counted. Sites that may
    end a span inside the batch matter only while such a span is open. If nothing is counted, the next batch matters
    only if it is sent.
    """

    def __init__(self, sites: Sequence[Site], level: str, scope: Scope, is_measured: bool) -> None:
        self.is_left_out = scope in (Scope.LEFT_OUT, Scope.LEFT_OUT_BATCH)
        self._is_bare_batch = scope in (Scope.FOLLOWED_BATCH, Scope.LEFT_OUT_BATCH)
        self._is_idle = scope == Scope.LEFT_OUT_BATCH and not is_measured
        self._sites = sites
        has_batches = is_measured or is_sent(level, "batch", begins_fit=False)
        self._level = "batch" if self.is_left_out and has_batches else "all" if is_measured else level
        self._notes = (frozenset() if self.is_left_out else _SENT_NOTES) | (
            _COUNTED_NOTES if is_measured else frozenset()
        )
        self._deepest: dict[tuple[str, str], int] = {}
        self._followed: dict[int, int] = {}
        self._attributes: dict[int, dict[str, Any]] = {}

    def matters(self, site: Site) -> bool:
        """Whether records of the site may begin, end or describe a span that is followed."""
        # An exception may end a batch, or fail open spans. Exceptions are rare, so all of them may matter.
        if site.kind in _FRAMES or site.kind in self._notes or site.kind == "raised":
            return True
        if site.kind not in _SPANS:
            return False
        return self.opens(site) or self._gives_number(site) or site.depth < self._deepest_followed(site)

    def needs_sent_batch(self, site: Site) -> bool:
        """Whether the site's records matter only if they begin a sent batch."""
        return self._is_idle and self.opens(site) and site.phases[0] == "batch"

    def _gives_number(self, site: Site) -> bool:
        """Whether a record of the site gives a followed span its number, as Keras counts epochs or batches."""
        if site.kind != "turn" or site.counts is None:
            return False
        return self._is_followed(site.counts) and not (self._is_idle and site.counts == "batch")

    def opens(self, site: Site) -> bool:
        """Whether a record of the site begins a span that is followed."""
        return self.followed_count(site) > 0

    def followed_count(self, site: Site) -> int:
        """How many of the spans that a record of the site begins are followed.

        Those before the last one that matters are followed too, since it is inside them.
        """
        known = self._followed.get(site.number)
        if known is None:
            matters = [site.root or self._is_followed(phase) for phase in opened_phases(site.kind, site.phases)]
            known = len(matters) - matters[::-1].index(True) if any(matters) else 0
            self._followed[site.number] = known
        return known

    def attributes(self, site: Site) -> "dict[str, Any]":
        """The source location of a span's begin, as attributes. Each call returns a new dict."""
        known = self._attributes.get(site.number)
        if known is None:
            known = {"code.function.name": site.function, "code.file.path": site.file, "code.line.number": site.line}
            self._attributes[site.number] = known
        return dict(known)

    def _is_followed(self, phase: str) -> bool:
        # A validation is followed at any level. Otherwise the `evaluate` inside it would look like a fit of its own.
        return phase == "validation" or is_sent(self._level, phase, begins_fit=False)

    def _deepest_followed(self, site: Site) -> int:
        """The greatest depth in a frame of the site's function at which a followed span may be open."""
        function = site.file, site.function
        if function not in self._deepest:
            depths = [
                other.depth + nth + 1
                for other in self._sites
                if (other.file, other.function) == function
                for nth, phase in enumerate(opened_phases(other.kind, other.phases))
                if (phase == "batch" if self._is_bare_batch else self._is_followed(phase))
            ]
            self._deepest[function] = max(depths, default=0 if self._is_bare_batch else 1)
        return self._deepest[function]


def site_filters(sites: Sequence[Site], level: str) -> "list[list[SiteFilter]]":
    """The filters for a level, by `is_measured` and `Scope`."""
    filters = [[SiteFilter(sites, level, scope, is_measured) for scope in Scope] for is_measured in (False, True)]
    # At the level `batch` without measurements, only a validation or a fit can open in a followed batch, so a filter of
    # its own pays. Otherwise spans open again and again in each batch, and changes of the filter cost too much.
    for is_measured, by_scope in enumerate(filters):
        if is_measured or level != "batch":
            by_scope[Scope.FOLLOWED_BATCH] = by_scope[Scope.FOLLOWED]
    return filters
