"""Stops: what the model's `stop_training` became, and whose hook did it, out of the `stop` records of one thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..journal.definitions import KnownDefinitions
from .hooks import hooks_passed
from .records import Indices, Parsed
from .site_arrays import KIND
from .spans import SpanArrays


@dataclass(frozen=True)
class Stops:
    """Each change: the `value` that came of it, and the index of the `span` of the hook that did it, or else of the
    `CallbackList.on_*` before whose hooks it was seen."""

    span: Indices
    value: list[str]


def stops_of(spans: SpanArrays, parsed: Parsed, container: Indices, definitions: KnownDefinitions) -> Stops:
    """The changes that the records of a window tell.

    `container` is, for each record that enters a frame, the frame's span.
    """
    told = np.flatnonzero(parsed.loose_kind == KIND["stop"])
    found, values = [], []
    position = hooks_passed(parsed, told) - 1
    hook_spans = np.flatnonzero(parsed.kind[spans.record] == KIND["hook"]) if len(told) else told
    of_frame = parsed.frame[spans.record[hook_spans]]
    hook_spans = hook_spans[np.argsort(of_frame, kind="stable")]
    first = np.searchsorted(np.sort(of_frame), parsed.loose_frame[told])
    for one, place, begin in zip(told.tolist(), position.tolist(), first.tolist()):
        span = int(container[int(parsed.loose_frame[one])])
        if place >= 0:
            span = int(hook_spans[begin + place])
        if span >= 0 and spans.fit[span] >= 0:
            text = int(parsed.numbers[parsed.loose_start[one] + 1])
            known = definitions.texts[text] if text < len(definitions.texts) else None
            found.append(span)
            values.append(str(known["value"]) if known is not None else "(lost)")
    return Stops(np.array(found, np.int64), values)
