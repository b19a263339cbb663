"""What is open in a thread between two windows of its records."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..journal.reader import Records
from .records import Indices, Parsed
from .site_arrays import KIND, PHASE
from .spans import Flags, SpanArrays

_WHOLE = (PHASE["batch"], PHASE["hooks"])
"""Phases whose spans are worked on in one window, with all that is in them."""


@dataclass
class OpenState:
    """What the next window needs to go on from this one.

    - `numbers`: the records that opened what is open, then those that are not worked on yet.
    - `repeated`: how many of these numbers belong to the former records.
    - `spans`: what the former open, in order. One with number -1 was closed already; it opens again to no effect.
    - `children`: the time in each span's child spans so far.
    - `waits_since`: the moment of the first record that is not worked on yet; None where there is none.
    - `lost`: whether records before are lost. Then only calls of `fit` can be made sense of.
    """

    numbers: Records = field(default_factory=lambda: np.empty(0, np.int64))
    spans: SpanArrays | None = None
    children: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    waits_since: int | None = None
    lost: bool = False
    repeated: int = 0

    @property
    def count(self) -> int:
        """How many spans are carried."""
        return 0 if self.spans is None else len(self.spans)

    def hand_over(self, spans: SpanArrays) -> None:
        """Let the first spans of a new window keep what was found of them in the one before."""
        if self.spans is not None:
            for fact in ("number", "fit", "stage", "epoch", "batch", "last", "size", "first", "turned"):
                getattr(spans, fact)[: self.count] = getattr(self.spans, fact)


def cut(spans: SpanArrays, parsed: Parsed) -> int:
    """How many structural records to work on: up to the last after which no batch and no hook is under way.

    A batch or hook that the last of them opens may be open.
    """
    whole = np.isin(spans.phase, _WHOLE)
    # Batches and hooks that are under way: one more after each that begins, one less where it ends.
    begin, end = spans.record[whole] + 1, spans.closer[whole]
    end = np.where(end < 0, len(parsed.site), end)
    longer = end > begin
    cover = np.zeros(len(parsed.site) + 2, np.int64)
    np.add.at(cover, begin[longer], 1)
    np.add.at(cover, end[longer], -1)
    free = np.flatnonzero(np.cumsum(cover)[: len(parsed.site)] == 0)
    return int(free[-1]) + 1 if len(free) else 0


def carry(spans: SpanArrays, parsed: Parsed, kept: Flags, children: Indices, rest: Records) -> OpenState:
    """The state after a window.

    Of each open frame it carries the record that entered it, those that opened its open spans, its last one, and what
    it last said about its batches. Then comes `rest`, which is not worked on yet.

    - `kept`: which of the spans are spans of their own.
    - `children`: the time in each span's child spans so far.
    """
    is_open = (spans.closer < 0) & kept
    openers = np.unique(spans.record[is_open])
    frames = np.unique(parsed.frame[openers])
    last = _last_of(frames, parsed.frame)
    structural = np.unique(np.concatenate([openers, frames, last]))
    all_sizes = np.flatnonzero((parsed.loose_kind == KIND["sizes"]) & np.isin(parsed.loose_frame, frames))
    sizes = all_sizes[_last_of(np.unique(parsed.loose_frame[all_sizes]), parsed.loose_frame[all_sizes])]
    starts = np.sort(np.concatenate([parsed.start[structural], parsed.loose_start[sizes]]))
    heads = np.append(np.flatnonzero(parsed.numbers < 0), len(parsed.numbers))
    ends = heads[np.searchsorted(heads, starts, "right")]
    pieces = [parsed.numbers[begin:end] for begin, end in zip(starts, ends, strict=True)]
    index = np.flatnonzero(np.isin(spans.record, structural))
    taken = spans.take(index)
    taken.number = np.where(is_open[index], taken.number, -1)
    repeated = sum(len(piece) for piece in pieces)
    return OpenState(np.concatenate([*pieces, rest]), taken, children[index], repeated=repeated)


def _last_of(frames: Indices, frame: Indices) -> Indices:
    """Where in `frame` each of `frames` stands last."""
    order = np.argsort(frame, kind="stable")
    return order[np.searchsorted(frame[order], frames, "right") - 1]
