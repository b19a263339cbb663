"""Records of one thread, taken apart: which site, which frame of the engine's code, how many spans deep.

All records of a window are worked on at once. A frame is one call of an engine's function. A site's depth says how many
spans of the frame its records leave open, whatever came before. So a lost record cannot shift what follows.

`schema.open_frames` does the same record by record; a test holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import ABSENT
from ...schema.limits import DEEP_ALWAYS, DEEP_WORK, DEEPEST
from ...schema.record_kinds import ANNOTATIONS, END_FRAMES, ENTER_FRAMES, WITH_VALUES
from ..journal.reader import Records
from .site_arrays import ARITY, KIND, STAGE, UNKNOWN, SiteArrays, codes

Indices = npt.NDArray[np.int64]
_ENTER_FRAMES = codes(ENTER_FRAMES)
_END_FRAMES = codes(END_FRAMES)
_ANNOTATIONS = codes(ANNOTATIONS)
_WITH_VALUES = codes(WITH_VALUES)


class TooDeep(ValueError):
    """Frames or spans are so deep in each other that it would take forever: the journal is damaged."""


@dataclass(frozen=True)
class Parsed:
    """The records of a window, in order.

    Structural records enter and end frames, open and close spans. Of each:

    - `start`: where its head stands in `numbers`, its operands after it.
    - `site`, `kind`: its site, and the code of the site's kind.
    - `frame`: the index of the structural record that entered its frame.
    - `close`: how many spans of the thread it leaves open before it opens its own.

    Loose records, the annotations, stand apart. Of each:

    - `loose_start`, `loose_kind`: where its head stands in `numbers`, and the code of its site's kind.
    - `loose_before`: how many structural records precede it.
    - `loose_frame`: the index of the structural record that entered its frame.
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
        """The operand at `position` of the structural records at `index`."""
        return np.asarray(self.numbers[self.start[index] + 1 + position])

    def moment(self, index: int) -> int:
        """The last moment that the structural record at `index` tells of."""
        return int(self.operand(index, int(self.kind[index] == KIND["hook"])))


def sound(numbers: Records, sites: SiteArrays) -> list[Records]:
    """Cut `numbers` where a record makes no sense, for example because the definition of its site is lost.

    Returns the pieces between such records. There is one more piece than there are such records.
    """
    start = np.flatnonzero(numbers < 0)
    length = np.diff(np.append(start, len(numbers))) - 1
    site = np.minimum(-(numbers[start] + 1), len(sites.kind))
    kind = np.append(sites.kind, UNKNOWN)[site]
    has_values = np.isin(kind, _WITH_VALUES)
    good = (kind != UNKNOWN) & np.where(has_values, length >= 1, length == ARITY[kind])
    good[np.searchsorted(start, np.flatnonzero(numbers > ABSENT)) - 1] = False
    first = int(start[0]) if len(start) else len(numbers)
    pieces, begin = ([numbers[:0]], first) if first else ([], 0)
    for bad in np.flatnonzero(~good).tolist():
        pieces.append(numbers[begin : start[bad]])
        begin = int(start[bad]) + int(length[bad]) + 1
    return [*pieces, numbers[begin:]]


def parse(numbers: Records, sites: SiteArrays, fits_only: bool = False) -> Parsed:
    """Take `numbers` apart, all of which make sense.

    Records outside any frame are left out, since their frame began in records that are not here. With `fits_only` so
    are those outside the calls of `fit`: where records are lost, no other frame tells whether it is inside another.

    Raises `TooDeep` where frames or spans lie deeper in each other than those of an engine can.
    """
    start = np.flatnonzero(numbers < 0)
    site = -(numbers[start] + 1)
    kind = sites.kind[site]
    loose = np.isin(kind, _ANNOTATIONS)
    # A frame's depth is how many frames are open inside each other: those entered before, less those ended before.
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
    """The frame of each structural record, and how many of the thread's spans it leaves open.

    `depth` is how many frames are open where the record is. Level by level, the spans around a frame are those around
    its caller and those that the caller's last record left open or opened.
    """
    frame, close, base = (np.zeros(len(site), np.int64) for _ in range(3))
    left_open = sites.depth[site].astype(np.int64) + sites.opens[site]
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        entered = here[enters[here]]
        frame[here] = entered[np.searchsorted(entered, here, "right") - 1]
        if level > 1:
            outer = np.flatnonzero(depth == level - 1)
            caller = outer[np.searchsorted(outer, entered) - 1]
            base[entered] = base[frame[caller]] + left_open[caller]
        close[here] = base[frame[here]] + sites.depth[site[here]]
    return frame, close
