"""Stops: the changes of the model's `stop_training`, and the hooks that made them, from the `stop` records."""

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
    """The changes of `stop_training`.

    - `span`: of each, the index of the span of the callback's hook that made it. Where it was seen before the first
      hook of a `CallbackList.on_*`, that of the `CallbackList.on_*`.
    - `value`: of each, the new value as text.
    """

    span: Indices
    value: list[str]


def stops_of(spans: SpanArrays, parsed: Parsed, frame_span: Indices, definitions: KnownDefinitions) -> Stops:
    """The changes of `stop_training` in a window.

    `frame_span` is, for each record that enters a frame, the index of the frame's span.
    """
    changes = np.flatnonzero(parsed.annotation_kind == KIND["stop"])
    changed_in, values = [], []
    position = hooks_passed(parsed, changes) - 1
    hook_spans = np.flatnonzero(parsed.kind[spans.record] == KIND["hook"]) if len(changes) else changes
    of_frame = parsed.frame[spans.record[hook_spans]]
    hook_spans = hook_spans[np.argsort(of_frame, kind="stable")]
    # Where the hooks of each change's frame begin in `hook_spans`, which is sorted by frame.
    first = np.searchsorted(np.sort(of_frame), parsed.annotation_frame[changes])
    for change, nth_hook, begin in zip(changes.tolist(), position.tolist(), first.tolist()):
        span = int(frame_span[int(parsed.annotation_frame[change])])
        if nth_hook >= 0:
            span = int(hook_spans[begin + nth_hook])
        if span >= 0 and spans.fit[span] >= 0:
            changed_in.append(span)
            values.append(definitions.text(int(parsed.numbers[parsed.annotation_start[change] + 1])))
    return Stops(np.array(changed_in, np.int64), values)
