"""Hooks: which hook a span is of, and its position in the callback list."""

from __future__ import annotations

import numpy as np

from ...schema.limits import LONGEST_NAME
from ...schema.record_kinds import ENTER_FRAMES
from ..journal.definitions import KnownDefinitions
from .records import Indices, Parsed
from .site_arrays import KIND, SiteArrays, codes
from .spans import SpanArrays

_HOOK = KIND["hook"]
_ENTER_FRAMES = codes(ENTER_FRAMES)


def place_hooks(spans: SpanArrays, parsed: Parsed) -> Indices:
    """Give each hook its callback's position in the list: how many hooks its frame passed on before.

    Returns, for each record that enters a frame, the frame's own span; -1 for other records.
    """
    container = np.full(len(parsed.site), -1)
    enters = np.flatnonzero(np.isin(parsed.kind[spans.record], _ENTER_FRAMES))
    container[spans.record[enters]] = enters
    hooks = np.flatnonzero(parsed.kind[spans.record] == _HOOK)
    frame = parsed.frame[spans.record[hooks]]
    order = np.argsort(frame, kind="stable")
    grouped = frame[order]
    first = np.searchsorted(grouped, grouped)
    spans.position[hooks[order]] = np.arange(len(order)) - first
    return container


def hooks_passed(parsed: Parsed, loose: Indices) -> Indices:
    """How many hooks the frame of each of the `loose` records had passed on before it."""
    hook_records = np.flatnonzero(parsed.kind == _HOOK)
    width = len(parsed.site) + 1
    passed = np.sort(parsed.frame[hook_records] * width + hook_records)
    frame = parsed.loose_frame[loose]
    before = np.searchsorted(passed, frame * width + parsed.loose_before[loose])
    return before - np.searchsorted(passed, frame * width)


def name_hooks(
    spans: SpanArrays, parsed: Parsed, container: Indices, sites: SiteArrays, definitions: KnownDefinitions
) -> list[str]:
    """Give spans their hooks where the site does not say which, after what the record said.

    Returns the names that the hooks' numbers stand for.
    """
    numbered = {name: number for number, name in enumerate(sites.hooks)}
    told = np.flatnonzero(parsed.loose_kind == KIND["named"])
    text = parsed.numbers[parsed.loose_start[told] + 1]
    owner = container[parsed.loose_frame[told]]
    found, which = np.unique(text, return_inverse=True)
    codes = [numbered.setdefault(_name(number, definitions), len(numbered)) for number in found.tolist()]
    known = owner >= 0
    spans.hook[owner[known]] = np.array(codes, np.int64)[which][known]
    names = list(numbered)
    single = np.flatnonzero((parsed.kind[spans.record] == _HOOK) & (spans.hook < 0))
    spans.hook[single] = spans.hook[container[parsed.frame[spans.record[single]]]]
    if np.any(spans.hook[single] < 0):
        names.append("(lost)")
        spans.hook[single] = np.where(spans.hook[single] < 0, len(names) - 1, spans.hook[single])
    return names


def _name(text: int, definitions: KnownDefinitions) -> str:
    known = definitions.texts[text] if text < len(definitions.texts) else None
    return str(known["value"])[:LONGEST_NAME] if known is not None else "(lost)"
