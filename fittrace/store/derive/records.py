"""Records of one thread, taken apart: which site, which frame of the engine's code, how many spans deep.

All records of a window are worked on at once. A frame is one call of an engine's function; inside it, a site's own
depth says what a record leaves open, whatever came before, so that a lost record cannot shift what follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import ABSENT
from ...schema.limits import DEEP_ALWAYS, DEEP_WORK, DEEPEST
from ...schema.record_kinds import ANNOTATIONS, END_FRAMES, ENTER_FRAMES
from ..journal.reader import Records
from .site_arrays import ARITY, KIND, STAGE, UNKNOWN, SiteArrays, codes

Indices = npt.NDArray[np.int64]
_ENTER_FRAMES = codes(ENTER_FRAMES)
_END_FRAMES = codes(END_FRAMES)
_ANNOTATIONS = codes(ANNOTATIONS)


class TooDeep(ValueError):
    """Records so deep in each other that they would take forever to take apart: those of a damaged journal."""


@dataclass(frozen=True)
class Parsed:
    """The structural records of a window, in order. `numbers` holds their operands, from `start` on.

    `frame` is the index of the record that entered the frame, `close` how many spans of the thread a record leaves
    open before it opens its own. `loose` records, which say something about a frame and open or close nothing, stand
    apart: `loose_before` is how many structural records precede each.
    """

    numbers: Records
    start: Indices
    site: Indices
    kind: npt.NDArray[np.int32]
    frame: Indices
    close: Indices
    loose_start: Indices
    loose_kind: npt.NDArray[np.int32]
    loose_before: Indices
    loose_frame: Indices

    def operand(self, index: Indices | slice | int, position: int) -> Records:
        """An operand of the structural records at `index`."""
        return np.asarray(self.numbers[self.start[index] + 1 + position])

    def moment(self, index: int) -> int:
        """When the last thing happened that the structural record at `index` tells of."""
        return int(self.operand(index, int(self.kind[index] == KIND["hook"])))


def sound(numbers: Records, sites: SiteArrays) -> list[Records]:
    """The stretches of `numbers` between records that make no sense, such as those of a site whose definition is lost.

    There is one more than there are such records.
    """
    start = np.flatnonzero(numbers < 0)
    length = np.diff(np.append(start, len(numbers))) - 1
    site = np.minimum(-(numbers[start] + 1), len(sites.kind))
    kind = np.append(sites.kind, UNKNOWN)[site]
    is_long = np.isin(kind, [KIND["state"], KIND["values"]])
    good = (kind != UNKNOWN) & np.where(is_long, length >= 1, length == ARITY[kind])
    good[np.searchsorted(start, np.flatnonzero(numbers > ABSENT)) - 1] = False
    first = int(start[0]) if len(start) else len(numbers)
    pieces, begin = ([numbers[:0]], first) if first else ([], 0)
    for bad in np.flatnonzero(~good).tolist():
        pieces.append(numbers[begin : start[bad]])
        begin = int(start[bad]) + int(length[bad]) + 1
    return [*pieces, numbers[begin:]]


def parse(numbers: Records, sites: SiteArrays, fits_only: bool = False) -> Parsed:
    """Take `numbers` apart, all of which make sense.

    Records outside any frame are left out: their beginning is not known. With `fits_only` so are those outside the
    calls of `fit`: where records are lost, no other frame tells whether it is inside another. Raises `TooDeep` where
    frames or spans lie deeper in each other than those of an engine can.
    """
    start = np.flatnonzero(numbers < 0)
    site = -(numbers[start] + 1)
    kind = sites.kind[site]
    loose = np.isin(kind, _ANNOTATIONS)
    enters, leaves = np.isin(kind, _ENTER_FRAMES), np.isin(kind, _END_FRAMES)
    step = enters.astype(np.int64) - leaves
    running = np.cumsum(step)
    # Where a frame is left that was never entered here, the count falls below all that came before.
    floor = np.minimum(np.minimum.accumulate(running), 0) if len(running) else running
    unmatched = leaves & (np.diff(floor, prepend=0) < 0)
    open_after = running - floor
    depth = np.where(leaves, open_after + 1, open_after)
    inside = ~unmatched & (depth > 0)
    _check_depth(int(depth.max(initial=0)), len(depth))
    if fits_only and len(depth):
        outermost = np.maximum.accumulate(np.where(enters & (depth == 1), np.arange(len(site)), 0))
        inside &= sites.root[site[outermost]] & (sites.stage[site[outermost]] == STAGE["train"])
    start, site, kind, depth = start[inside], site[inside], kind[inside], depth[inside]
    loose, enters = loose[inside], enters[inside]
    structural = ~loose
    before = np.cumsum(structural, dtype=np.int64)[loose]
    frame, close = _frames(site[structural], enters[structural], depth[structural], sites)
    _check_depth(int(close.max(initial=0)), len(close))
    loose_frame = np.zeros(len(before), np.int64)
    for level in np.unique(depth[loose]):
        here = depth[loose] == level
        entered = np.flatnonzero(enters[structural] & (depth[structural] == level))
        loose_frame[here] = entered[np.searchsorted(entered, before[here]) - 1]
    return Parsed(
        numbers, start[structural], site[structural], kind[structural].astype(np.int32), frame, close,
        start[loose], kind[loose].astype(np.int32), before, loose_frame,
    )  # fmt: skip


def _check_depth(deepest: int, records: int) -> None:
    if deepest > min(DEEPEST, max(DEEP_ALWAYS, DEEP_WORK // max(records, 1))):
        raise TooDeep


def _frames(site: Indices, enters: npt.NDArray[np.bool_], depth: Indices, sites: SiteArrays) -> tuple[Indices, Indices]:
    """The frame of each record, and how many of the thread's spans it leaves open."""
    frame, close, base = (np.zeros(len(site), np.int64) for _ in range(3))
    own = sites.depth[site].astype(np.int64) + sites.opens[site]
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        entered = here[enters[here]]
        frame[here] = entered[np.searchsorted(entered, here, "right") - 1]
        if level > 1:
            outer = np.flatnonzero(depth == level - 1)
            caller = outer[np.searchsorted(outer, entered) - 1]
            base[entered] = base[frame[caller]] + own[caller]
        close[here] = base[frame[here]] + sites.depth[site[here]]
    return frame, close
