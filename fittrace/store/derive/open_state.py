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
    """The records that opened what is open, then those that are not worked on yet.

    `spans` are what the former open, in order; one with number -1 was closed already, and opens again to no effect.
    `children` is the time in child spans so far. `waits_since` is the moment of the first record that is not worked on
    yet. `lost`: records before are lost, and only calls of `fit` can be made sense of. `repeated` are how many numbers
    at the beginning belong to the former.
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
        """Let the first spans of a new window be what they were in the one before."""
        if self.spans is not None:
            for fact in ("number", "fit", "stage", "epoch", "batch", "last", "size", "first", "turned"):
                getattr(spans, fact)[: self.count] = getattr(self.spans, fact)


def cut(spans: SpanArrays, parsed: Parsed) -> int:
    """How many structural records to work on: up to the last after which no batch and no hook is under way.

    What the last of them has just opened may be open.
    """
    whole = np.isin(spans.phase, _WHOLE)
    begin, end = spans.record[whole] + 1, spans.closer[whole]
    end = np.where(end < 0, len(parsed.site), end)
    longer = end > begin
    cover = np.zeros(len(parsed.site) + 2, np.int64)
    np.add.at(cover, begin[longer], 1)
    np.add.at(cover, end[longer], -1)
    free = np.flatnonzero(np.cumsum(cover)[: len(parsed.site)] == 0)
    return int(free[-1]) + 1 if len(free) else 0


def carry(spans: SpanArrays, parsed: Parsed, kept: Flags, children: Indices, rest: Records) -> OpenState:
    """What has to be carried on: of each open frame the record that entered it, those that opened its open spans,
    its last one, and what it last said about its batches; then `rest`, which nobody has looked at yet."""
    is_open = (spans.closer < 0) & kept
    openers = np.unique(spans.record[is_open])
    frames = np.unique(parsed.frame[openers])
    last = _last_of(frames, parsed.frame)
    structural = np.unique(np.concatenate([openers, frames, last]))
    told = np.flatnonzero((parsed.loose_kind == KIND["sizes"]) & np.isin(parsed.loose_frame, frames))
    sizes = told[_last_of(np.unique(parsed.loose_frame[told]), parsed.loose_frame[told])]
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
