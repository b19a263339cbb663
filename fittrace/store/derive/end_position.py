"""Where a fit stood when an exception left it, or when the recording ended: in which of its spans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .spans import Flags, SpanArrays


@dataclass(frozen=True)
class Standing:
    """The innermost span, as an array of one, and the number of the span around those that ended with it so far, -1
    where there is none."""

    span: SpanArrays
    around: int


def left(spans: SpanArrays, closed: Flags, last: dict[int, Standing]) -> None:
    """Follow in `last`, by fit, exceptions on their way out: through spans that fail one after the other.

    An exception that a hook catches goes no further. So a span counts only where what is around it, in its fit, fails
    too or is still open.
    """
    around = spans.parent
    is_outermost = (around < 0) | (spans.fit[around] != spans.fit)
    goes_on = is_outermost | spans.failed[around] | ~closed[around]
    index = np.flatnonzero(closed & spans.failed & (spans.fit >= 0) & goes_on)
    for one in index[np.lexsort((-spans.level[index], spans.closer[index]))].tolist():
        fit = int(spans.fit[one])
        before = last.get(fit)
        if before is not None and before.around == spans.number[one]:
            last[fit] = Standing(before.span, _around(spans, one))
        else:
            last[fit] = _at(spans, one)


def unfinished(spans: SpanArrays, kept: Flags, last: dict[int, Standing]) -> None:
    """Take note in `last`, by fit, of the innermost span that is open."""
    # Spans that are open are inside each other, in this order.
    for one in np.flatnonzero((spans.closer < 0) & kept & (spans.fit >= 0)).tolist():
        last[int(spans.fit[one])] = _at(spans, one)


def _at(spans: SpanArrays, index: int) -> Standing:
    return Standing(spans.take(np.array([index])), _around(spans, index))


def _around(spans: SpanArrays, index: int) -> int:
    parent = int(spans.parent[index])
    return int(spans.number[parent]) if parent >= 0 else -1
