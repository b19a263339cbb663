"""The control flow of one thread, cut into turns, each of which took one path.

A turn begins where a batch or an epoch does, and where a fit begins or has ended. Most turns are like the one before:
a path is stored once, and a row of `flow` stands for as many turns in a row as took it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ...schema.journal_format import ABSENT
from ...schema.limits import PATH_CODES
from ...schema.record_kinds import END_FRAMES, ENTER_FRAMES, KINDS, SHOW_FLOW
from .emit_rows import Emitter
from .records import Indices, Parsed
from .site_arrays import KIND, PHASE, SiteArrays, codes
from .spans import SpanArrays

MOST_PATHS = 1 << 16
"""Paths that differ; beyond it, and for a path longer than `LONGEST`, a turn's path is not kept."""
LONGEST = 1 << 20
UNKNOWN_LINE = (1 << 31) - 1
"""Stands for a line that is not known."""

_SHOW_FLOW = codes(SHOW_FLOW)
_END_FRAMES = codes(END_FRAMES)
_ENTER_FRAMES = codes(ENTER_FRAMES)
_LINE_POSITION = np.array([kind.operands.index("line") if "line" in kind.operands else -1 for kind in KINDS.values()])
"""Where among the operands of each kind the line of an exception stands; -1: it has none."""

Codes = npt.NDArray[np.int32]


@dataclass
class _Turns:
    """Turns of one thread, in order.

    - `codes`: the sites that control came by in all turns, and after some of them the negative of a line.
    - `clocks`: the moments that `line` records read.
    - `begin`, `clocks_begin`: where each turn begins among `codes` and among `clocks`.
    - `span`: the number of the first span that each turn opens.
    - `fit`: the fit that each turn is in.
    - `known`: whether no records of the turn are missing.
    """

    codes: Codes = field(default_factory=lambda: np.empty(0, np.int32))
    clocks: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    begin: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    clocks_begin: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    span: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    fit: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    known: npt.NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))

    def __len__(self) -> int:
        return len(self.begin)

    def followed_by(self, other: _Turns, continues: bool) -> _Turns:
        """These turns and then those of `other`, the first of which `continues` the last of these."""
        drop = int(continues and len(self) > 0)
        known = np.concatenate([self.known, other.known[drop:]])
        if drop and len(other):
            known[len(self) - 1] &= other.known[0]
        return _Turns(
            np.concatenate([self.codes, other.codes]),
            np.concatenate([self.clocks, other.clocks]),
            np.concatenate([self.begin, other.begin[drop:] + len(self.codes)]),
            np.concatenate([self.clocks_begin, other.clocks_begin[drop:] + len(self.clocks)]),
            np.concatenate([self.span, other.span[drop:]]),
            np.concatenate([self.fit, other.fit[drop:]]),
            known,
        )

    def split(self, count: int) -> tuple[_Turns, _Turns]:
        """The first `count` turns, and the others."""
        if count >= len(self):
            return self, _Turns()
        begin, clocks_begin = int(self.begin[count]), int(self.clocks_begin[count])
        first = _Turns(
            self.codes[:begin], self.clocks[:clocks_begin], self.begin[:count], self.clocks_begin[:count],
            self.span[:count], self.fit[:count], self.known[:count],
        )  # fmt: skip
        rest = _Turns(
            self.codes[begin:], self.clocks[clocks_begin:], self.begin[count:] - begin,
            self.clocks_begin[count:] - clocks_begin, self.span[count:], self.fit[count:], self.known[count:],
        )  # fmt: skip
        return first, rest


class FlowDeriver:
    """Turns the records of a process' threads into rows of `flow` and `paths`, which it hands to `emitter`."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._pending: dict[int, _Turns] = {}
        self._paths: dict[bytes, int] = {}
        self._codes = 0
        self.sites: set[int] = set()
        """The sites that control came by, among them those that told values."""

    def records(
        self,
        thread: int,
        parsed: Parsed,
        sites: SiteArrays,
        spans: SpanArrays,
        frame_span: Indices,
        since: int,
        next_span: int,
    ) -> None:
        """Take in the records of a window.

        - `frame_span`: of each frame the first span that it opened, by the record that entered it; -1 where none is.
        - `since`: how many numbers at the window's beginning were in the one before, too.
        - `next_span`: the number of the first span that the records after them open.
        """
        turns = _turns(parsed, sites, spans, frame_span, since, next_span)
        if turns is None:
            return
        self.sites.update(np.unique(turns.codes[turns.codes >= 0]).tolist())
        whole = self._pending.pop(thread, _Turns()).followed_by(turns, turns.fit[0] == _CONTINUES)
        done, rest = whole.split(len(whole) - 1)
        if len(rest.codes) > LONGEST:
            rest = _Turns(begin=rest.begin, clocks_begin=rest.clocks_begin, span=rest.span, fit=rest.fit,
                          known=np.zeros(len(rest), bool))  # fmt: skip
        self._pending[thread] = rest
        self._emit(thread, done, sites)

    def lose(self, thread: int, sites: SiteArrays) -> None:
        """Take note that records of a thread are missing here."""
        turns = self._pending.pop(thread, _Turns())
        turns.known[-1:] = False
        self._emit(thread, turns, sites)

    def finish(self, sites: SiteArrays) -> None:
        """Hand over what is left, and the paths."""
        for thread, turns in sorted(self._pending.items()):
            self._emit(thread, turns, sites)
        self._pending = {}
        paths = [np.frombuffer(path, np.int32) for path in self._paths]
        offsets = np.concatenate([[0], np.cumsum([len(path) for path in paths])]).astype(np.int32)
        codes = np.concatenate(paths) if paths else np.empty(0, np.int32)
        self._emitter.paths(np.arange(len(paths)), pa.ListArray.from_arrays(offsets, pa.array(codes)))

    def _emit(self, thread: int, turns: _Turns, sites: SiteArrays) -> None:
        if not len(turns):
            return
        path = self._numbers(turns)
        clocks = np.diff(np.append(turns.clocks_begin, len(turns.clocks)))
        opened = np.append(0, np.cumsum(np.where(turns.codes >= 0, sites.opens[np.maximum(turns.codes, 0)], 0)))
        bounds = np.append(turns.begin, len(turns.codes))
        after = turns.span + opened[bounds[1:]] - opened[bounds[:-1]]
        same = (path[1:] == path[:-1]) & (turns.fit[1:] == turns.fit[:-1]) & (turns.span[1:] == after[:-1])
        same &= (clocks[1:] == 0) & (clocks[:-1] == 0) & (path[1:] >= 0)
        first = np.flatnonzero(np.r_[True, ~same])
        first = first[turns.fit[first] >= 0]
        counts = np.diff(np.append(np.flatnonzero(np.r_[True, ~same]), len(turns)))
        counts = counts[turns.fit[np.flatnonzero(np.r_[True, ~same])] >= 0]
        moments = [turns.clocks[begin : begin + size] for begin, size in zip(turns.clocks_begin[first], clocks[first])]
        self._emitter.flow(thread, turns.fit[first], turns.span[first], counts, path[first], moments)

    def _numbers(self, turns: _Turns) -> Indices:
        """The path of each turn, -1 where it is not known."""
        numbers = np.full(len(turns), -1, np.int64)
        length = np.diff(np.append(turns.begin, len(turns.codes)))
        for size in np.unique(length[turns.known]).tolist():
            here = np.flatnonzero(turns.known & (length == size))
            rows = np.ascontiguousarray(turns.codes[turns.begin[here][:, None] + np.arange(size)])
            if not size:
                continue
            found, inverse = np.unique(rows.view(f"V{4 * size}").ravel(), return_inverse=True)
            numbers[here] = np.array([self._number(row.tobytes()) for row in found])[inverse]
        return numbers

    def _number(self, path: bytes) -> int:
        number = self._paths.get(path)
        if number is None:
            if len(self._paths) >= MOST_PATHS or len(path) > 4 * LONGEST or self._codes + len(path) // 4 > PATH_CODES:
                return -1
            number = self._paths[path] = len(self._paths)
            self._codes += len(path) // 4
        return number


_CONTINUES = -2
"""The fit of a turn that goes on from before the window."""


def _turns(
    parsed: Parsed, sites: SiteArrays, spans: SpanArrays, frame_span: Indices, since: int, next_span: int
) -> _Turns | None:
    """The turns in a window's records from the number `since` on; the first may go on with one from before."""
    # What fittrace does for itself is no part of the engine's control flow.
    structural = np.flatnonzero((parsed.start >= since) & (parsed.kind != KIND["aside"]))
    loose = np.flatnonzero(np.isin(parsed.annotation_kind, _SHOW_FLOW) & (parsed.annotation_start >= since))
    start = np.concatenate([parsed.start[structural], parsed.annotation_start[loose]])
    if not len(start):
        return None
    order = np.argsort(start, kind="stable")
    start = start[order]
    site = -(parsed.numbers[start] + 1)
    kind = np.concatenate([parsed.kind[structural], parsed.annotation_kind[loose]])[order]
    record = np.concatenate([structural, np.full(len(loose), -1)])[order]
    opens = np.where(record >= 0, sites.opens[site], 0)
    span = next_span + np.cumsum(opens) - opens
    phases = sites.phase[site]
    cuts = (opens > 0) & np.any((phases == PHASE["batch"]) | (phases == PHASE["epoch"]), axis=1)
    entered = np.where(record >= 0, parsed.frame[record], 0)
    is_root = (record >= 0) & sites.root[parsed.site[entered]]
    begins = np.isin(kind, _ENTER_FRAMES) & (is_root | ((record >= 0) & (parsed.leaves_open[record] == 0)))
    ends = np.isin(kind, _END_FRAMES) & is_root
    cuts |= begins
    cuts[1:] |= ends[:-1]
    fit = _fits(spans, parsed, frame_span, record, opens > 0, np.r_[False, ends[:-1]], entered)
    width = 1 + (_LINE_POSITION[kind] >= 0)
    code_at = np.cumsum(width) - width
    codes = np.empty(int(width.sum()), np.int32)
    codes[code_at] = site
    with_line = np.flatnonzero(_LINE_POSITION[kind] >= 0)
    line = parsed.numbers[start[with_line] + 1 + _LINE_POSITION[kind[with_line]]]
    codes[code_at[with_line] + 1] = -np.where(line == ABSENT, UNKNOWN_LINE, np.minimum(line, UNKNOWN_LINE))
    is_clock = kind == KIND["line"]
    clocks = parsed.numbers[start[is_clock] + 1]
    clock_at = np.cumsum(is_clock) - is_clock
    if not cuts[0]:
        cuts[0], fit[0] = True, _CONTINUES
    first = np.flatnonzero(cuts)
    gaps = np.add.reduceat((kind == KIND["gap"]).astype(np.int64), first)
    return _Turns(codes, clocks, code_at[first], clock_at[first], span[first], fit[first], gaps == 0)


def _fits(
    spans: SpanArrays,
    parsed: Parsed,
    frame_span: Indices,
    record: Indices,
    opens: npt.NDArray[np.bool_],
    resumes: npt.NDArray[np.bool_],
    entered: Indices,
) -> Indices:
    """The fit of a turn that begins with each record: of the span that it opens, or of the one around a fit that has
    just ended; -1 elsewhere."""
    fit = np.full(len(record), -1)
    first_span = np.searchsorted(spans.record, record)
    opening = np.flatnonzero(opens)
    fit[opening] = spans.fit[first_span[opening]]
    for index in np.flatnonzero(resumes & ~opens).tolist():
        root = frame_span[entered[index - 1]]
        parent = spans.parent[root] if root >= 0 else -1
        fit[index] = spans.fit[parent] if parent >= 0 else -1
    return fit
