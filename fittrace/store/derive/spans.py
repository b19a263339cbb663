"""Spans, out of the records of one thread: opened by one record, closed by a later one."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ...schema.journal_format import ABSENT
from .records import Indices, Parsed
from .site_arrays import KIND, PHASE, STAGE, SiteArrays

_HOOK, _HOOKS, _CALL, _RAISE, _TURN, _ASIDE = (
    KIND[kind] for kind in ("hook", "hooks", "call", "raise", "turn", "aside")
)
_GIVES_DATA = (PHASE["function"], PHASE["slice"])
"""Phases of a batch in which its data can turn out to be at an end."""
Flags = npt.NDArray[np.bool_]


@dataclass
class SpanArrays:
    """Spans in order of opening, one array per fact. -1 stands for what is absent.

    - `record`, `closer`: the structural records that opened and closed it; no closer: it is still open.
    - `level`: how many spans of the thread are open with it, itself among them.
    - `parent`: the span around it, as an index into these arrays.
    - `site`: the site of the record that opened it; `phase`, `name`, `hook`: what the site says of it, as codes.
    - `start`, `end`: its moments on the process' clock.
    - `failed`: whether an exception ended it.
    - `number`: its number in the process.
    - `fit`: the number of the fit that it is in; absent where its own thread does not tell.
    - `root`: whether it is a call of a model's method.
    - `stage`, `epoch`, `batch`, `last`: where it is, as Keras counts; of several batches in one, the last too.
    - `size`, `first`: of a batch the samples in it, and the position of its first sample in the epoch's order.
    - `turned`: whether a turn of a loop gave it its number.
    - `position`, `callback`: of a callback's hook its position in the callback list, and the number of the class.
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
        """The spans at `index`; parents are not renumbered."""
        return SpanArrays(**{field.name: getattr(self, field.name)[index] for field in fields(self)})


def opened(parsed: Parsed, sites: SiteArrays) -> SpanArrays:
    """The spans that the records open, with what closes each.

    A record leaves so many spans open (`close`). So a span of a level is closed by the next record that leaves fewer
    open than that, and its parent is the last span before it of the level above.
    """
    count = sites.opens[parsed.site].astype(np.int64)
    record = np.repeat(np.arange(len(parsed.site)), count)
    nth = np.arange(len(record)) - np.repeat(np.cumsum(count) - count, count)
    level = parsed.close[record] + 1 + nth
    site = parsed.site[record]
    kind = parsed.kind[record]
    first = parsed.operand(record, 0)
    # Past the end of a short record stands another, or nothing; only a hook's further operands are looked at.
    past = np.minimum(parsed.start[record][:, None] + (2, 3), len(parsed.numbers) - 1)
    start = np.where(kind == _HOOK, parsed.numbers[past[:, 0]], first)
    closer, parent = np.full(len(record), -1), np.full(len(record), -1)
    above = np.empty(0, np.int64)
    for deep in range(1, int(level.max(initial=0)) + 1):
        here = np.flatnonzero(level == deep)
        closes = np.flatnonzero(parsed.close < deep)
        closer[here] = np.append(closes, -1)[np.searchsorted(closes, record[here], "right")]
        if deep > 1:
            holder = np.searchsorted(record[above], record[here], "right") - 1
            parent[here] = np.where(holder >= 0, above[np.maximum(holder, 0)] if len(above) else -1, -1)
        above = here
    end = np.where(closer >= 0, parsed.operand(closer, 0) if len(parsed.start) else 0, -1)
    absent = np.full(len(record), -1)
    callback = np.where(kind == _HOOK, parsed.numbers[past[:, 1]], -1)
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


def _fails(parsed: Parsed, sites: SiteArrays) -> Flags:
    """Which records end spans because of an exception: where it leaves a function, or comes to a `finally` in it."""
    fails: Flags = parsed.kind == _RAISE
    raised = np.flatnonzero(parsed.loose_kind == KIND["raised"])
    site = -(parsed.numbers[parsed.loose_start[raised]] + 1)
    following = parsed.loose_before[raised[sites.goes_on[site]]]
    frame = parsed.loose_frame[raised[sites.goes_on[site]]]
    there = following < len(fails)
    following, frame = following[there], frame[there]
    fails[following[parsed.frame[following] == frame]] = True
    return fails


def innermost(spans: SpanArrays, parsed: Parsed, before: Indices) -> Indices:
    """The index of the innermost span that is open after so many structural records; -1 where none is.

    `before` holds the numbers of records that are asked for.
    """
    level = (parsed.close + np.bincount(spans.record, minlength=len(parsed.start)))[np.maximum(before - 1, 0)]
    found = np.full(len(before), -1)
    for deep in np.unique(level[before > 0]):
        here = np.flatnonzero(spans.level == deep)
        asked = np.flatnonzero((level == deep) & (before > 0))
        found[asked] = np.append(here, -1)[np.searchsorted(spans.record[here], before[asked] - 1, "right") - 1]
    return found


def count_turns(spans: SpanArrays, parsed: Parsed, sites: SiteArrays) -> None:
    """Give epochs, batches and hooks the numbers that the engine told.

    A turn's number belongs to the span that is innermost when the turn begins; a hook's to `CallbackList.on_*`.
    """
    turns = np.flatnonzero(parsed.kind == _TURN)
    level = parsed.close[turns] + sites.opens[parsed.site[turns]]
    for deep in np.unique(level):
        here = np.flatnonzero(spans.level == deep)
        turn = turns[level == deep]
        opened_before = np.searchsorted(spans.record[here], turn, "right")
        turn, owner = turn[opened_before > 0], here[opened_before[opened_before > 0] - 1]
        epoch, batch = sites.counts_epoch[parsed.site[turn]], sites.counts_batch[parsed.site[turn]]
        spans.epoch[owner[epoch]] = parsed.operand(turn[epoch], 1)
        spans.batch[owner[batch]] = parsed.operand(turn[batch], 1)
        spans.last[owner[batch]] = parsed.operand(turn[batch], 2)
        for fact, position in ((spans.size, 3), (spans.first, 4)):
            number = parsed.operand(turn[batch], position)
            fact[owner[batch]] = np.where(number == ABSENT, -1, number)
        spans.turned[owner] = True
    lists = np.flatnonzero(parsed.kind[spans.record] == _HOOKS)
    number = parsed.operand(spans.record[lists], 2)
    is_known = number != ABSENT
    for counts, fact in ((sites.counts_epoch, spans.epoch), (sites.counts_batch, spans.batch)):
        here = is_known & counts[spans.site[lists]]
        fact[lists[here]] = number[here]


def inherit(spans: SpanArrays, begin_fit: Indices) -> None:
    """Pass fit, stage, epoch and batch down from each span to those in it.

    `begin_fit` is, for each span that begins a fit, the number of that fit, and -1 for all others.
    """
    spans.fit[begin_fit >= 0] = begin_fit[begin_fit >= 0]
    for deep in range(2, int(spans.level.max(initial=0)) + 1):
        here = np.flatnonzero((spans.level == deep) & (spans.parent >= 0))
        parent = spans.parent[here]
        inner = begin_fit[here] < 0
        here, parent = here[inner], parent[inner]
        # What a fit validates with may run through the same functions as what it trains with.
        validates = (spans.phase[parent] == PHASE["validation"]) & (spans.stage[here] < 0)
        spans.stage[here[validates]] = STAGE["test"]
        for fact in (spans.fit, spans.stage, spans.epoch, spans.batch):
            fact[here] = np.where(fact[here] < 0, fact[parent], fact[here])
        # A loop over epochs that does not train goes round once, within the epoch of whoever validates.
        idle = (spans.phase[here] == PHASE["epoch"]) & (spans.stage[here] != STAGE["train"])
        spans.epoch[here[idle]] = spans.epoch[parent[idle]]


def unbatch_ended(spans: SpanArrays, parsed: Parsed) -> None:
    """Turn the turns in which the data ran out into `slice` spans: none of them came to be a batch.

    Where an engine does not know how many batches there are, the turn after the last one begins like any other. Then
    an exception says that there is no more data, and the engine catches it. So the function, or the fetch, of such a
    turn ends together with the turn. A hook that raises such an exception before the function is called does the same.
    Nor is a turn a batch whose fetch failed with another exception, before anything else was done.
    """
    is_turn = (spans.phase == PHASE["batch"]) & spans.turned & (spans.closer >= 0)
    inner = np.flatnonzero((spans.parent >= 0) & is_turn[spans.parent])
    batch, phase = spans.parent[inner], spans.phase[inner]
    # What ends the sampling of a batch closes its function, also where that raises.
    before = np.maximum(spans.closer[batch] - 1, 0)
    last = (spans.closer[inner] == spans.closer[batch]) | (
        (spans.closer[inner] == before) & (parsed.kind[before] == _ASIDE)
    )
    ran_out = batch[last & np.isin(phase, _GIVES_DATA) & ~spans.failed[batch]]
    refused = batch[spans.failed[inner] & (phase == PHASE["hooks"]) & ~spans.failed[batch]]
    computed = batch[phase == PHASE["function"]]
    unfetched = batch[last & (phase == PHASE["slice"]) & spans.failed[batch]]
    others = batch[phase != PHASE["slice"]]
    for ended in (ran_out, refused[~np.isin(refused, computed)], unfetched[~np.isin(unfetched, others)]):
        spans.phase[ended] = PHASE["slice"]


def merge_unturned(spans: SpanArrays, closed: Flags) -> Flags:
    """Turn the fetches that found no more data into plain `slice` spans; returns which spans are left.

    The loop asks for one item more than there are, so the last turn begins and never comes to be a batch.
    """
    empty = (spans.phase == PHASE["batch"]) & ~spans.turned & closed
    spans.phase[empty] = PHASE["slice"]
    has_parent = spans.parent >= 0
    gone = np.zeros(len(spans), bool)
    gone[has_parent] = empty[spans.parent[has_parent]] & (spans.phase[has_parent] == PHASE["slice"])
    spans.name[np.flatnonzero(gone) - 1] = spans.name[gone]
    moved = np.flatnonzero(has_parent & gone[spans.parent])
    spans.parent[moved] = spans.parent[spans.parent[moved]]
    return ~gone


def nested_in_phase(spans: SpanArrays) -> Flags:
    """Which spans are in another one of their phase and fit."""
    around = np.zeros(len(spans), np.int64)  # a bit for each phase of those around
    for deep in range(2, int(spans.level.max(initial=0)) + 1):
        here = np.flatnonzero((spans.level == deep) & (spans.parent >= 0))
        here = here[spans.fit[here] == spans.fit[spans.parent[here]]]
        parent = spans.parent[here]
        around[here] = around[parent] | (np.int64(1) << spans.phase[parent])
    return ((around >> spans.phase) & 1).astype(bool)
