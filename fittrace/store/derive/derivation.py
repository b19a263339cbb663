"""Derivation: turns the records of a journal into rows of the tables, window by window.

Each window is derived as a whole, with NumPy. What is open at its end is carried into the next window. So a trace of
any length needs the memory of one window.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from ...schema.caller_keys import CALLER_KEYS
from ...schema.limits import BYTES_PER_NUMBER, LOST_PLACES, WHOLE_FREE
from ...schema.tables import BATCH_PHASES, COUNTS_AS
from ..journal.definitions import KnownDefinitions
from ..journal.reader import WINDOW, Chunk, Records
from ..journal.sample_orders import PackedOrders
from .batch_samples import orders_of
from .between_windows import OpenState, complete_records, state_after
from .control_flow import FlowDeriver
from .emit_rows import Emitter
from .end_position import EndPosition, follow_failures, note_open_spans
from .fits import Fits
from .hooks import set_hook_names, set_hook_positions
from .logs import logs_of, values_of
from .records import Flags, Indices, Parsed, TooDeep, parse, split_at_damage
from .sampled_batches import SampledBatches
from .site_arrays import PHASE, SiteArrays
from .spans import SpanArrays, merge_empty_fetches, relabel_exhausted_turns, set_turn_numbers, spans_of
from .stops import stops_of

_NO_RECORDS = np.empty(0, np.int64)

_BATCH_COLUMN = np.full(len(PHASE), -1)
"""For each phase, the index in `BATCH_PHASES` of the column that its time counts as; -1: none."""
for _phase, _column in COUNTS_AS.items():
    _BATCH_COLUMN[PHASE[_phase]] = BATCH_PHASES.index(_column)


@dataclass(frozen=True)
class _Window:
    """Records of one thread that are derived together.

    - `parsed`, `spans`: the records, and the spans that they open.
    - `rest`: the records after them, which wait for the next window.
    - `waits_since`: the moment of the first structural record in `rest`; None where it has none.
    """

    parsed: Parsed
    spans: SpanArrays
    rest: Records
    waits_since: int | None = None


class Derivation:
    """Turns the chunks of one journal into rows.

    - `definitions`: what the journal has defined so far; the reader adds to it.
    - `orders`: the orders of samples that no record has referred to yet.
    - `emitter`: takes the derived rows of all tables but those of sampled batches.
    - `sampled`: derives the rows of sampled batches, and hands them to its own sink.
    """

    def __init__(
        self, definitions: KnownDefinitions, orders: PackedOrders, emitter: Emitter, sampled: SampledBatches
    ) -> None:
        self._definitions = definitions
        self._orders = orders
        self._emitter = emitter
        self._sampled = sampled
        # By thread: what is open, records that wait for the threads that run fits, records that wait for more records.
        self._open_states: dict[int, OpenState] = defaultdict(OpenState)
        self._held_back: dict[int, Records] = {}
        self._postponed: dict[int, list[Records]] = {}
        self._fits = Fits()
        self._flow = FlowDeriver(emitter)
        self._end_positions: dict[int, EndPosition] = {}
        self._most_numbers = WHOLE_FREE
        self._sites: SiteArrays | None = None
        self._next_span = 0
        self.latest = 0
        """The latest recorded moment, on the process' clock."""
        self.damaged = 0
        """How many records make no sense."""

    @property
    def sites(self) -> set[int]:
        """The sites that have recorded something."""
        return self._flow.sites

    def window(self, chunks: list[Chunk], stored: int = 0) -> None:
        """Derive the rows of one window of records.

        - `chunks`: the records, at most one chunk per thread.
        - `stored`: bytes of the journal that are read so far. They bound the memory that records may take.
        """
        self._fits.make_room(stored)
        self._most_numbers = WHOLE_FREE + stored // BYTES_PER_NUMBER
        sites = self._known_sites()
        earlier, self._held_back = self._held_back, {}
        without_fits = []
        # A hook on a thread of its own belongs to a fit on another thread. So the threads that run fits come first, and
        # records of other threads are held back for one window.
        for chunk in sorted(chunks, key=lambda chunk: chunk.thread):
            if not chunk.gap and not self._has_root(chunk, sites):
                without_fits.append(chunk)
                continue
            self._derive_records(chunk.thread, earlier.pop(chunk.thread, _NO_RECORDS), sites)
            if chunk.gap:
                self._lose_thread(chunk.thread, sites)
            self._derive_records(chunk.thread, chunk.records, sites)
        # Up to this moment all fits are derived. So a record held back that is earlier finds its fit now.
        waits = [state.waits_since for state in self._open_states.values() if state.waits_since is not None]
        derived_until = min(waits, default=None)
        for thread, records in earlier.items():
            too_many = len(records) > self._most_numbers
            if derived_until is None or too_many or last_moment(records, sites) < derived_until:
                self._derive_records(thread, records, sites)
            else:
                self._held_back[thread] = records
        for chunk in without_fits:
            records = self._held_back.get(chunk.thread, _NO_RECORDS)
            self._held_back[chunk.thread] = np.concatenate([records, chunk.records])
        self._emitter.flush()

    def finish(self) -> None:
        """Derive all records that wait, and close what is open as unfinished, at the latest recorded moment."""
        sites = self._known_sites()
        waiting = [*self._held_back.values(), *(state.numbers for state in self._open_states.values())]
        waiting += [records for postponed in self._postponed.values() for records in postponed]
        self.latest = max(self.latest, *(last_moment(records, sites) for records in waiting), 0)
        for thread in sorted(self._open_states, key=lambda t: (not self._has_root(Chunk(t), sites), t)):
            if thread not in self._held_back:
                self._derive_thread(thread, _NO_RECORDS, sites, final=True)
        for thread, records in sorted(self._held_back.items()):
            self._derive_records(thread, records, sites)
            self._derive_thread(thread, _NO_RECORDS, sites, final=True)
        self._flow.finish(sites)
        self._emitter.flush(final=True)

    def _derive_records(self, thread: int, records: Records, sites: SiteArrays) -> None:
        """Derive the next records of a thread, some of which may make no sense."""
        first, *after_damage = split_at_damage(records, sites)
        self._derive_thread(thread, first, sites, final=False)
        for piece in after_damage:
            self.damaged += 1
            if self.damaged > LOST_PLACES:
                continue
            self._lose_thread(thread, sites)
            self._derive_thread(thread, piece, sites, final=False)

    def _known_sites(self) -> SiteArrays:
        if self._sites is None or self._sites.changes != self._definitions.changed_sites:
            self._sites = SiteArrays.of(self._definitions.sites, self._definitions.changed_sites)
        return self._sites

    def _lose_thread(self, thread: int, sites: SiteArrays) -> None:
        """Close what is open in a thread of which records are lost: nobody knows what ended and began among them."""
        self._derive_thread(thread, _NO_RECORDS, sites, final=True)
        self._open_states[thread] = OpenState(lost=True)
        self._fits.lose(thread)
        self._flow.lose(thread, sites)

    def _has_root(self, chunk: Chunk, sites: SiteArrays) -> bool:
        """Whether a call of a model's method is open in the chunk's thread, or begins in the chunk."""
        numbers = np.concatenate([self._open_states[chunk.thread].numbers, chunk.records])
        recorded = -numbers[numbers < 0] - 1
        return bool(np.any(sites.root[recorded[recorded < len(sites.root)]]))

    def _derive_thread(self, thread: int, records: Records, sites: SiteArrays, final: bool) -> None:
        """Derive what is open in a thread together with `records`, all of which make sense.

        With `final`, no records follow, and what is open is closed.
        """
        state = self._open_states[thread]
        postponed = [*self._postponed.pop(thread, []), records]
        if not final and WINDOW < sum(map(len, postponed)) < len(state.numbers) <= self._most_numbers:
            # A long fit inside a hook is parsed as one piece. Parsing it again at each window would take quadratic
            # time, so it is parsed again only when it has doubled.
            self._postponed[thread] = postponed
            return
        numbers = np.concatenate([state.numbers, *postponed])
        try:
            window = self._parse_window(numbers, state, sites, final)
        except TooDeep:
            self.damaged += int(np.count_nonzero(numbers < 0))
            self._open_states[thread] = OpenState(lost=True)
            return
        if len(window.parsed.start):
            after = self._derive_window(thread, window, state, sites, final)
        else:
            after = OpenState(window.rest)
        after.lost, after.waits_since = state.lost, window.waits_since
        self._open_states[thread] = after

    def _parse_window(self, numbers: Records, state: OpenState, sites: SiteArrays, final: bool) -> _Window:
        """Parse `numbers` up to the last record that is not inside a batch or hook; with `final`, all of them.

        Raises `TooDeep` where they need more memory or time than the records of an engine.
        """
        if len(numbers) > self._most_numbers + 2 * WINDOW:
            raise TooDeep
        parsed = parse(numbers, sites, fits_only=state.lost)
        spans = spans_of(parsed, sites)
        if not self._fits.have_room(spans, np.arange(len(spans)) >= state.count):
            raise TooDeep
        if final:
            return _Window(parsed, spans, numbers[:0])
        count = complete_records(spans, parsed)
        # An annotation right after the last complete record waits too: a `state` belongs to the hook that follows it.
        annotations = parsed.annotation_start[parsed.annotation_before == count]
        following = [*annotations[:1], *parsed.start[count : count + 1]]
        if not following:
            return _Window(parsed, spans, numbers[:0])
        rest = numbers[int(following[0]) :]
        waits_since = int(parsed.operand(count, 0)) if count < len(parsed.start) else None
        parsed = parse(numbers[: len(numbers) - len(rest)], sites, fits_only=state.lost)
        return _Window(parsed, spans_of(parsed, sites), rest, waits_since)

    def _derive_window(
        self, thread: int, window: _Window, state: OpenState, sites: SiteArrays, final: bool
    ) -> OpenState:
        """Emit the rows of a window that follows `state`. Returns the state after it."""
        parsed, spans = window.parsed, window.spans
        self.latest = max(self.latest, parsed.moment(-1))
        state.restore(spans)
        set_turn_numbers(spans, parsed, sites)
        is_new = np.arange(len(spans)) >= state.count
        first_new = self._next_span
        self._number(spans, is_new)
        if final:
            spans.end = np.where(spans.closer < 0, self.latest, spans.end)
        closed = (spans.closer >= 0) | final
        self._fits.assign(spans, parsed, sites, thread, is_new)
        relabel_exhausted_turns(spans, parsed)
        kept = merge_empty_fetches(spans, closed) & (spans.number >= 0)
        children = np.zeros(len(spans), np.int64)
        children[: state.count] = state.children
        phase_ns, batch_of = _attribute_time(spans, children, closed & kept)
        frame_span = set_hook_positions(spans, parsed)
        hooks = set_hook_names(spans, parsed, frame_span, sites, self._definitions)
        done = closed & kept & (spans.fit >= 0)
        # Time on another thread is not time of the fit. So a span there has no time of its own: all of it counts as its
        # children's.
        on_other_threads = self._fits.on_other_threads(spans, thread)
        children = np.where(on_other_threads, spans.end - spans.start, children)
        self._emitter.spans(spans, sites, hooks, thread, children, done)
        rows, batch_logs = logs_of(spans, parsed, frame_span, hooks, self._definitions)
        self._emitter.logs(spans, rows, hooks)
        facts = self._sampled.of(spans, parsed, sites, done)
        self._emitter.batches(spans, parsed, phase_ns, batch_of, batch_logs, facts, done)
        self._emit_values(spans, parsed, state.repeated)
        for batch, sample_runs in orders_of(spans, parsed, self._orders):
            self._emitter.samples(spans, batch, sample_runs)
        self._emitter.stops(spans, stops_of(spans, parsed, frame_span, self._definitions), hooks)
        self._flow.records(thread, parsed, sites, spans, frame_span, state.repeated, first_new)
        self._end_fits(spans, parsed, hooks, done, done & ~on_other_threads, final)
        return OpenState() if final else state_after(spans, parsed, kept, children, window.rest)

    def _number(self, spans: SpanArrays, is_new: Flags) -> None:
        """Give new spans the next numbers of the process."""
        count = int(np.count_nonzero(is_new))
        spans.number[is_new] = self._next_span + np.arange(count)
        self._next_span += count

    def _emit_values(self, spans: SpanArrays, parsed: Parsed, since: int) -> None:
        owner, site, rows = values_of(spans, parsed, since, self._definitions)
        is_callers = np.array([key in CALLER_KEYS for key, _ in rows], bool)
        for index in np.flatnonzero(is_callers).tolist():
            fit = self._fits.with_root(int(spans.number[owner[index]]), int(spans.fit[owner[index]]))
            if fit is not None:
                key, value = rows[index]
                fit.caller[key] = value
        of_variables = [row for row, is_caller in zip(rows, is_callers) if not is_caller]
        self._emitter.values(spans, owner[~is_callers], site[~is_callers], of_variables)
        # `values` records are not part of the control flow, but their sites are part of the program.
        self._flow.sites.update(np.unique(site).tolist())

    def _end_fits(
        self, spans: SpanArrays, parsed: Parsed, hooks: list[str], done: Flags, on_thread: Flags, final: bool
    ) -> None:
        """Count the epochs and batches that are `done`, and emit the fits that are.

        `on_thread` are the spans among them that ran on their fit's own thread: only those tell where it ended.
        """
        self._fits.count(spans, done)
        follow_failures(spans, on_thread, self._end_positions)
        if final:
            note_open_spans(spans, on_thread, self._end_positions)
        ended = []
        for root in np.flatnonzero(done & spans.root).tolist():
            fit = self._fits.with_root(int(spans.number[root]), int(spans.fit[root]))
            if fit is not None:
                ended.append((root, fit, self._end_positions.pop(fit.number, None)))
        self._emitter.fits(spans, parsed, ended, hooks)


def last_moment(records: Records, sites: SiteArrays) -> int:
    """The moment of the last structural record among those of one thread; 0 where there is none."""
    try:
        parsed = parse(split_at_damage(records, sites)[0], sites)
    except TooDeep:
        return 0
    return parsed.moment(-1) if len(parsed.start) else 0


def _attribute_time(spans: SpanArrays, children: Indices, closed: Flags) -> tuple[Indices, Indices]:
    """Add the time of closed spans to their parents' `children`.

    Returns, for each span, the time in each phase of a batch, and the batch that it is in (-1: none).
    """
    duration = spans.end - spans.start
    has_parent = closed & (spans.parent >= 0)
    # A fit inside a hook is no child of the hook: its time stays the hook's own.
    has_parent[has_parent] &= spans.fit[spans.parent[has_parent]] == spans.fit[has_parent]
    np.add.at(children, spans.parent[has_parent], duration[has_parent])
    batch_of = np.where(spans.phase == PHASE["batch"], np.arange(len(spans)), -1)
    # Level by level, so that a parent has its batch before its children ask for it.
    for level in range(2, int(spans.level.max(initial=0)) + 1):
        here = np.flatnonzero((spans.level == level) & (spans.parent >= 0) & (batch_of < 0))
        same_fit = spans.fit[spans.parent[here]] == spans.fit[here]
        batch_of[here[same_fit]] = batch_of[spans.parent[here[same_fit]]]
    phase_ns = np.zeros((len(spans), len(BATCH_PHASES)), np.int64)
    column = _BATCH_COLUMN[spans.phase]
    inside = np.flatnonzero(closed & (batch_of >= 0) & (column >= 0))
    # Each span adds its time without that of its children, so that nested phases do not count twice.
    np.add.at(phase_ns, (batch_of[inside], column[inside]), duration[inside] - children[inside])
    return phase_ns, batch_of
