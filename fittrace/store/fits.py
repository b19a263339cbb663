"""Fits: which spans begin one, and which spans are its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from .records import Indices, Parsed
from .sites import KIND, PHASE, STAGE, Sites
from .spans import Flags, Spans, inherit

_OWNER = 2  # where, after its head, a record of kind `hooks` has its owner


@dataclass
class Fit:
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
    epoch_starts: list[tuple[int, int]] = field(default_factory=list)

    def epoch_at(self, moment: int) -> int:
        """The epoch that ran at a moment, or -1."""
        return next((epoch for start, epoch in reversed(self.epoch_starts) if start <= moment), -1)


class Fits:
    """The fits of one process, in order of their beginning."""

    def __init__(self) -> None:
        self._fits: list[Fit] = []
        self._owners: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def begun_by(self, span: int, fit: int) -> Fit | None:
        """The fit of that number, if that span is its root."""
        return self._fits[fit] if self._fits[fit].root == span else None

    def beside(self, spans: Spans, thread: int) -> Flags:
        """Which of the spans of a thread belong to a fit that runs on another."""
        threads = np.array([fit.thread for fit in self._fits] + [thread])
        return np.asarray(threads[spans.fit] != thread)

    def lose(self, thread: int) -> None:
        """Forget what is going on in a thread of which records are lost: hooks elsewhere may be of later fits."""
        for entries in self._owners.values():
            entries[:] = [(since, fit) for since, fit in entries if self._fits[fit].thread != thread]

    def count(self, spans: Spans, done: Flags) -> None:
        """Count the epochs and batches that are over, and take note of the fits that are."""
        for index in np.flatnonzero(done & spans.root & (spans.closer >= 0)):
            fit = self.begun_by(int(spans.number[index]), int(spans.fit[index]))
            if fit is not None:
                fit.end = int(spans.end[index])
        for fit in np.unique(spans.fit[done]):
            mine = done & (spans.fit == fit) & (spans.stage == self._fits[fit].stage)
            self._fits[fit].epochs += int(np.count_nonzero(mine & (spans.phase == PHASE["epoch"]) & (spans.epoch >= 0)))
            self._fits[fit].batches += int(np.count_nonzero(mine & (spans.phase == PHASE["batch"])))

    def assign(self, spans: Spans, parsed: Parsed, sites: Sites, thread: int, fresh: Flags) -> None:
        """Give every span its fit, stage, epoch and batch, and take note of the fits that begin.

        A root begins a fit, but for the `evaluate` that a fit validates with.
        """
        parent_phase = np.where(spans.parent >= 0, spans.phase[spans.parent], -1)
        begins = spans.root & (parent_phase != PHASE["validation"])
        begin = np.where(begins & ~fresh, spans.fit, -1)
        for index in np.flatnonzero(begins & fresh):
            begin[index] = len(self._fits)
            engine, stage = sites.engine[spans.site[index]], int(spans.stage[index])
            self._fits.append(Fit(len(self._fits), int(spans.number[index]), engine, thread, stage))
        inherit(spans, begin)
        for index in np.flatnonzero(begins & fresh & (spans.parent >= 0)):
            fit, parent = self._fits[begin[index]], spans.parent[index]
            if spans.fit[parent] >= 0:
                fit.parent_fit, fit.parent_span = int(spans.fit[parent]), int(spans.number[parent])
        epochs = (spans.phase == PHASE["epoch"]) & (spans.epoch >= 0)
        for index in np.flatnonzero(epochs & fresh & (spans.fit >= 0)):
            self._fits[spans.fit[index]].epoch_starts.append((int(spans.start[index]), int(spans.epoch[index])))
        self._adopt(spans, parsed, sites, fresh, begin)

    def _adopt(self, spans: Spans, parsed: Parsed, sites: Sites, fresh: Flags, begin: Indices) -> None:
        """Hooks that run on a thread of their own belong to the fit whose callback list passes them on."""
        lists = np.flatnonzero((parsed.kind[spans.record] == KIND["hooks"]) & fresh)
        owner = parsed.numbers[parsed.start[spans.record[lists]] + _OWNER]
        known = spans.fit[lists] >= 0
        # One entry for each fit and list, not one for each hook.
        pairs, first = np.unique(np.stack([owner[known], spans.fit[lists[known]]]), axis=1, return_index=True)
        for (identity, fit), index in zip(pairs.T.tolist(), lists[known][first].tolist(), strict=True):
            entry = self._owners[identity]
            if all(fit != known_fit for _, known_fit in entry):
                entry.append((int(spans.start[index]), fit))
        alone = lists[~known & (spans.level[lists] == 1)]
        for index, identity in zip(alone.tolist(), owner[~known & (spans.level[lists] == 1)].tolist(), strict=True):
            start = int(spans.start[index])
            _, fit = max(((since, fit) for since, fit in self._owners[identity] if since <= start), default=(0, -1))
            if fit >= 0 and start <= (self._fits[fit].end or start):
                hook = sites.hooks[sites.hook[spans.site[index]]]
                spans.fit[index] = fit
                spans.stage[index] = next((code for stage, code in STAGE.items() if stage in hook), STAGE["train"])
                if spans.epoch[index] < 0:
                    spans.epoch[index] = self._fits[fit].epoch_at(start)
        if len(alone):
            inherit(spans, begin)
