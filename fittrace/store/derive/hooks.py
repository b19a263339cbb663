"""The hook that a span belongs to, and the position of its callback in the callback list."""

from __future__ import annotations

import numpy as np

from ...schema.limits import LONGEST_NAME
from ...schema.record_kinds import ENTER_FRAMES
from ..journal.definitions import LOST, KnownDefinitions
from .records import Indices, Parsed
from .site_arrays import KIND, SiteArrays, codes
from .spans import SpanArrays

_HOOK = KIND["hook"]
_ENTER_FRAMES = codes(ENTER_FRAMES)


def set_hook_positions(spans: SpanArrays, parsed: Parsed) -> Indices:
    """Set `spans.position` of callbacks' hooks: the callback's position is the number of hooks before in its frame.

    Returns `frame_span`: for each record that enters a frame, the index of the span that it opens; -1 for other
    records.
    """
    frame_span = np.full(len(parsed.site), -1)
    enters = np.flatnonzero(np.isin(parsed.kind[spans.record], _ENTER_FRAMES))
    frame_span[spans.record[enters]] = enters
    hooks = np.flatnonzero(parsed.kind[spans.record] == _HOOK)
    frame = parsed.frame[spans.record[hooks]]
    order = np.argsort(frame, kind="stable")
    grouped = frame[order]
    first = np.searchsorted(grouped, grouped)
    spans.position[hooks[order]] = np.arange(len(order)) - first
    return frame_span


def hooks_passed(parsed: Parsed, annotations: Indices) -> Indices:
    """How many callbacks' hooks began in the frame of each annotation before it; `annotations` are their indices."""
    hook_records = np.flatnonzero(parsed.kind == _HOOK)
    # One sorted array holds pairs of frame and record, as frame * width + record. So one search counts within a frame.
    width = len(parsed.site) + 1
    hook_keys = np.sort(parsed.frame[hook_records] * width + hook_records)
    frame = parsed.annotation_frame[annotations]
    before = np.searchsorted(hook_keys, frame * width + parsed.annotation_before[annotations])
    return before - np.searchsorted(hook_keys, frame * width)


def set_hook_names(
    spans: SpanArrays, parsed: Parsed, frame_span: Indices, sites: SiteArrays, definitions: KnownDefinitions
) -> list[str]:
    """Set `spans.hook` where the site does not name the hook but a `named` record does.

    A callback's hook without a name gets that of the `CallbackList.on_*` around it. Returns the names that the codes in
    `spans.hook` stand for.
    """
    code_of = {name: code for code, name in enumerate(sites.hooks)}
    named = np.flatnonzero(parsed.annotation_kind == KIND["named"])
    text = parsed.numbers[parsed.annotation_start[named] + 1]
    span = frame_span[parsed.annotation_frame[named]]
    texts, which = np.unique(text, return_inverse=True)
    text_names = [definitions.text(number)[:LONGEST_NAME] for number in texts.tolist()]
    text_codes = [code_of.setdefault(name, len(code_of)) for name in text_names]
    known = span >= 0
    spans.hook[span[known]] = np.array(text_codes, np.int64)[which][known]
    names = list(code_of)
    nameless = np.flatnonzero((parsed.kind[spans.record] == _HOOK) & (spans.hook < 0))
    spans.hook[nameless] = spans.hook[frame_span[parsed.frame[spans.record[nameless]]]]
    if np.any(spans.hook[nameless] < 0):
        names.append(LOST)
        spans.hook[nameless] = np.where(spans.hook[nameless] < 0, len(names) - 1, spans.hook[nameless])
    return names
