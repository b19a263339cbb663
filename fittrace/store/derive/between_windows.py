"""The state of a thread between two windows: what is open, and the records that are not derived yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..journal.reader import Records
from .records import Flags, Indices, Parsed
from .site_arrays import KIND, PHASE
from .spans import SpanArrays

_WHOLE = (PHASE["batch"], PHASE["hooks"])
"""Phases whose spans are derived in one window, with everything inside them."""


@dataclass
class OpenState:
    """The state of a thread after a window. The next window parses `numbers` again, before its own records.

    - `numbers`: the repeated records, which opened what is open; then the records that are not derived yet.
    - `spans`: the spans that the repeated records open, in order. A span with number -1 was closed already; parsing it
      again has no effect.
    - `children`: nanoseconds in each span's child spans so far.
    - `waits_since`: the moment of the first record that is not derived yet; None where there is none.
    - `lost`: whether earlier records are lost. Then only calls of `fit` can be understood.
    - `repeated`: how many of `numbers` belong to the repeated records.
    """

    numbers: Records = field(default_factory=lambda: np.empty(0, np.int64))
    spans: SpanArrays | None = None
    children: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    waits_since: int | None = None
    lost: bool = False
    repeated: int = 0

    @property
    def count(self) -> int:
        """How many spans the repeated records open."""
        return 0 if self.spans is None else len(self.spans)

    def restore(self, spans: SpanArrays) -> None:
        """Give the first spans of the next window, which are open already, what was derived of them before."""
        if self.spans is not None:
            for attribute in ("number", "fit", "stage", "epoch", "batch", "last", "size", "first", "turned"):
                getattr(spans, attribute)[: self.count] = getattr(self.spans, attribute)


def complete_records(spans: SpanArrays, parsed: Parsed) -> int:
    """How many structural records to derive now: up to the last one that is not inside a batch or hook.

    The records that open and close a batch or hook are not inside it. So the last one may leave one open.
    """
    whole = np.isin(spans.phase, _WHOLE)
    # `cover` counts the batches and hooks around each record, as a sum of +1 after an opener and -1 at a closer.
    begin, end = spans.record[whole] + 1, spans.closer[whole]
    end = np.where(end < 0, len(parsed.site), end)
    longer = end > begin
    cover = np.zeros(len(parsed.site) + 2, np.int64)
    np.add.at(cover, begin[longer], 1)
    np.add.at(cover, end[longer], -1)
    free = np.flatnonzero(np.cumsum(cover)[: len(parsed.site)] == 0)
    return int(free[-1]) + 1 if len(free) else 0


def state_after(spans: SpanArrays, parsed: Parsed, kept: Flags, children: Indices, rest: Records) -> OpenState:
    """The state after a window.

    Of each open frame it repeats the record that entered it, the records that opened its open spans, its last record,
    and its last `sizes` record.

    - `spans`, `parsed`: the spans and records of the window.
    - `kept`: which spans were not merged into others.
    - `children`: nanoseconds in each span's child spans so far.
    - `rest`: the records that are not derived yet.
    """
    is_open = (spans.closer < 0) & kept
    openers = np.unique(spans.record[is_open])
    frames = np.unique(parsed.frame[openers])
    last = _last_of(frames, parsed.frame)
    structural = np.unique(np.concatenate([openers, frames, last]))
    all_sizes = np.flatnonzero((parsed.annotation_kind == KIND["sizes"]) & np.isin(parsed.annotation_frame, frames))
    sizes = all_sizes[_last_of(np.unique(parsed.annotation_frame[all_sizes]), parsed.annotation_frame[all_sizes])]
    starts = np.sort(np.concatenate([parsed.start[structural], parsed.annotation_start[sizes]]))
    heads = np.append(np.flatnonzero(parsed.numbers < 0), len(parsed.numbers))
    ends = heads[np.searchsorted(heads, starts, "right")]
    pieces = [parsed.numbers[begin:end] for begin, end in zip(starts, ends, strict=True)]
    index = np.flatnonzero(np.isin(spans.record, structural))
    carried = spans.take(index)
    carried.number = np.where(is_open[index], carried.number, -1)
    repeated = sum(len(piece) for piece in pieces)
    return OpenState(np.concatenate([*pieces, rest]), carried, children[index], repeated=repeated)


def _last_of(frames: Indices, frame: Indices) -> Indices:
    """The last index in `frame` of each of `frames`."""
    order = np.argsort(frame, kind="stable")
    return order[np.searchsorted(frame[order], frames, "right") - 1]
