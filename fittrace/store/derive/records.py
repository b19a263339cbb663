"""Parsing the records of one thread: the site, the frame and the depth of each.

All records of a window are parsed at once. A frame is one call of an engine's function. A site's depth says how many
spans of the frame its records leave open, whatever came before. So a lost record does not shift the depth of others.

`schema.open_frames` does the same record by record. A test compares the two.
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
Flags = npt.NDArray[np.bool_]
_ENTER_FRAMES = codes(ENTER_FRAMES)
_END_FRAMES = codes(END_FRAMES)
_ANNOTATIONS = codes(ANNOTATIONS)
_WITH_VALUES = codes(WITH_VALUES)


class TooDeep(ValueError):
    """Frames or spans are nested so deep that the journal is damaged, and that deriving them would take too long."""


@dataclass(frozen=True)
class Parsed:
    """The records of a window, in order.

    - `numbers`: all records, each a negative head and its operands.

    Structural records enter and end frames, open and close spans. Of each:

    - `start`: the index of its head in `numbers`. Its operands follow.
    - `site`: the number of its site.
    - `kind`: the code of the site's kind.
    - `frame`: the index of the structural record that entered its frame.
    - `leaves_open`: how many spans of the thread it leaves open, before it opens its own.

    The other records are annotations (`record_kinds.ANNOTATIONS`). Of each:

    - `annotation_start`: the index of its head in `numbers`.
    - `annotation_kind`: the code of its site's kind.
    - `annotation_before`: how many structural records precede it.
    - `annotation_frame`: the index of the structural record that entered its frame.
    """

    numbers: Records
    start: Indices
    site: Indices
    kind: npt.NDArray[np.int32]
    frame: Indices
    leaves_open: Indices
    annotation_start: Indices
    annotation_kind: npt.NDArray[np.int32]
    annotation_before: Indices
    annotation_frame: Indices

    def operand(self, index: Indices | slice | int, position: int) -> Records:
        """One operand of the structural records at `index`; `position` counts operands from 0."""
        return np.asarray(self.numbers[self.start[index] + 1 + position])

    def moment(self, index: int) -> int:
        """The last moment in the structural record at `index`."""
        # A `hook` record has two: when the one before it ended, and when it began.
        return int(self.operand(index, int(self.kind[index] == KIND["hook"])))


def split_at_damage(numbers: Records, sites: SiteArrays) -> list[Records]:
    """Split `numbers` at records that make no sense, for example because the definition of their site is lost.

    Returns the pieces between such records: one more than there are such records.
    """
    start = np.flatnonzero(numbers < 0)
    length = np.diff(np.append(start, len(numbers))) - 1
    site = np.minimum(-(numbers[start] + 1), len(sites.kind))
    kind = np.append(sites.kind, UNKNOWN)[site]
    has_values = np.isin(kind, _WITH_VALUES)
    good = (kind != UNKNOWN) & np.where(has_values, length >= 1, length == ARITY[kind])
    good[np.searchsorted(start, np.flatnonzero(numbers > ABSENT)) - 1] = False  # an operand out of range
    # Numbers before the first head are the end of a record whose head is lost.
    first = int(start[0]) if len(start) else len(numbers)
    pieces, begin = ([numbers[:0]], first) if first else ([], 0)
    for bad in np.flatnonzero(~good).tolist():
        pieces.append(numbers[begin : start[bad]])
        begin = int(start[bad]) + int(length[bad]) + 1
    return [*pieces, numbers[begin:]]


def parse(numbers: Records, sites: SiteArrays, fits_only: bool = False) -> Parsed:
    """Parse records that all make sense.

    Records outside any frame are left out: the record that entered their frame is missing.

    - `numbers`: the records.
    - `sites`: the sites that they name.
    - `fits_only`: leave out records outside calls of `fit` too. After lost records, a frame that seems outermost may be
      inside a frame that is lost; only a call of `fit` can be understood without the frames around it.

    Raises `TooDeep` where frames or spans are nested deeper than those of an engine.
    """
    start = np.flatnonzero(numbers < 0)
    site = -(numbers[start] + 1)
    kind = sites.kind[site]
    is_annotation = np.isin(kind, _ANNOTATIONS)
    enters = np.isin(kind, _ENTER_FRAMES)
    depth, inside = _frame_depths(enters, np.isin(kind, _END_FRAMES))
    _check_depth(int(depth.max(initial=0)), len(depth))
    if fits_only and len(depth):
        # For each record, the last one before it that entered an outermost frame.
        outermost = np.maximum.accumulate(np.where(enters & (depth == 1), np.arange(len(site)), 0))
        inside &= sites.root[site[outermost]] & (sites.stage[site[outermost]] == STAGE["train"])
    start, site, kind, depth = start[inside], site[inside], kind[inside], depth[inside]
    is_annotation, enters = is_annotation[inside], enters[inside]
    structural = ~is_annotation
    before = np.cumsum(structural, dtype=np.int64)[is_annotation]
    frame, leaves_open = _frames(site[structural], enters[structural], depth[structural], sites)
    _check_depth(int(leaves_open.max(initial=0)), len(leaves_open))
    annotation_frame = np.zeros(len(before), np.int64)
    for level in np.unique(depth[is_annotation]):
        here = depth[is_annotation] == level
        entered = np.flatnonzero(enters[structural] & (depth[structural] == level))
        annotation_frame[here] = entered[np.searchsorted(entered, before[here]) - 1]
    return Parsed(
        numbers=numbers,
        start=start[structural],
        site=site[structural],
        kind=kind[structural].astype(np.int32),
        frame=frame,
        leaves_open=leaves_open,
        annotation_start=start[is_annotation],
        annotation_kind=kind[is_annotation].astype(np.int32),
        annotation_before=before,
        annotation_frame=annotation_frame,
    )


def _frame_depths(enters: Flags, ends: Flags) -> tuple[Indices, Flags]:
    """How many frames are open at each record, its own included, and whether the record is in a frame at all.

    - `enters`: whether a record enters a frame.
    - `ends`: whether a record ends a frame.
    """
    balance = np.cumsum(enters.astype(np.int64) - ends)
    # The end of a frame that was never entered here brings the balance to a new minimum below 0. From there on, the
    # minimum stands for "no frame open".
    floor = np.minimum(np.minimum.accumulate(balance), 0) if len(balance) else balance
    unmatched = ends & (np.diff(floor, prepend=0) < 0)
    open_after = balance - floor
    depth = np.where(ends, open_after + 1, open_after)  # the record that ends a frame is in it
    return depth, ~unmatched & (depth > 0)


def _check_depth(deepest: int, records: int) -> None:
    """Raise `TooDeep` for a depth that no engine has: each level is one pass over all records."""
    if deepest > min(DEEPEST, max(DEEP_ALWAYS, DEEP_WORK // max(records, 1))):
        raise TooDeep


def _frames(site: Indices, enters: Flags, depth: Indices, sites: SiteArrays) -> tuple[Indices, Indices]:
    """The frame of each structural record, and how many of the thread's spans it leaves open.

    - `site`: the site of each record.
    - `enters`: whether it enters a frame.
    - `depth`: how many frames are open at the record, its own included.
    - `sites`: all sites.
    """
    frame, leaves_open, outside = (np.zeros(len(site), np.int64) for _ in range(3))
    open_in_frame = sites.depth[site].astype(np.int64) + sites.opens[site]
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        entered = here[enters[here]]
        frame[here] = entered[np.searchsorted(entered, here, "right") - 1]
        if level > 1:
            # The spans outside a frame are those outside its caller, and those open in the caller after the caller's
            # last record before the call.
            outer = np.flatnonzero(depth == level - 1)
            last_of_caller = outer[np.searchsorted(outer, entered) - 1]
            outside[entered] = outside[frame[last_of_caller]] + open_in_frame[last_of_caller]
        leaves_open[here] = outside[frame[here]] + sites.depth[site[here]]
    return frame, leaves_open
