"""Deriving: from the records of a journal to the rows of the tables, window by window.

Every window is worked on whole, with NumPy. What is still open at its end is carried to the next, so that a trace of
any length needs the memory of one window.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..schema.tables import BATCH_PHASES
from .carry import Carried, carry, cut, from_next_fit
from .emit import Emitter
from .fits import Fits
from .journal import Chunk, Definitions
from .logs import logs_of
from .records import Indices, parse
from .sites import PHASE, STAGE, Sites
from .spans import Flags, Spans, count_turns, merge_unturned, opened, place_hooks

_BATCH_COLUMN = np.full(len(PHASE), -1)
for _place, _phase in enumerate(BATCH_PHASES):
    _BATCH_COLUMN[PHASE[_phase]] = _place
# The iterator over the batches is made while the first of them is fetched.
_BATCH_COLUMN[PHASE["make_batches"]] = BATCH_PHASES.index("slice")


class Derivation:
    """Turns the chunks of one journal into rows, which it hands to `emitter`."""

    def __init__(self, definitions: Definitions, emitter: Emitter) -> None:
        self._definitions = definitions
        self._emitter = emitter
        self._carried: dict[int, Carried] = defaultdict(Carried)
        self._fits = Fits()
        self._next_span = 0
        self.latest = 0
        """The last moment that was recorded, on the process' clock."""
        self.damaged = 0
        """Records that make no sense."""

    def window(self, chunks: list[Chunk]) -> None:
        """Derive what these chunks tell, at most one of each thread."""
        sites = Sites.of(self._definitions.sites)
        # Threads that run fits before those that only run hooks for them.
        for chunk in sorted(chunks, key=lambda chunk: (not self._has_root(chunk, sites), chunk.thread)):
            if chunk.gap:
                self._thread(chunk.thread, chunk.records[:0], sites, final=True)
                self._carried[chunk.thread] = Carried(lost=True)
            self._thread(chunk.thread, chunk.records, sites, final=False)
        self._emitter.flush()

    def finish(self) -> None:
        """Close what is still open, as unfinished, at the last moment that was recorded."""
        sites = Sites.of(self._definitions.sites)
        nothing = np.empty(0, np.int64)
        for thread in sorted(self._carried, key=lambda t: (not self._has_root(Chunk(t, nothing, False), sites), t)):
            self._thread(thread, nothing, sites, final=True)
        self._emitter.flush(final=True)

    def _has_root(self, chunk: Chunk, sites: Sites) -> bool:
        numbers = np.concatenate([self._carried[chunk.thread].numbers, chunk.records])
        found = -numbers[numbers < 0] - 1
        return bool(np.any(sites.stage[found[found < len(sites.stage)]] >= 0))

    def _thread(self, thread: int, records: Indices, sites: Sites, final: bool) -> None:
        carried = self._carried[thread]
        if carried.lost and not final:
            records = from_next_fit(records, np.flatnonzero(sites.stage == STAGE["train"]))
            carried.lost = not len(records)
        numbers = np.concatenate([carried.numbers, records])
        parsed = parse(numbers, sites)
        spans = opened(parsed, sites)
        rest = numbers[:0]
        if not final:
            count = cut(spans, parsed)
            if count < len(parsed.start):
                rest = numbers[parsed.start[count] :]
                # A state belongs to the hook that it stands before.
                loose = parsed.loose_start[parsed.loose_before == count]
                rest = numbers[int(loose[0]) :] if len(loose) else rest
                parsed = parse(numbers[: len(numbers) - len(rest)], sites)
                spans = opened(parsed, sites)
        self.damaged += parsed.damaged
        if not len(parsed.start):
            carried.numbers = numbers if not final else numbers[:0]
            return
        self.latest = max(self.latest, int(parsed.numbers[parsed.start[-1] + 1]))
        count_turns(spans, parsed, sites)
        carried.hand_over(spans)
        fresh = np.arange(len(spans)) >= carried.count
        spans.number[fresh] = self._next_span + np.arange(np.count_nonzero(fresh))
        self._next_span += int(np.count_nonzero(fresh))
        if final:
            spans.end = np.where(spans.closer < 0, self.latest, spans.end)
        closed = (spans.closer >= 0) | final
        self._fits.assign(spans, parsed, sites, thread, fresh)
        kept = merge_unturned(spans, closed) & (spans.number >= 0)
        children = np.zeros(len(spans), np.int64)
        children[: carried.count] = carried.children
        sums, batch_of = _attribute(spans, children, closed & kept)
        container = place_hooks(spans, parsed)
        done = closed & kept & (spans.fit >= 0)
        rows, batch_logs = logs_of(spans, parsed, container, sites, self._definitions)
        self._emitter.spans(spans, parsed, sites, thread, children, done)
        self._emitter.logs(spans, rows, sites)
        self._emitter.batches(spans, parsed, sums, batch_of, batch_logs, done)
        self._fits.count(spans, done)
        for index in np.flatnonzero(done):
            fit = self._fits.begun_by(int(spans.number[index]), int(spans.fit[index]))
            if fit is not None:
                self._emitter.fit(spans, parsed, int(index), fit)
        self._carried[thread] = Carried() if final else carry(spans, parsed, kept, children, rest)
        self._carried[thread].lost = carried.lost


def _attribute(spans: Spans, children: Indices, closed: Flags) -> tuple[Indices, Indices]:
    """Add the time of closed spans to their parents' `children`.

    Returns, for each span, the time in each phase of a batch, and the batch that it is in (-1: none).
    """
    duration = spans.end - spans.start
    has_parent = closed & (spans.parent >= 0)
    has_parent[has_parent] &= spans.fit[spans.parent[has_parent]] == spans.fit[has_parent]
    np.add.at(children, spans.parent[has_parent], duration[has_parent])
    batch_of = np.where(spans.phase == PHASE["batch"], np.arange(len(spans)), -1)
    for deep in range(2, int(spans.level.max(initial=0)) + 1):
        here = np.flatnonzero((spans.level == deep) & (spans.parent >= 0) & (batch_of < 0))
        same_fit = spans.fit[spans.parent[here]] == spans.fit[here]
        batch_of[here[same_fit]] = batch_of[spans.parent[here[same_fit]]]
    sums = np.zeros((len(spans), len(BATCH_PHASES)), np.int64)
    column = _BATCH_COLUMN[spans.phase]
    inside = np.flatnonzero(closed & (batch_of >= 0) & (column >= 0))
    np.add.at(sums, (batch_of[inside], column[inside]), duration[inside] - children[inside])
    return sums, batch_of
