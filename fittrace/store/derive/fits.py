"""Fits: which spans begin one, and which spans are its own."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...schema.limits import BYTES_PER_FIT, FITS_FREE
from .records import Indices, Parsed
from .site_arrays import KIND, PHASE, STAGE, SiteArrays
from .spans import Flags, SpanArrays, inherit

_OWNER = 2  # where, after its head, a record of kind `hooks` has its owner


class Begun:
    """What has begun when, by time: numbers of epochs, or of fits. There may be as many of them as records.

    >>> begun = Begun()
    >>> begun.add(10, 0), begun.add(20, 1)
    (None, None)
    >>> begun.at(5), begun.at(20)
    (-1, 1)
    """

    def __init__(self) -> None:
        self._starts = array("q")
        self._numbers = array("q")

    def add(self, start: int, number: int) -> None:
        """Take note of one that begins now."""
        place = bisect_right(self._starts, start)
        self._starts.insert(place, start)
        self._numbers.insert(place, number)

    def at(self, moment: int) -> int:
        """The number of the one that had begun last at a moment; -1: none had."""
        place = bisect_right(self._starts, moment)
        return self._numbers[place - 1] if place else -1

    def keep(self, wanted: Callable[[int], bool]) -> None:
        """Forget the numbers that are not `wanted`."""
        kept = [(start, number) for start, number in zip(self._starts, self._numbers) if wanted(number)]
        self._starts = array("q", [start for start, _ in kept])
        self._numbers = array("q", [number for _, number in kept])


@dataclass
class DerivedFit:
    """One fit: its number, the number of its root span, and what is known of it so far."""

    number: int
    root: int
    engine: str
    thread: int
    stage: int
    parent_fit: int | None = None
    parent_span: int | None = None
    epochs: int = 0
    batches: int = 0
    end: int | None = None
    epochs_begun: Begun = field(default_factory=Begun)

    def epoch_at(self, moment: int) -> int:
        """The epoch that ran at a moment, or -1."""
        return self.epochs_begun.at(moment)


class Fits:
    """The fits of one process, in order of their beginning."""

    def __init__(self) -> None:
        self._fits: list[DerivedFit] = []
        self._owners: dict[int, Begun] = defaultdict(Begun)
        self._adopted: set[tuple[int, int]] = set()
        self._room = FITS_FREE

    def make_room(self, stored: int) -> None:
        """Take note of the bytes of the journal that are read: there can be so many more fits."""
        self._room = FITS_FREE + stored // BYTES_PER_FIT

    def have_room(self, spans: SpanArrays, fresh: Flags) -> bool:
        """Whether as many fits may begin as the spans tell."""
        return len(self._fits) + int(np.count_nonzero(spans.root & fresh)) <= self._room

    def begun_by(self, span: int, fit: int) -> DerivedFit | None:
        """The fit of that number, if that span is its root."""
        return self._fits[fit] if self._fits[fit].root == span else None

    def on_other_threads(self, spans: SpanArrays, thread: int) -> Flags:
        """Which spans of `thread` belong to a fit that runs on another thread."""
        threads = np.array([fit.thread for fit in self._fits] + [thread])
        return np.asarray(threads[spans.fit] != thread)

    def lose(self, thread: int) -> None:
        """Forget what is going on in a thread of which records are lost: hooks elsewhere may be of later fits."""
        for begun in self._owners.values():
            begun.keep(lambda fit: self._fits[fit].thread != thread)
        self._adopted = {(owner, fit) for owner, fit in self._adopted if self._fits[fit].thread != thread}

    def count(self, spans: SpanArrays, done: Flags) -> None:
        """Count the epochs and batches that are over, and take note of the fits that are."""
        for index in np.flatnonzero(done & spans.root & (spans.closer >= 0)):
            fit = self.begun_by(int(spans.number[index]), int(spans.fit[index]))
            if fit is not None:
                fit.end = int(spans.end[index])
        is_epoch = (spans.phase == PHASE["epoch"]) & (spans.epoch >= 0)
        counted = np.flatnonzero(done & (is_epoch | (spans.phase == PHASE["batch"])))
        found, which = np.unique(spans.fit[counted], return_inverse=True)
        fits = [self._fits[fit] for fit in found.tolist()]
        own = spans.stage[counted] == np.array([fit.stage for fit in fits], np.int64)[which]
        epochs = np.bincount(which[own & is_epoch[counted]], minlength=len(fits)).tolist()
        batches = np.bincount(which[own & ~is_epoch[counted]], minlength=len(fits)).tolist()
        for fit, more_epochs, more_batches in zip(fits, epochs, batches):
            fit.epochs += more_epochs
            fit.batches += more_batches

    def assign(self, spans: SpanArrays, parsed: Parsed, sites: SiteArrays, thread: int, fresh: Flags) -> None:
        """Give every span its fit, stage, epoch and batch, and take note of the fits that begin.

        A root begins a fit, but for the `evaluate` that a fit validates with.
        """
        parent_phase = np.where(spans.parent >= 0, spans.phase[spans.parent], -1)
        begins = spans.root & (parent_phase != PHASE["validation"])
        begin = np.where(begins & ~fresh, spans.fit, -1)
        for index in np.flatnonzero(begins & fresh):
            begin[index] = len(self._fits)
            engine, stage = sites.engine[spans.site[index]], int(spans.stage[index])
            self._fits.append(DerivedFit(len(self._fits), int(spans.number[index]), engine, thread, stage))
        inherit(spans, begin)
        for index in np.flatnonzero(begins & fresh & (spans.parent >= 0)):
            fit, parent = self._fits[begin[index]], spans.parent[index]
            if spans.fit[parent] >= 0:
                fit.parent_fit, fit.parent_span = int(spans.fit[parent]), int(spans.number[parent])
        epochs = (spans.phase == PHASE["epoch"]) & (spans.epoch >= 0)
        for index in np.flatnonzero(epochs & fresh & (spans.fit >= 0)):
            self._fits[spans.fit[index]].epochs_begun.add(int(spans.start[index]), int(spans.epoch[index]))
        self._adopt(spans, parsed, sites, fresh, begin)

    def _adopt(self, spans: SpanArrays, parsed: Parsed, sites: SiteArrays, fresh: Flags, begin: Indices) -> None:
        """Hooks that run on a thread of their own belong to the fit whose callback list passes them on."""
        lists = np.flatnonzero((parsed.kind[spans.record] == KIND["hooks"]) & fresh)
        owner = parsed.numbers[parsed.start[spans.record[lists]] + _OWNER]
        known = spans.fit[lists] >= 0
        # One entry for each fit and list, not one for each hook.
        pairs, first = np.unique(np.stack([owner[known], spans.fit[lists[known]]]), axis=1, return_index=True)
        for (identity, fit), index in zip(pairs.T.tolist(), lists[known][first].tolist(), strict=True):
            if (identity, fit) not in self._adopted and len(self._adopted) < self._room:
                self._adopted.add((identity, fit))
                self._owners[identity].add(int(spans.start[index]), fit)
        alone = lists[~known & (spans.level[lists] == 1)]
        for index, identity in zip(alone.tolist(), owner[~known & (spans.level[lists] == 1)].tolist(), strict=True):
            start = int(spans.start[index])
            fit = self._owners[identity].at(start) if identity in self._owners else -1
            if fit >= 0 and start <= (self._fits[fit].end or start):
                hook = sites.hooks[sites.hook[spans.site[index]]]
                spans.fit[index] = fit
                spans.stage[index] = next((code for stage, code in STAGE.items() if stage in hook), STAGE["train"])
                if spans.epoch[index] < 0:
                    spans.epoch[index] = self._fits[fit].epoch_at(start)
        if len(alone):
            inherit(spans, begin)
