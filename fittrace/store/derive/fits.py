"""Fits: the spans that begin one, and the fit that each span belongs to."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...schema.limits import BYTES_PER_FIT, FITS_FREE
from .records import Flags, Indices, Parsed
from .site_arrays import KIND, PHASE, STAGE, SiteArrays
from .spans import SpanArrays, inherit

_OWNER = 2
"""The index of the operand `owner` in a `hooks` record, from its head on."""


class StartTimes:
    """Numbers, of epochs or of fits, by the time when each began.

    They are in arrays of integers, since there may be as many of them as records.

    >>> starts = StartTimes()
    >>> starts.add(10, 0), starts.add(20, 1)
    (None, None)
    >>> starts.at(5), starts.at(20)
    (-1, 1)
    """

    def __init__(self) -> None:
        self._starts = array("q")
        self._numbers = array("q")

    def add(self, start: int, number: int) -> None:
        """Add a number that begins at `start`."""
        index = bisect_right(self._starts, start)
        self._starts.insert(index, start)
        self._numbers.insert(index, number)

    def at(self, moment: int) -> int:
        """The number that began last before or at a moment; -1: none did."""
        index = bisect_right(self._starts, moment)
        return self._numbers[index - 1] if index else -1

    def keep(self, wanted: Callable[[int], bool]) -> None:
        """Remove the numbers that are not `wanted`."""
        kept = [(start, number) for start, number in zip(self._starts, self._numbers) if wanted(number)]
        self._starts = array("q", [start for start, _ in kept])
        self._numbers = array("q", [number for _, number in kept])


@dataclass
class DerivedFit:
    """One fit, as far as its records are derived.

    - `number`: its number in the process.
    - `root`: the number of its root span, the call of the model's method.
    - `engine`: its engine.
    - `thread`: the number of the thread that called the method.
    - `stage`: the code of its stage: `train` for `fit`, and so on.
    - `parent_fit`, `parent_span`: the fit and the span in which it was called; None: in none.
    - `epochs`, `batches`: how many have ended.
    - `end`: when it ended; None: it has not.
    - `epoch_starts`: when its epochs began.
    - `caller`: the values under `CALLER_KEYS`; empty: they are not known.
    """

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
    epoch_starts: StartTimes = field(default_factory=StartTimes)
    caller: dict[str, float | str] = field(default_factory=dict)

    def epoch_at(self, moment: int) -> int:
        """The epoch that ran at a moment, or -1."""
        return self.epoch_starts.at(moment)


class Fits:
    """The fits of one process, in order of their beginning."""

    def __init__(self) -> None:
        self._fits: list[DerivedFit] = []
        # By the identity of a callback list, the fits that use it. Identities can be reused, hence the times.
        self._owners: dict[int, StartTimes] = defaultdict(StartTimes)
        self._owned: set[tuple[int, int]] = set()  # the pairs in `_owners`
        self._room = FITS_FREE

    def make_room(self, stored: int) -> None:
        """Raise the limit on fits. `stored` are the bytes of the journal that are read."""
        self._room = FITS_FREE + stored // BYTES_PER_FIT

    def have_room(self, spans: SpanArrays, fresh: Flags) -> bool:
        """Whether the fits that begin with `fresh` spans are within the limit."""
        return len(self._fits) + int(np.count_nonzero(spans.root & fresh)) <= self._room

    def with_root(self, span: int, fit: int) -> DerivedFit | None:
        """The fit with the number `fit`, if the span with the number `span` is its root; else None."""
        return self._fits[fit] if self._fits[fit].root == span else None

    def on_other_threads(self, spans: SpanArrays, thread: int) -> Flags:
        """Which spans of `thread` belong to a fit that runs on another thread."""
        threads = np.array([fit.thread for fit in self._fits] + [thread])
        return np.asarray(threads[spans.fit] != thread)

    def lose(self, thread: int) -> None:
        """Forget the callback lists of a thread of which records are lost: later fits may have the same identities."""
        for starts in self._owners.values():
            starts.keep(lambda fit: self._fits[fit].thread != thread)
        self._owned = {(owner, fit) for owner, fit in self._owned if self._fits[fit].thread != thread}

    def count(self, spans: SpanArrays, done: Flags) -> None:
        """Count the epochs and batches among the `done` spans, and set the end of fits among them."""
        for index in np.flatnonzero(done & spans.root & (spans.closer >= 0)):
            fit = self.with_root(int(spans.number[index]), int(spans.fit[index]))
            if fit is not None:
                fit.end = int(spans.end[index])
        is_epoch = (spans.phase == PHASE["epoch"]) & (spans.epoch >= 0)
        counted = np.flatnonzero(done & (is_epoch | (spans.phase == PHASE["batch"])))
        numbers, which = np.unique(spans.fit[counted], return_inverse=True)
        fits = [self._fits[fit] for fit in numbers.tolist()]
        # Validation batches are not counted as batches of the fit.
        own = spans.stage[counted] == np.array([fit.stage for fit in fits], np.int64)[which]
        epochs = np.bincount(which[own & is_epoch[counted]], minlength=len(fits)).tolist()
        batches = np.bincount(which[own & ~is_epoch[counted]], minlength=len(fits)).tolist()
        for fit, more_epochs, more_batches in zip(fits, epochs, batches):
            fit.epochs += more_epochs
            fit.batches += more_batches

    def assign(self, spans: SpanArrays, parsed: Parsed, sites: SiteArrays, thread: int, fresh: Flags) -> None:
        """Give every span its fit, stage, epoch and batch, and add the fits that begin.

        A root begins a fit, but not the `evaluate` that a fit calls for validation.

        - `spans`, `parsed`: the spans and records of a window of `thread`.
        - `sites`: all sites.
        - `fresh`: which spans were not open before the window.
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
            self._fits[spans.fit[index]].epoch_starts.add(int(spans.start[index]), int(spans.epoch[index]))
        self._assign_other_threads(spans, parsed, sites, fresh, begin)

    def _assign_other_threads(
        self, spans: SpanArrays, parsed: Parsed, sites: SiteArrays, fresh: Flags, begin: Indices
    ) -> None:
        """Give hooks on a thread of their own the fit whose callback list passes them on.

        - `begin`: the number of the fit that each span begins; -1: none.

        The other parameters are those of `assign`.
        """
        lists = np.flatnonzero((parsed.kind[spans.record] == KIND["hooks"]) & fresh)
        owner = parsed.numbers[parsed.start[spans.record[lists]] + _OWNER]
        known = spans.fit[lists] >= 0
        # One entry for each fit and list, not one for each hook.
        pairs, first = np.unique(np.stack([owner[known], spans.fit[lists[known]]]), axis=1, return_index=True)
        for (identity, fit), index in zip(pairs.T.tolist(), lists[known][first].tolist(), strict=True):
            if (identity, fit) not in self._owned and len(self._owned) < self._room:
                self._owned.add((identity, fit))
                self._owners[identity].add(int(spans.start[index]), fit)
        is_outermost = ~known & (spans.level[lists] == 1)
        outermost = lists[is_outermost]
        for index, identity in zip(outermost.tolist(), owner[is_outermost].tolist(), strict=True):
            start = int(spans.start[index])
            fit = self._owners[identity].at(start) if identity in self._owners else -1
            if fit >= 0 and start <= (self._fits[fit].end or start):
                # The name of a hook says its stage: `on_test_batch_end`.
                hook = sites.hooks[sites.hook[spans.site[index]]]
                spans.fit[index] = fit
                spans.stage[index] = next((code for stage, code in STAGE.items() if stage in hook), STAGE["train"])
                if spans.epoch[index] < 0:
                    spans.epoch[index] = self._fits[fit].epoch_at(start)
        if len(outermost):
            inherit(spans, begin)
