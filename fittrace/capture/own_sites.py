"""The sites of fittrace's own records, which belong to no engine. They come first in the list of sites."""

from __future__ import annotations

from typing import NamedTuple

from .journal.load_shedder import StandIns, stand_ins
from .sites import Site


class OwnSites(NamedTuple):
    """The sites of fittrace's own records.

    - `state`: tells the logs that a hook was given.
    - `stand_ins`: take the place of records that load shedding leaves out.
    - `stop`: tells what `stop_training` has become.
    - `sampled`: names the metadata of a sampled batch.
    """

    state: Site
    stand_ins: StandIns
    stop: Site
    sampled: Site

    def in_order(self) -> list[Site]:
        """All of them, in the order of their numbers."""
        return [self.state, *self.stand_ins.sites, self.stop, self.sampled]


def own_sites() -> OwnSites:
    """Fresh ones, numbered from 0.

    >>> [site.number for site in own_sites().in_order()] == list(range(20))
    True
    """
    shedding = stand_ins(1)
    following = 1 + len(shedding.sites)
    return OwnSites(_site(0, "state"), shedding, _site(following, "stop"), _site(following + 1, "sampled"))


def _site(number: int, kind: str) -> Site:
    return Site(number, kind, "", "", 0, "", level=1)
