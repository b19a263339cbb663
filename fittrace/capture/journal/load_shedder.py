"""Thinning: leaves records out where the disk cannot keep up, such that what stays is as it would have been.

A record that opens spans also closes those that were open at its place. So it is not enough to leave out the records
of what is too much: where one of them also closes a span that is kept, a plain closing record takes its place. What
was begun before thinning set in is taken to be kept, and what is dropped stays so to its end, whatever comes after.
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ...schema.journal_format import CLOSING, LOOSE
from ..sites import Site

KEEP_ALL, KEEP_BATCHES, KEEP_EPOCHS = 2, 1, 0
"""The highest level of site that is kept."""
_NONE = 3
"""Above all levels."""

DEEPEST = 16
"""Spans in each other in one frame of an engine's function: more than any engine's table has."""


class StandIns(NamedTuple):
    """Sites whose records take the place of what is left out: `closers` close all but so many spans of a frame (none,
    one, two, ...), a `gap` says that something was here."""

    closers: Sequence[Site]
    gap: Site

    @property
    def sites(self) -> list[Site]:
        """All of them, in the order of their numbers."""
        return [*self.closers, self.gap]


def stand_ins(first: int) -> StandIns:
    """Stand-ins numbered from `first`."""
    closers = [Site(first + depth, "close", "", "", 0, "", depth=depth, level=0) for depth in range(DEEPEST)]
    return StandIns(closers, Site(first + DEEPEST, "gap", "", "", 0, "", level=0))


class _Frame:
    """A frame that is open: how many of its open spans are kept (None: all, it is not known how many), the level of
    each of those that are left out, and the lowest level of what is left out `around` it."""

    __slots__ = ("around", "gone", "is_kept", "kept")

    def __init__(self, is_kept: bool, kept: int | None, around: int) -> None:
        self.is_kept = is_kept
        self.kept = kept
        self.gone: list[int] = []
        self.around = around

    @property
    def is_whole(self) -> bool:
        return self.is_kept and not self.gone

    @property
    def missing(self) -> int:
        """The lowest level of what is left out around the next frame."""
        return min(self.around, *self.gone, _NONE)


class LoadShedder:
    """Thins the records of one thread, from the first that are too many until nothing is left out any more."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._closers = stand_ins.closers
        self._gap = stand_ins.gap
        self._frames: list[_Frame] = []
        # What was open before: there is no telling how many frames.
        self._outer = _Frame(True, None, _NONE)

    @property
    def is_over(self) -> bool:
        """Whether nothing that is open was left out, so that everything can be kept from now on."""
        return self._outer.is_whole and all(frame.is_whole for frame in self._frames)

    def thin(self, records: Sequence[int], sites: Sequence[Site], level: int) -> tuple[list[int], list[int]]:
        """What is kept of `records` where sites above `level` are too much; how many of each level are left out."""
        kept: list[int] = []
        dropped = [0, 0, 0, 0]
        heads = [index for index, value in enumerate(records) if value < 0]
        for start, end in zip(heads, [*heads[1:], len(records)]):
            site = sites[-records[start] - 1]
            is_kept, closer = self._decide(site, level)
            if is_kept:
                kept.extend(records[start:end])
            else:
                dropped[site.level] += 1
                kept.extend((closer.head, records[start + 1]) if closer is not None else ())
                # What ran here cannot be told from what is left.
                if not kept or kept[-1] != self._gap.head:
                    kept.append(self._gap.head)
        return kept, dropped

    def _decide(self, site: Site, level: int) -> tuple[bool, Site | None]:
        """Whether a record of `site` is kept, and if not, what has to close in its place."""
        frame = self._frames[-1] if self._frames else self._outer
        kind = site.kind
        if site.level > KEEP_ALL:
            return False, None
        if kind in ("call", "hooks"):
            around = _NONE if site.level == 0 else frame.missing
            is_kept = site.level <= level and site.level < around
            self._frames.append(_Frame(is_kept, len(site.phases), around if is_kept else min(around, site.level)))
            return is_kept, None
        if kind in ("leave", "raise"):
            if self._frames:
                return self._frames.pop().is_kept, None
            self._outer = _Frame(True, None, _NONE)
            return True, None
        if kind in LOOSE or not frame.is_kept:
            return frame.is_kept, None
        return self._spans(frame, site, level)

    def _spans(self, frame: _Frame, site: Site, level: int) -> tuple[bool, Site | None]:
        """Decide on a record that closes and opens spans of a frame that is kept."""
        depth, opens = site.depth, 0 if site.kind in CLOSING else len(site.phases)
        closes = frame.kept is None or frame.kept > depth
        frame.gone = [] if closes or frame.kept is None else frame.gone[: depth - frame.kept]
        # Hooks stay with their frame, so that the place of each in the callback list stays known.
        wanted = site.level <= level or opens == 0 or site.kind == "hook"
        if wanted and not frame.gone and (closes or site.kind not in CLOSING):
            frame.kept = depth + opens
            return True, None
        frame.gone += [site.level] * opens
        if not closes:
            return False, None
        frame.kept = depth
        return False, self._closers[depth]
