"""Load shedding: leaves records out where the disk cannot keep up, so that what stays is as it would have been.

A record that opens spans also closes those that were open at its depth. So it is not enough to leave out the records
above a level: where such a record also closes a span that is kept, a plain closing record takes its place. What began
before load shedding did counts as kept. What is left out stays left out to its end, even if the disk recovers before.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Sequence

from ...schema.record_kinds import ANNOTATIONS, CLOSE_SPANS, END_FRAMES, ENTER_FRAMES, opened_phases
from ..sites import Site


class Keep(IntEnum):
    """What is kept under load: the records of sites up to this `level`."""

    EPOCHS = 0  # Fits and epochs. Even batches, hooks and logs are too much.
    BATCHES = 1  # Also batches, hooks and logs. Detail within batches is too much.
    ALL = 2  # Also that detail. All is well.


# A member of an enumeration is slow to look up in its class on Python 3.7.
_KEEP_ALL = Keep.ALL
_NONE = 3
"""Above the levels of all sites that may open a span: nothing is left out."""

DEEPEST = 16
"""Spans in each other in one frame of an engine's function: more than any engine's table has."""


class StandIns(NamedTuple):
    """Sites whose records take the place of those left out.

    `closers` close all but so many spans of a frame: none, one, two, and so on. A `gap` says that records are missing.
    """

    closers: Sequence[Site]
    gap: Site

    @property
    def sites(self) -> list[Site]:
        """All of them, in the order of their numbers."""
        return [*self.closers, self.gap]


def stand_ins(first: int) -> StandIns:
    """Stand-ins whose sites are numbered from `first`."""
    closers = [Site(first + depth, "close", "", "", 0, "", depth=depth, level=0) for depth in range(DEEPEST)]
    return StandIns(closers, Site(first + DEEPEST, "gap", "", "", 0, "", level=0))


class _Frame:
    """An open frame.

    - `is_kept`: whether the record that entered it was kept.
    - `kept`: how many of its open spans are kept; None where the frame began before, and it is not known.
    - `dropped`: the levels of its open spans that were left out. All of them are inside those that are kept.
    - `dropped_around`: the lowest level of what was left out around the frame; `_NONE` where all was kept.
    """

    __slots__ = ("dropped", "dropped_around", "is_kept", "kept")

    def __init__(self, is_kept: bool, kept: int | None, dropped_around: int) -> None:
        self.is_kept = is_kept
        self.kept = kept
        self.dropped: list[int] = []
        self.dropped_around = dropped_around

    @property
    def is_whole(self) -> bool:
        return self.is_kept and not self.dropped

    @property
    def dropped_around_next(self) -> int:
        """The lowest level of what was left out around a frame that is entered now."""
        return min(self.dropped_around, *self.dropped, _NONE)


class LoadShedder:
    """Thins the records of one thread, from the first record that is too much until nothing open was left out."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._closers = stand_ins.closers
        self._gap = stand_ins.gap
        self._frames: list[_Frame] = []
        # Stands for all frames that were open before: how many there are is not known.
        self._outer = _Frame(True, None, _NONE)

    @property
    def is_over(self) -> bool:
        """Whether nothing that is open was left out, so that all records can be kept from now on."""
        return self._outer.is_whole and all(frame.is_whole for frame in self._frames)

    def shed(self, records: Sequence[int], sites: Sequence[Site], level: Keep) -> tuple[list[int], list[int]]:
        """Leave out the records of sites above `level`.

        Returns the records that are kept, and how many were left out of each level.
        """
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
                if closer is not None:
                    kept.extend((closer.head, records[start + 1]))
                # What ran here cannot be told from what is left.
                if not kept or kept[-1] != self._gap.head:
                    kept.append(self._gap.head)
        return kept, dropped

    def _decide(self, site: Site, level: Keep) -> tuple[bool, Site | None]:
        """Whether a record of `site` is kept, and if not, which closing site takes its place."""
        frame = self._frames[-1] if self._frames else self._outer
        kind = site.kind
        # Control flow with gaps in it would show ways that were not taken.
        if site.level > _KEEP_ALL:
            return False, None
        if kind in ENTER_FRAMES:
            # A frame in something that was left out is left out too, unless it is always kept: a fit in a hook, say.
            around = _NONE if site.level == 0 else frame.dropped_around_next
            is_kept = site.level <= level and site.level < around
            self._frames.append(_Frame(is_kept, len(site.phases), around if is_kept else min(around, site.level)))
            return is_kept, None
        if kind in END_FRAMES:
            if self._frames:
                return self._frames.pop().is_kept, None
            self._outer = _Frame(True, None, _NONE)
            return True, None
        if kind in ANNOTATIONS or not frame.is_kept:
            return frame.is_kept, None
        return self._decide_spans(frame, site, level)

    def _decide_spans(self, frame: _Frame, site: Site, level: Keep) -> tuple[bool, Site | None]:
        """Decide on a record that closes and opens spans of a frame that is kept."""
        depth, opens = site.depth, len(opened_phases(site.kind, site.phases))
        # Where the frame began before load shedding, the record may close spans that are kept.
        closes_kept = frame.kept is None or frame.kept > depth
        # All dropped spans are inside the kept ones. So a record that closes a kept span closes all of them.
        frame.dropped = [] if closes_kept or frame.kept is None else frame.dropped[: depth - frame.kept]
        # Hooks stay with their frame, so that the position of each in the callback list stays known.
        is_wanted = site.level <= level or opens == 0 or site.kind == "hook"
        if is_wanted and not frame.dropped and (closes_kept or site.kind not in CLOSE_SPANS):
            frame.kept = depth + opens
            return True, None
        frame.dropped += [site.level] * opens
        if not closes_kept:
            return False, None
        # What the record opens is left out. What it closes must be closed.
        frame.kept = depth
        return False, self._closers[depth]
