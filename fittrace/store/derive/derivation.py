"""Deriving: from the records of a journal to the rows of the tables, window by window.

Every window is worked on whole, with NumPy. What is still open at its end is carried to the next, so that a trace of
any length needs the memory of one window.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ...schema.limits import BYTES_PER_NUMBER, LOST_PLACES, WHOLE_FREE
from ...schema.tables import BATCH_PHASES, COUNTS_AS
from ..journal.definitions import KnownDefinitions
from ..journal.reader import WINDOW, Chunk
from ..journal.sample_orders import PackedOrders
from .batch_samples import orders_of
from .control_flow import FlowDeriver
from .emit_rows import Emitter
from .end_position import Standing, left, unfinished
from .fits import Fits
from .hooks import name_hooks, place_hooks
from .logs import logs_of, values_of
from .open_state import OpenState, carry, cut
from .records import Indices, Parsed, TooDeep, parse, sound
from .sampled_batches import SampledBatches
from .site_arrays import PHASE, SiteArrays
from .spans import Flags, SpanArrays, count_turns, merge_unturned, opened, unbatch_ended
from .stops import stops_of

_NOTHING = np.empty(0, np.int64)

_BATCH_COLUMN = np.full(len(PHASE), -1)
for _phase, _column in COUNTS_AS.items():
    _BATCH_COLUMN[PHASE[_phase]] = BATCH_PHASES.index(_column)


class Derivation:
    """Turns the chunks of one journal into rows, which it hands to `emitter`; `sampled` hands over its own."""

    def __init__(
        self, definitions: KnownDefinitions, orders: PackedOrders, emitter: Emitter, sampled: SampledBatches
    ) -> None:
        self._definitions = definitions
        self._orders = orders
        self._emitter = emitter
        self._sampled = sampled
        self._carried: dict[int, OpenState] = defaultdict(OpenState)
        self._fits = Fits()
        self._flow = FlowDeriver(emitter)
        self._held: dict[int, Indices] = {}
        self._standing: dict[int, Standing] = {}
        self._postponed: dict[int, list[Indices]] = {}
        self._most_whole = WHOLE_FREE
        self._sites: SiteArrays | None = None
        self._next_span = 0
        self.latest = 0
        """The last moment that was recorded, on the process' clock."""
        self.damaged = 0
        """Records that make no sense."""

    @property
    def sites(self) -> set[int]:
        """The sites that control came by."""
        return self._flow.sites

    def window(self, chunks: list[Chunk], stored: int = 0) -> None:
        """Derive what these chunks tell, at most one of each thread. `stored` bytes of the journal are read."""
        self._fits.make_room(stored)
        self._most_whole = WHOLE_FREE + stored // BYTES_PER_NUMBER
        sites = self._known_sites()
        early, self._held = self._held, {}
        late = []
        # Threads that run fits come before those that only run hooks for them, which wait for what they refer to.
        for chunk in sorted(chunks, key=lambda chunk: chunk.thread):
            if not chunk.gap and not self._has_root(chunk, sites):
                late.append(chunk)
                continue
            self._records(chunk.thread, early.pop(chunk.thread, _NOTHING), sites)
            if chunk.gap:
                self._lose(chunk.thread, sites)
            self._records(chunk.thread, chunk.records, sites)
        settled = min((one.waits_since for one in self._carried.values() if one.waits_since is not None), default=None)
        for thread, records in early.items():
            if settled is None or len(records) > self._most_whole or last_moment(records, sites) < settled:
                self._records(thread, records, sites)
            else:
                self._held[thread] = records
        for chunk in late:
            self._held[chunk.thread] = np.concatenate([self._held.get(chunk.thread, _NOTHING), chunk.records])
        self._emitter.flush()

    def finish(self) -> None:
        """Close what is still open, as unfinished, at the last moment that was recorded."""
        sites = self._known_sites()
        waiting = [*self._held.values(), *(carried.numbers for carried in self._carried.values())]
        waiting += [records for postponed in self._postponed.values() for records in postponed]
        self.latest = max(self.latest, *(last_moment(records, sites) for records in waiting), 0)
        for thread in sorted(self._carried, key=lambda t: (not self._has_root(Chunk(t), sites), t)):
            if thread not in self._held:
                self._thread(thread, _NOTHING, sites, final=True)
        for thread, records in sorted(self._held.items()):
            self._records(thread, records, sites)
            self._thread(thread, _NOTHING, sites, final=True)
        self._flow.finish(sites)
        self._emitter.flush(final=True)

    def _records(self, thread: int, records: Indices, sites: SiteArrays) -> None:
        """Derive what these records of a thread tell, which follow those before; some may make no sense."""
        first, *others = sound(records, sites)
        self._thread(thread, first, sites, final=False)
        for piece in others:
            self.damaged += 1
            if self.damaged > LOST_PLACES:
                continue
            self._lose(thread, sites)
            self._thread(thread, piece, sites, final=False)

    def _known_sites(self) -> SiteArrays:
        if self._sites is None or self._sites.changes != self._definitions.changed_sites:
            self._sites = SiteArrays.of(self._definitions.sites, self._definitions.changed_sites)
        return self._sites

    def _lose(self, thread: int, sites: SiteArrays) -> None:
        """Take note that records of a thread are lost: what was open may have ended since, and other things begun."""
        self._thread(thread, _NOTHING, sites, final=True)
        self._carried[thread] = OpenState(lost=True)
        self._fits.lose(thread)
        self._flow.lose(thread, sites)

    def _has_root(self, chunk: Chunk, sites: SiteArrays) -> bool:
        numbers = np.concatenate([self._carried[chunk.thread].numbers, chunk.records])
        found = -numbers[numbers < 0] - 1
        return bool(np.any(sites.root[found[found < len(sites.root)]]))

    def _thread(self, thread: int, records: Indices, sites: SiteArrays, final: bool) -> None:
        carried = self._carried[thread]
        postponed = [*self._postponed.pop(thread, []), records]
        if not final and WINDOW < sum(map(len, postponed)) < len(carried.numbers) <= self._most_whole:
            # What is worked on as a whole is taken apart anew when it has doubled, not at every window.
            self._postponed[thread] = postponed
            return
        numbers = np.concatenate([carried.numbers, *postponed])
        try:
            if len(numbers) > self._most_whole + 2 * WINDOW:
                raise TooDeep
            parsed = parse(numbers, sites, fits_only=carried.lost)
            spans = opened(parsed, sites)
            if not self._fits.have_room(spans, np.arange(len(spans)) >= carried.count):
                raise TooDeep
        except TooDeep:
            self.damaged += int(np.count_nonzero(numbers < 0))
            self._carried[thread] = OpenState(lost=True)
            return
        rest, waits_since = numbers[:0], None
        if not final:
            count = cut(spans, parsed)
            # A state belongs to the hook that it stands before, which may not have come yet.
            following = [*parsed.loose_start[parsed.loose_before == count][:1], *parsed.start[count : count + 1]]
            if following:
                rest = numbers[int(following[0]) :]
                waits_since = int(parsed.operand(count, 0)) if count < len(parsed.start) else None
                parsed = parse(numbers[: len(numbers) - len(rest)], sites, fits_only=carried.lost)
                spans = opened(parsed, sites)
        if not len(parsed.start):
            self._carried[thread] = OpenState(rest, waits_since=waits_since, lost=carried.lost)
            return
        self.latest = max(self.latest, parsed.moment(-1))
        carried.hand_over(spans)
        count_turns(spans, parsed, sites)
        fresh = np.arange(len(spans)) >= carried.count
        first = self._next_span
        spans.number[fresh] = self._next_span + np.arange(np.count_nonzero(fresh))
        self._next_span += int(np.count_nonzero(fresh))
        if final:
            spans.end = np.where(spans.closer < 0, self.latest, spans.end)
        closed = (spans.closer >= 0) | final
        self._fits.assign(spans, parsed, sites, thread, fresh)
        unbatch_ended(spans, parsed)
        kept = merge_unturned(spans, closed) & (spans.number >= 0)
        children = np.zeros(len(spans), np.int64)
        children[: carried.count] = carried.children
        sums, batch_of = _attribute(spans, children, closed & kept)
        container = place_hooks(spans, parsed)
        hooks = name_hooks(spans, parsed, container, sites, self._definitions)
        done = closed & kept & (spans.fit >= 0)
        rows, batch_logs = logs_of(spans, parsed, container, hooks, self._definitions)
        # Time on another thread is no time of the fit, so a span there counts as if its children took all of it.
        on_other_threads = self._fits.on_other_threads(spans, thread)
        children = np.where(on_other_threads, spans.end - spans.start, children)
        self._emitter.spans(spans, sites, hooks, thread, children, done)
        self._emitter.logs(spans, rows, hooks)
        facts = self._sampled.of(spans, parsed, sites, done)
        self._emitter.batches(spans, parsed, sums, batch_of, batch_logs, facts, done)
        owner, place, told = values_of(spans, parsed, carried.repeated, self._definitions)
        self._emitter.values(spans, owner, place, told)
        self._flow.sites.update(np.unique(place).tolist())
        for batch, stretches in orders_of(spans, parsed, self._orders):
            self._emitter.samples(spans, batch, stretches)
        self._emitter.stops(spans, stops_of(spans, parsed, container, self._definitions), hooks)
        self._flow.records(thread, parsed, sites, spans, container, carried.repeated, first)
        self._fits.count(spans, done)
        on_thread = done & ~on_other_threads
        left(spans, on_thread, self._standing)
        if final:
            unfinished(spans, on_thread, self._standing)
        roots = np.flatnonzero(done & spans.root).tolist()
        begun = [(at, self._fits.begun_by(int(spans.number[at]), int(spans.fit[at]))) for at in roots]
        ended = [(at, fit, self._standing.pop(fit.number, None)) for at, fit in begun if fit is not None]
        self._emitter.fits(spans, parsed, ended, hooks)
        self._carried[thread] = OpenState() if final else carry(spans, parsed, kept, children, rest)
        self._carried[thread].lost = carried.lost
        self._carried[thread].waits_since = waits_since


def last_moment(records: Indices, sites: SiteArrays) -> int:
    """The last moment that some records of one thread tell of, 0 where they tell of none."""
    try:
        found: Parsed = parse(sound(records, sites)[0], sites)
    except TooDeep:
        return 0
    return found.moment(-1) if len(found.start) else 0


def _attribute(spans: SpanArrays, children: Indices, closed: Flags) -> tuple[Indices, Indices]:
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
