"""The parts of a fit's time by phase, as the page draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...analysis.verdict.figures import FitFigures
from ...schema.tables import OWN_STAGE

DRAWN = 0.005
"""Parts below this share are drawn together as `other`: they would be thinner than a line."""

_LABELS = {
    "function": "function",
    "building": "first batches",
    "validation": "function in validation",
    "hooks": "hooks",
    "slice": "data",
    "to_dense": "to_dense",
    "logs": "logs",
    "prepare": "preparing",
    "other": "other",
}
"""The parts, in the order in which they are drawn, with their labels."""

_PARTS_BY_PHASE = {
    "function": "function",
    "hooks": "hooks",
    "slice": "slice",
    "make_batches": "slice",
    "to_dense": "to_dense",
    "logs": "logs",
    "prepare": "prepare",
    "configure_callbacks": "prepare",
    "shuffle": "prepare",
    "stop": "prepare",
}
"""The part that a phase counts to. All other phases are the loops and calls around these: they count to `other`."""


@dataclass(frozen=True)
class Part:
    """A part of a fit's time.

    - `key`: its name in the style sheet.
    - `label`: its name for the reader.
    - `title`: what is in it.
    - `ns`: the time, in nanoseconds.
    """

    key: str
    label: str
    title: str
    ns: float


def time_parts(phases: Iterable[Mapping[str, Any]], figures: FitFigures) -> list[Part]:
    """All parts of a fit's time, in the order in which they are drawn. Together they are the time of the fit's thread.

    - `phases`: rows with `phase`, `stage` and `self`, the time in the phase without the phases inside it.
    - `figures`: the figures of the fit's verdict.
    """
    sums = _sums(phases, figures)
    whole = sum(sums.values())
    titles = _titles(figures)
    drawn = {key: ns for key, ns in sums.items() if key != "other" and ns > 0 and ns >= DRAWN * whole}
    drawn["other"] = whole - sum(drawn.values())
    return [Part(key, _LABELS[key], titles[key], drawn[key]) for key in _LABELS if drawn.get(key, 0) > 0]


def _sums(phases: Iterable[Mapping[str, Any]], figures: FitFigures) -> dict[str, float]:
    """The time of each part. The first batches' excess is taken out of the function's."""
    sums = dict.fromkeys(_LABELS, 0.0)
    for row in phases:
        part = _PARTS_BY_PHASE.get(row["phase"], "other")
        in_function = row["phase"] == "function"
        is_validation = in_function and row["stage"] != OWN_STAGE.get(figures.method)
        # Spans of other threads overlap with the fit's and have no time of their own here.
        part_ns = max(float(row["self"] or 0), 0.0)
        if in_function and row["stage"] in figures.batches:
            building_ns = min(figures.batches[row["stage"]].first_ns, part_ns)
            sums["building"] += building_ns
            part_ns -= building_ns
        sums["validation" if is_validation else part] += part_ns
    return sums


def _titles(figures: FitFigures) -> dict[str, str]:
    fetch = ", with the fetch of data inside it" if figures.fetches_inside else ""
    return {
        "function": f"computing{fetch}: the backend's function in the batches",
        "building": "what the first batch of each stage took above the median of the others: it builds the function",
        "validation": "the backend's function in the batches of the validation",
        "hooks": "CallbackList.on_* and the hooks of the callbacks",
        "slice": "making and fetching batches in Python: the phases make_batches and slice",
        "to_dense": "turning sparse inputs dense",
        "logs": "turning what the function returned into logs",
        "prepare": "the phases prepare, configure_callbacks, shuffle and stop",
        "other": "the loops of the engine, and all that is too small to be drawn",
    }
