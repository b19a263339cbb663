"""The spans of one thread: one record opens a span, a later one closes it.

All spans of a window are derived at once, level by level. A level is the number of spans that are open around and
including a span.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ...schema.journal_format import ABSENT
from .records import Flags, Indices, Parsed
from .site_arrays import KIND, PHASE, STAGE, SiteArrays

_HOOK, _HOOKS, _CALL, _RAISE, _TURN, _ASIDE = (
    KIND[kind] for kind in ("hook", "hooks", "call", "raise", "turn", "aside")
)
_GIVES_DATA = (PHASE["function"], PHASE["slice"])
"""Phases of a batch in which an engine can find that there is no more data."""


@dataclass
class SpanArrays:
    """Spans in order of opening, one array per attribute. -1 stands for an absent value.

    - `record`: the index of the structural record that opened the span.
    - `closer`: the index of the structural record that closed it; -1: it is still open.
    - `level`: how many spans of the thread are open around it, itself included.
    - `parent`: the index, in these arrays, of the span around it.
    - `site`: the site of the record that opened it.
    - `phase`, `name`: the codes of its phase and name.
    - `start`, `end`: nanoseconds of the process' clock.
    - `failed`: whether an exception ended it.
    - `number`: its number in the process.
    - `fit`: the number of its fit; -1 where no record of its own thread tells.
    - `root`: whether it is a call of a model's method.
    - `stage`: the code of its stage.
    - `epoch`, `batch`: their numbers, as Keras counts.
    - `last`: of a batch, the number of the last batch in it, since one span may cover several.
    - `size`: the samples in a batch.
    - `first`: the position of a batch's first sample in the epoch's order.
    - `turned`: whether a `turn` record gave it its number.
    - `position`: of a callback's hook, the callback's position in the list.
    - `callback`: of a callback's hook, the number of the callback's class.
    - `hook`: the code of its hook's name.
    """

    record: Indices
    closer: Indices
    level: Indices
    parent: Indices
    site: Indices
    phase: Indices
    name: Indices
    start: Indices
    end: Indices
    failed: Flags
    number: Indices
    fit: Indices
    root: Flags
    stage: Indices
    epoch: Indices
    batch: Indices
    last: Indices
    size: Indices
    first: Indices
    turned: Flags
    position: Indices
    callback: Indices
    hook: Indices

    def __len__(self) -> int:
        return len(self.record)

    def take(self, index: Indices | Flags) -> SpanArrays:
        """The spans at `index`. Their `parent` still counts in the arrays they were taken from."""
        return SpanArrays(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def spans_of(parsed: Parsed, sites: SiteArrays) -> SpanArrays:
    """The spans that the records open, and which records close them."""
    count = sites.opens[parsed.site].astype(np.int64)
    record = np.repeat(np.arange(len(parsed.site)), count)
    # A record may open two spans, one inside the other: `nth` is 0 for the outer one, 1 for the inner one.
    nth = np.arange(len(record)) - np.repeat(np.cumsum(count) - count, count)
    level = parsed.leaves_open[record] + 1 + nth
    site = parsed.site[record]
    kind = parsed.kind[record]
    # The operands of `hook` are end, time and class; those of other kinds begin with the time. All records' operands 1
    # and 2 are read at once, and only hooks' are used. A shorter record may end the array, hence the minimum.
    operands = np.minimum(parsed.start[record][:, None] + (2, 3), len(parsed.numbers) - 1)
    start = np.where(kind == _HOOK, parsed.numbers[operands[:, 0]], parsed.operand(record, 0))
    closer, parent = _closers_and_parents(record, level, parsed.leaves_open)
    end = np.where(closer >= 0, parsed.operand(closer, 0) if len(parsed.start) else 0, -1)
    absent = np.full(len(record), -1)
    callback = np.where(kind == _HOOK, parsed.numbers[operands[:, 1]], -1)
    return SpanArrays(
        record=record,
        closer=closer,
        level=level,
        parent=parent,
        site=site,
        phase=sites.phase[site, nth].astype(np.int64),
        name=sites.name[site, nth].astype(np.int64),
        start=start,
        end=end,
        failed=(closer >= 0) & _fails(parsed, sites)[closer] if len(parsed.kind) else np.zeros(0, bool),
        number=absent.copy(),
        fit=absent.copy(),
        root=(kind == _CALL) & sites.root[site],
        stage=sites.stage[site].astype(np.int64),
        epoch=absent.copy(),
        batch=absent.copy(),
        last=absent.copy(),
        size=absent.copy(),
        first=absent.copy(),
        turned=np.zeros(len(record), bool),
        position=np.where(kind == _HOOK, 0, -1),
        callback=np.where(callback == ABSENT, -1, callback),
        hook=sites.hook[site].astype(np.int64),
    )


def _closers_and_parents(record: Indices, level: Indices, leaves_open: Indices) -> tuple[Indices, Indices]:
    """The record that closes each span, and the span around it; -1 where there is none.

    The next record that leaves fewer spans open than a span's level closes the span. Its parent is the last span before
    it whose level is one less.

    - `record`: the record that opens each span.
    - `level`: the level of each span.
    - `leaves_open`: how many spans each record leaves open.
    """
    closer, parent = np.full(len(record), -1), np.full(len(record), -1)
    outer = np.empty(0, np.int64)
    for this_level in range(1, int(level.max(initial=0)) + 1):
        here = np.flatnonzero(level == this_level)
        closing = np.flatnonzero(leaves_open < this_level)
        # Past the last closing record `searchsorted` finds the -1 that is appended.
        closer[here] = np.append(closing, -1)[np.searchsorted(closing, record[here], "right")]
        if this_level > 1:
            holder = np.searchsorted(record[outer], record[here], "right") - 1
            parent[here] = np.where(holder >= 0, outer[np.maximum(holder, 0)] if len(outer) else -1, -1)
        outer = here
    return closer, parent


def _fails(parsed: Parsed, sites: SiteArrays) -> Flags:
    """Which structural records close spans because of an exception.

    Those are the `raise` records, and each record that follows a `raised` of its frame whose exception goes on: a
    `finally` runs then, and closes what the exception left.
    """
    fails: Flags = parsed.kind == _RAISE
    raised = np.flatnonzero(parsed.annotation_kind == KIND["raised"])
    site = -(parsed.numbers[parsed.annotation_start[raised]] + 1)
    following = parsed.annotation_before[raised[sites.goes_on[site]]]
    frame = parsed.annotation_frame[raised[sites.goes_on[site]]]
    exists = following < len(fails)
    following, frame = following[exists], frame[exists]
    fails[following[parsed.frame[following] == frame]] = True
    return fails


def innermost(spans: SpanArrays, parsed: Parsed, before: Indices) -> Indices:
    """The index of the innermost span that is open after the first n structural records, for each n in `before`.

    -1 stands where no span is open.
    """
    # A record's own level is what it leaves open plus what it opens.
    level = (parsed.leaves_open + np.bincount(spans.record, minlength=len(parsed.start)))[np.maximum(before - 1, 0)]
    span = np.full(len(before), -1)
    for this_level in np.unique(level[before > 0]):
        here = np.flatnonzero(spans.level == this_level)
        asked = np.flatnonzero((level == this_level) & (before > 0))
        span[asked] = np.append(here, -1)[np.searchsorted(spans.record[here], before[asked] - 1, "right") - 1]
    return span


def set_turn_numbers(spans: SpanArrays, parsed: Parsed, sites: SiteArrays) -> None:
    """Give epochs, batches and hooks the numbers that the engine counted.

    The number in a `turn` record belongs to the span that is innermost after the record. The number in a `hooks` record
    belongs to the span of `CallbackList.on_*` that it opens.
    """
    turns = np.flatnonzero(parsed.kind == _TURN)
    level = parsed.leaves_open[turns] + sites.opens[parsed.site[turns]]
    for this_level in np.unique(level):
        here = np.flatnonzero(spans.level == this_level)
        turn = turns[level == this_level]
        opened_before = np.searchsorted(spans.record[here], turn, "right")
        turn, owner = turn[opened_before > 0], here[opened_before[opened_before > 0] - 1]
        epoch, batch = sites.counts_epoch[parsed.site[turn]], sites.counts_batch[parsed.site[turn]]
        spans.epoch[owner[epoch]] = parsed.operand(turn[epoch], 1)
        spans.batch[owner[batch]] = parsed.operand(turn[batch], 1)
        spans.last[owner[batch]] = parsed.operand(turn[batch], 2)
        for attribute, position in ((spans.size, 3), (spans.first, 4)):
            number = parsed.operand(turn[batch], position)
            attribute[owner[batch]] = np.where(number == ABSENT, -1, number)
        spans.turned[owner] = True
    lists = np.flatnonzero(parsed.kind[spans.record] == _HOOKS)
    number = parsed.operand(spans.record[lists], 2)
    is_known = number != ABSENT
    for counts, attribute in ((sites.counts_epoch, spans.epoch), (sites.counts_batch, spans.batch)):
        here = is_known & counts[spans.site[lists]]
        attribute[lists[here]] = number[here]


def inherit(spans: SpanArrays, begin_fit: Indices) -> None:
    """Give spans the fit, stage, epoch and batch of their parents, where they have none of their own.

    `begin_fit` is the number of the fit that each span begins, -1 where it begins none. A span that begins a fit
    inherits nothing.
    """
    spans.fit[begin_fit >= 0] = begin_fit[begin_fit >= 0]
    for level in range(2, int(spans.level.max(initial=0)) + 1):
        here = np.flatnonzero((spans.level == level) & (spans.parent >= 0) & (begin_fit < 0))
        parent = spans.parent[here]
        # Training and validation may call the same functions, whose sites then name no stage.
        validates = (spans.phase[parent] == PHASE["validation"]) & (spans.stage[here] < 0)
        spans.stage[here[validates]] = STAGE["test"]
        for attribute in (spans.fit, spans.stage, spans.epoch, spans.batch):
            attribute[here] = np.where(attribute[here] < 0, attribute[parent], attribute[here])
        # `evaluate` and `predict` loop over epochs too, once, and count from 0. That is no epoch of training: such a
        # span has the epoch that the fit around it is in, if there is one.
        idle = (spans.phase[here] == PHASE["epoch"]) & (spans.stage[here] != STAGE["train"])
        spans.epoch[here[idle]] = spans.epoch[parent[idle]]


def relabel_exhausted_turns(spans: SpanArrays, parsed: Parsed) -> None:
    """Give the phase `slice` to turns of the batch loop that had no data, and so never became batches.

    An engine that does not know the number of batches begins one turn too many. An exception then says that there is no
    more data, and the engine catches it. Such a turn shows in one of three ways:

    - Its function, or its fetch, ends together with the turn, which does not fail.
    - A hook raises such an exception before the function is called, and the turn does not fail.
    - The fetch fails with another exception before anything else is done, and so does the turn.
    """
    is_turn = (spans.phase == PHASE["batch"]) & spans.turned & (spans.closer >= 0)
    inner = np.flatnonzero((spans.parent >= 0) & is_turn[spans.parent])
    batch, phase = spans.parent[inner], spans.phase[inner]
    # In a sampled batch, fittrace's own work (`aside`) closes the function or fetch one record before the turn's end.
    before = np.maximum(spans.closer[batch] - 1, 0)
    last = (spans.closer[inner] == spans.closer[batch]) | (
        (spans.closer[inner] == before) & (parsed.kind[before] == _ASIDE)
    )
    ran_out = batch[last & np.isin(phase, _GIVES_DATA) & ~spans.failed[batch]]
    refused = batch[spans.failed[inner] & (phase == PHASE["hooks"]) & ~spans.failed[batch]]
    computed = batch[phase == PHASE["function"]]
    unfetched = batch[last & (phase == PHASE["slice"]) & spans.failed[batch]]
    others = batch[phase != PHASE["slice"]]
    for no_batch in (ran_out, refused[~np.isin(refused, computed)], unfetched[~np.isin(unfetched, others)]):
        spans.phase[no_batch] = PHASE["slice"]


def merge_empty_fetches(spans: SpanArrays, closed: Flags) -> Flags:
    """Replace each batch that never got a number, and the fetch in it, by one `slice` span. Returns the spans to keep.

    A loop asks for one item more than there are. The fetch of that item opens a batch, but no turn follows.
    """
    empty = (spans.phase == PHASE["batch"]) & ~spans.turned & closed
    spans.phase[empty] = PHASE["slice"]
    has_parent = spans.parent >= 0
    merged = np.zeros(len(spans), bool)
    merged[has_parent] = empty[spans.parent[has_parent]] & (spans.phase[has_parent] == PHASE["slice"])
    # One record opens both, so the batch stands right before its fetch.
    spans.name[np.flatnonzero(merged) - 1] = spans.name[merged]
    orphans = np.flatnonzero(has_parent & merged[spans.parent])
    spans.parent[orphans] = spans.parent[spans.parent[orphans]]
    return ~merged


def nested_in_phase(spans: SpanArrays) -> Flags:
    """Which spans are inside another span of the same phase and fit."""
    around = np.zeros(len(spans), np.int64)  # bit n: a span of phase n is around
    for level in range(2, int(spans.level.max(initial=0)) + 1):
        here = np.flatnonzero((spans.level == level) & (spans.parent >= 0))
        here = here[spans.fit[here] == spans.fit[spans.parent[here]]]
        parent = spans.parent[here]
        around[here] = around[parent] | (np.int64(1) << spans.phase[parent])
    return ((around >> spans.phase) & 1).astype(bool)
