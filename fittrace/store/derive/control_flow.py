"""The control flow of each thread, split into turns, each of which took one path.

A turn begins where a batch or an epoch begins, and where a fit begins or has ended. Most turns take the path of the one
before. So each path is stored once, and one row of `flow` stands for all turns in a row that took it.
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
"""Different paths that are kept. The path of further turns is unknown."""
LONGEST = 1 << 20
"""Codes in a path. The path of a longer turn is unknown."""
UNKNOWN_LINE = (1 << 31) - 1
"""The code of a line that is not known."""

_SHOW_FLOW = codes(SHOW_FLOW)
_END_FRAMES = codes(END_FRAMES)
_ENTER_FRAMES = codes(ENTER_FRAMES)
_LINE_POSITION = np.array([kind.operands.index("line") if "line" in kind.operands else -1 for kind in KINDS.values()])
"""For each kind, the position of its operand `line`, where an exception was raised; -1: it has none."""
_CONTINUES = -2
"""The fit of a window's first turn where it continues the last turn of the window before."""

Codes = npt.NDArray[np.int32]


@dataclass
class _Turns:
    """Turns of one thread, in order.

    - `codes`: of all turns, the sites that recorded. An exception's site is followed by the negative of its line.
    - `clocks`: of all turns, the moments in `line` records.
    - `begin`: the index in `codes` where each turn begins.
    - `clocks_begin`: the index in `clocks` where each turn begins.
    - `span`: the number of the first span that each turn opens.
    - `fit`: the number of the fit that each turn is in; -1: none.
    - `known`: whether the turn's records are complete.
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
        """These turns and those of `other`. With `continues`, the first of `other` is the rest of the last of these."""
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
    """Derives the rows of `flow` and `paths` of one process, and hands them to `emitter`."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter
        self._open_turns: dict[int, _Turns] = {}  # by thread: the last turn, which may continue
        self._paths: dict[bytes, int] = {}
        self._codes = 0  # in all paths
        self.sites: set[int] = set()
        """The sites that have recorded something, among them those that recorded values."""

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
        """Derive the control flow of a window.

        - `thread`: the number of the thread.
        - `parsed`, `spans`: the window's records and spans.
        - `sites`: all sites.
        - `frame_span`: for each record that enters a frame, the index of the span that it opens; -1: none.
        - `since`: how many numbers at the window's beginning repeat the one before.
        - `next_span`: the number of the first span that is not repeated.
        """
        turns = _turns(parsed, sites, spans, frame_span, since, next_span)
        if turns is None:
            return
        self.sites.update(np.unique(turns.codes[turns.codes >= 0]).tolist())
        turns = self._open_turns.pop(thread, _Turns()).followed_by(turns, turns.fit[0] == _CONTINUES)
        done, last = turns.split(len(turns) - 1)
        if len(last.codes) > LONGEST:
            # Its path is too long to keep, so its codes are dropped before they fill the memory.
            unknown = np.zeros(len(last), bool)
            last = _Turns(begin=last.begin, clocks_begin=last.clocks_begin, span=last.span, fit=last.fit, known=unknown)
        self._open_turns[thread] = last
        self._emit(thread, done, sites)

    def lose(self, thread: int, sites: SiteArrays) -> None:
        """End the open turn of a thread, of which records are lost; its path is unknown."""
        turns = self._open_turns.pop(thread, _Turns())
        turns.known[-1:] = False
        self._emit(thread, turns, sites)

    def finish(self, sites: SiteArrays) -> None:
        """Emit the open turns and the paths."""
        for thread, turns in sorted(self._open_turns.items()):
            self._emit(thread, turns, sites)
        self._open_turns = {}
        paths = [np.frombuffer(path, np.int32) for path in self._paths]
        offsets = np.concatenate([[0], np.cumsum([len(path) for path in paths])]).astype(np.int32)
        codes = np.concatenate(paths) if paths else np.empty(0, np.int32)
        self._emitter.paths(np.arange(len(paths)), pa.ListArray.from_arrays(offsets, pa.array(codes)))

    def _emit(self, thread: int, turns: _Turns, sites: SiteArrays) -> None:
        """Emit a row of `flow` for each group of turns in a row that differ in nothing but the spans' numbers."""
        if not len(turns):
            return
        path = self._path_numbers(turns)
        clocks = np.diff(np.append(turns.clocks_begin, len(turns.clocks)))
        opened = np.append(0, np.cumsum(np.where(turns.codes >= 0, sites.opens[np.maximum(turns.codes, 0)], 0)))
        bounds = np.append(turns.begin, len(turns.codes))
        next_span = turns.span + opened[bounds[1:]] - opened[bounds[:-1]]
        # A row has the number of its first span. Those of its other turns follow from the path, if no other thread
        # opened spans in between. Turns with moments of their own have a row each.
        same = (path[1:] == path[:-1]) & (turns.fit[1:] == turns.fit[:-1]) & (turns.span[1:] == next_span[:-1])
        same &= (clocks[1:] == 0) & (clocks[:-1] == 0) & (path[1:] >= 0)
        first = np.flatnonzero(np.r_[True, ~same])
        counts = np.diff(np.append(first, len(turns)))
        in_fit = turns.fit[first] >= 0
        first, counts = first[in_fit], counts[in_fit]
        moments = [turns.clocks[begin : begin + size] for begin, size in zip(turns.clocks_begin[first], clocks[first])]
        self._emitter.flow(thread, turns.fit[first], turns.span[first], counts, path[first], moments)

    def _path_numbers(self, turns: _Turns) -> Indices:
        """The number of each turn's path; -1: unknown."""
        numbers = np.full(len(turns), -1, np.int64)
        length = np.diff(np.append(turns.begin, len(turns.codes)))
        for size in np.unique(length[turns.known]).tolist():
            here = np.flatnonzero(turns.known & (length == size))
            paths = np.ascontiguousarray(turns.codes[turns.begin[here][:, None] + np.arange(size)])
            if not size:
                continue
            # Viewed as one opaque value each, so that NumPy compares whole paths.
            different, which = np.unique(paths.view(f"V{4 * size}").ravel(), return_inverse=True)
            numbers[here] = np.array([self._path_number(path.tobytes()) for path in different])[which]
        return numbers

    def _path_number(self, path: bytes) -> int:
        """The number of a path, given as the bytes of its codes; -1 where no more paths are kept."""
        number = self._paths.get(path)
        if number is None:
            if len(self._paths) >= MOST_PATHS or len(path) > 4 * LONGEST or self._codes + len(path) // 4 > PATH_CODES:
                return -1
            number = self._paths[path] = len(self._paths)
            self._codes += len(path) // 4
        return number


def _turns(
    parsed: Parsed, sites: SiteArrays, spans: SpanArrays, frame_span: Indices, since: int, next_span: int
) -> _Turns | None:
    """The turns in a window's records that are not repeated; None where there are no such records.

    The parameters are those of `FlowDeriver.records`.
    """
    # What fittrace does for itself is not part of the engine's control flow.
    structural = np.flatnonzero((parsed.start >= since) & (parsed.kind != KIND["aside"]))
    annotations = np.flatnonzero(np.isin(parsed.annotation_kind, _SHOW_FLOW) & (parsed.annotation_start >= since))
    start = np.concatenate([parsed.start[structural], parsed.annotation_start[annotations]])
    if not len(start):
        return None
    order = np.argsort(start, kind="stable")
    start = start[order]
    site = -(parsed.numbers[start] + 1)
    kind = np.concatenate([parsed.kind[structural], parsed.annotation_kind[annotations]])[order]
    # For each record its index among the structural ones; -1: it is an annotation.
    record = np.concatenate([structural, np.full(len(annotations), -1)])[order]
    opens = np.where(record >= 0, sites.opens[site], 0)
    span = next_span + np.cumsum(opens) - opens
    phases = sites.phase[site]
    begins_turn = (opens > 0) & np.any((phases == PHASE["batch"]) | (phases == PHASE["epoch"]), axis=1)
    # A fit begins with the frame of a root. So do hooks on a thread of their own, whose frame is outermost.
    entered = np.where(record >= 0, parsed.frame[record], 0)
    is_root = (record >= 0) & sites.root[parsed.site[entered]]
    begins_turn |= np.isin(kind, _ENTER_FRAMES) & (is_root | ((record >= 0) & (parsed.leaves_open[record] == 0)))
    ends_fit = np.isin(kind, _END_FRAMES) & is_root
    after_fit = np.r_[False, ends_fit[:-1]]
    begins_turn |= after_fit
    fit = _fits(spans, parsed, frame_span, record, opens > 0, after_fit, entered)
    codes, code_at = _path_codes(parsed, start, site, kind)
    is_clock = kind == KIND["line"]
    clocks = parsed.numbers[start[is_clock] + 1]
    clock_at = np.cumsum(is_clock) - is_clock
    if not begins_turn[0]:
        begins_turn[0], fit[0] = True, _CONTINUES
    first = np.flatnonzero(begins_turn)
    gaps = np.add.reduceat((kind == KIND["gap"]).astype(np.int64), first)
    return _Turns(codes, clocks, code_at[first], clock_at[first], span[first], fit[first], gaps == 0)


def _path_codes(parsed: Parsed, start: Indices, site: Indices, kind: npt.NDArray[np.int32]) -> tuple[Codes, Indices]:
    """The codes of records, as in `_Turns.codes`, and the index where each record's codes begin.

    - `start`: the index of each record's head in `parsed.numbers`.
    - `site`, `kind`: its site, and the code of the site's kind.
    """
    position = _LINE_POSITION[kind]
    width = 1 + (position >= 0)
    code_at = np.cumsum(width) - width
    codes = np.empty(int(width.sum()), np.int32)
    codes[code_at] = site
    with_line = np.flatnonzero(position >= 0)
    line = parsed.numbers[start[with_line] + 1 + position[with_line]]
    # Negative, so that no line is taken for a site.
    codes[code_at[with_line] + 1] = -np.where(line == ABSENT, UNKNOWN_LINE, np.minimum(line, UNKNOWN_LINE))
    return codes, code_at


def _fits(
    spans: SpanArrays,
    parsed: Parsed,
    frame_span: Indices,
    record: Indices,
    opens: npt.NDArray[np.bool_],
    after_fit: npt.NDArray[np.bool_],
    entered: Indices,
) -> Indices:
    """The number of the fit that a turn is in which begins with each record; -1: none, or no turn begins.

    A record that opens a span is in the fit of that span. One that follows a fit's end is in the fit around it.

    - `record`: the index of each record among the structural ones; -1: it is an annotation.
    - `opens`: whether it opens a span.
    - `after_fit`: whether the record before it ended a fit.
    - `entered`: the index of the structural record that entered its frame.
    """
    fit = np.full(len(record), -1)
    first_span = np.searchsorted(spans.record, record)
    opening = np.flatnonzero(opens)
    fit[opening] = spans.fit[first_span[opening]]
    for index in np.flatnonzero(after_fit & ~opens).tolist():
        root = frame_span[entered[index - 1]]
        parent = spans.parent[root] if root >= 0 else -1
        fit[index] = spans.fit[parent] if parent >= 0 else -1
    return fit
