"""The span that a fit was in when an exception ended it, or when the recording ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .records import Flags
from .spans import SpanArrays


@dataclass(frozen=True)
class EndPosition:
    """Where a fit ended, as far as its records are derived.

    - `span`: the innermost span that failed or is open, as an array of one.
    - `around`: the number of the span around the outermost span that failed with it so far; -1: none.
    """

    span: SpanArrays
    around: int


def follow_failures(spans: SpanArrays, closed: Flags, positions: dict[int, EndPosition]) -> None:
    """Follow exceptions on their way out of a fit's spans.

    - `spans`, `closed`: the spans of a window, and which of them are closed and count.
    - `positions`: by fit, where its latest exception came from. It is brought up to date.
    """
    parent = spans.parent
    is_outermost = (parent < 0) | (spans.fit[parent] != spans.fit)
    # An exception that a hook catches does not end the fit. So a failed span counts only if the span around it fails
    # too, or is still open and may fail yet.
    goes_on = is_outermost | spans.failed[parent] | ~closed[parent]
    failed = np.flatnonzero(closed & spans.failed & (spans.fit >= 0) & goes_on)
    # In order of closing: one record may close several spans, the innermost first.
    for span in failed[np.lexsort((-spans.level[failed], spans.closer[failed]))].tolist():
        fit = int(spans.fit[span])
        before = positions.get(fit)
        if before is not None and before.around == spans.number[span]:
            # The exception that left a span inside this one now leaves this one.
            positions[fit] = EndPosition(before.span, _parent_number(spans, span))
        else:
            positions[fit] = _at(spans, span)


def note_open_spans(spans: SpanArrays, counted: Flags, positions: dict[int, EndPosition]) -> None:
    """Set `positions`, by fit, to the innermost open span, among the `counted` ones."""
    # Open spans contain each other in the order of the arrays, so the last one of a fit is its innermost.
    for span in np.flatnonzero((spans.closer < 0) & counted & (spans.fit >= 0)).tolist():
        positions[int(spans.fit[span])] = _at(spans, span)


def _at(spans: SpanArrays, index: int) -> EndPosition:
    return EndPosition(spans.take(np.array([index])), _parent_number(spans, index))


def _parent_number(spans: SpanArrays, index: int) -> int:
    parent = int(spans.parent[index])
    return int(spans.number[parent]) if parent >= 0 else -1
