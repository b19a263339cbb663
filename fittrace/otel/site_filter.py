"""Which sites matter to what is sent: most records are of no interest, and are told from the others by one look-up."""

from __future__ import annotations

from typing import Any, Sequence

from ..capture.sites import Site
from ..schema.otel_names import is_sent
from ..schema.record_kinds import Effect, kinds_that, opened_phases

TOLD = ("state", "named")
"""The kinds of site that say something of their frame which is sent."""
COUNTED = ("sizes", "traced")
"""The kinds of site that say something of their frame which is counted."""
_FRAMES = kinds_that(Effect.ENTER_FRAME, Effect.END_FRAME)
_SPANS = kinds_that(Effect.OPEN_SPANS, Effect.CLOSE_SPANS)
FOLLOWED, ALONE, SPARED, BARE = range(4)
"""Where a thread may be: where spans are followed; in a batch that is followed, with nothing open in it, where at most
a validation or a fit can open; in a batch of which nothing is followed; in such a one with nothing open in it."""


class SiteFilter:
    """Tells which of `sites`, a list that grows, matter at a `level` in a `place`.

    All that open spans do where batches are measured. In a batch of which nothing is followed those do that may end it,
    and what is counted; those that may end what is in a batch only where something is open in it. Where nothing is of
    a batch that is not followed, and nothing is counted either, the batch after it matters only if that is sent.
    """

    def __init__(self, sites: Sequence[Site], level: str, place: int, is_measured: bool) -> None:
        self.is_spared = place in (SPARED, BARE)
        self._is_bare = place in (ALONE, BARE)
        self._is_idle = place == BARE and not is_measured
        self._sites = sites
        has_batches = is_measured or is_sent(level, "batch", begins_fit=False)
        self._level = "batch" if self.is_spared and has_batches else "all" if is_measured else level
        self._told = (*(() if self.is_spared else TOLD), *(COUNTED if is_measured else ()))
        self._depths: dict[tuple[str, str], int] = {}
        self._followed: dict[int, int] = {}
        self._attributes: dict[int, dict[str, Any]] = {}

    def matters(self, site: Site) -> bool:
        """Whether a record of the site may begin or end a span that is followed."""
        # What is raised may end a batch, or fail what is open; it is seldom.
        if site.kind in _FRAMES or site.kind in self._told or site.kind == "raised":
            return True
        if site.kind not in _SPANS:
            return False
        return self.opens(site) or self._tells_number(site) or site.depth < self._deepest(site)

    def is_sifted(self, site: Site) -> bool:
        """Whether, of the site's records, only those matter that begin a batch which is sent."""
        return self._is_idle and self.opens(site) and site.phases[0] == "batch"

    def _tells_number(self, site: Site) -> bool:
        """Whether a record of the site gives a span that is followed its number, as Keras counts epochs or batches."""
        if site.kind != "turn" or site.counts is None:
            return False
        return self._is_followed(site.counts) and not (self._is_idle and site.counts == "batch")

    def opens(self, site: Site) -> bool:
        """Whether a record of the site begins a span that is followed."""
        return self.followed(site) > 0

    def followed(self, site: Site) -> int:
        """How many of the spans that a record of the site begins are followed: all, up to the last that matters."""
        known = self._followed.get(site.number)
        if known is None:
            matters = [site.root or self._is_followed(phase) for phase in opened_phases(site.kind, site.phases)]
            known = len(matters) - matters[::-1].index(True) if any(matters) else 0
            self._followed[site.number] = known
        return known

    def attributes(self, site: Site) -> "dict[str, Any]":
        """What a span says of the place where it begins; a new dict each time."""
        known = self._attributes.get(site.number)
        if known is None:
            known = {"code.function.name": site.function, "code.file.path": site.file, "code.line.number": site.line}
            self._attributes[site.number] = known
        return dict(known)

    def _is_followed(self, phase: str) -> bool:
        # A validation is followed at any level: the `evaluate` in it begins no fit.
        return phase == "validation" or is_sent(self._level, phase, begins_fit=False)

    def _deepest(self, site: Site) -> int:
        """How many spans of a frame of the site's function may be open that are followed, inside each other."""
        function = site.file, site.function
        if function not in self._depths:
            depths = [
                one.depth + place + 1
                for one in self._sites
                if (one.file, one.function) == function
                for place, phase in enumerate(opened_phases(one.kind, one.phases))
                if (phase == "batch" if self._is_bare else self._is_followed(phase))
            ]
            self._depths[function] = max(depths, default=0 if self._is_bare else 1)
        return self._depths[function]
