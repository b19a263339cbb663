"""Site filters: which records matter to live spans. Most do not, and one look-up tells them from the others."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Sequence

from ..capture.sites import Site
from ..schema.otel_names import is_sent
from ..schema.record_kinds import Effect, kinds_that, opened_phases

_FRAMES = kinds_that(Effect.ENTER_FRAME, Effect.END_FRAME)
_SPANS = kinds_that(Effect.OPEN_SPANS, Effect.CLOSE_SPANS)
_SENT_NOTES = frozenset(["state", "named"])
"""The kinds of record whose content becomes attributes of spans."""
_COUNTED_NOTES = frozenset(["sizes", "traced"])
"""The kinds of record whose content becomes metrics."""


class Scope(IntEnum):
    """Which spans a thread may open next, told by its innermost open span."""

    FOLLOWED = 0  # Any span that the level sends.
    FOLLOWED_BATCH = 1  # A followed batch, in which nothing else is open.
    LEFT_OUT = 2  # In a batch that is left out, something is open.
    LEFT_OUT_BATCH = 3  # A batch that is left out, in which nothing is open.


class SiteFilter:
    """Tells which sites matter in one scope.

    - `sites`: all sites of the process; the list grows.
    - `level`: which spans are sent, a key of `otel_names.LEVELS`.
    - `scope`: the innermost open span of the thread.
    - `is_measured`: whether batches are measured. Then all that opens spans matters.

    In a batch that is left out, sites matter that may end the batch or are counted. Sites that may end a span inside
    the batch matter only while one is open. Where nothing is counted either, the batch after it matters only if it is
    sent.
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
        # An exception may end a batch, or fail what is open; it is seldom.
        if site.kind in _FRAMES or site.kind in self._notes or site.kind == "raised":
            return True
        if site.kind not in _SPANS:
            return False
        return self.opens(site) or self._gives_number(site) or site.depth < self._deepest_followed(site)

    def needs_sent_batch(self, site: Site) -> bool:
        """Whether, of the site's records, only those matter that begin a batch which is sent."""
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
        """How many of the spans that a record of the site begins are followed: all up to the last that matters."""
        known = self._followed.get(site.number)
        if known is None:
            matters = [site.root or self._is_followed(phase) for phase in opened_phases(site.kind, site.phases)]
            known = len(matters) - matters[::-1].index(True) if any(matters) else 0
            self._followed[site.number] = known
        return known

    def attributes(self, site: Site) -> "dict[str, Any]":
        """The attributes that say where in the source a span begins; a new dict each time."""
        known = self._attributes.get(site.number)
        if known is None:
            known = {"code.function.name": site.function, "code.file.path": site.file, "code.line.number": site.line}
            self._attributes[site.number] = known
        return dict(known)

    def _is_followed(self, phase: str) -> bool:
        # A validation is followed at any level: the `evaluate` in it begins no fit.
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
    # Elsewhere only a validation or a fit can open in a followed batch. Where more can, again and again in each batch,
    # changing the filter would cost more than it saves.
    for is_measured, by_scope in enumerate(filters):
        if is_measured or level != "batch":
            by_scope[Scope.FOLLOWED_BATCH] = by_scope[Scope.FOLLOWED]
    return filters
