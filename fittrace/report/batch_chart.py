"""A small chart of the time of a fit's batches, stacked by phase, for static HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis.units import amount, duration
from ..schema.tables import PHASES
from ..tables import TraceTables
from .model.batch_columns import BatchColumns, Floats

MOST_BARS = 120
"""Bars of a chart. A bar of a longer fit is the mean of several batches."""
_WIDTH, _HEIGHT = 600, 60
_HEADROOM = 3
"""How many times the median bar the axis goes up to. A first batch that takes seconds would hide the others."""

# Told apart with the common kinds of colour blindness (after Okabe and Ito), on white and on black.
_COLOURS = {
    "between": "#8b939c",
    "slice": "#e69f00",
    "to_dense": "#b07aa1",
    "function": "#2186c6",
    "logs": "#56b4e9",
    "hooks": "#d55e00",
    "other": "#a3aab2",
}
_TITLES = {"between": "the time since the batch before, or since the start", "other": "the rest of the batch"}


@dataclass(frozen=True)
class Layer:
    """The bars of one phase.

    - `name`: the phase.
    - `title`: what it is.
    - `colour`: of the bars.
    - `path`: the bars, as an SVG path.
    """

    name: str
    title: str
    colour: str
    path: str


@dataclass(frozen=True)
class BatchChart:
    """The chart of one fit.

    - `width`, `height`: of its coordinates.
    - `label`: what it shows, in words.
    - `layers`: the bars of each phase, the lowest first.
    """

    width: int
    height: int
    label: str
    layers: list[Layer]


def batch_chart(trace: TraceTables, facts: Mapping[str, Any]) -> BatchChart | None:
    """The chart of a fit, whose row of `fits` is `facts`; None if it has no batch."""
    columns = BatchColumns(trace, facts)
    if not columns.count:
        return None
    every = -(-columns.count // MOST_BARS)
    means = {phase: _means(times, every) for phase, times in columns.times().items() if times.any()}
    tops = sum(means.values(), np.zeros(-(-columns.count // every)))
    highest = float(tops.max())
    top = min(highest, _HEADROOM * float(np.median(tops))) or 1.0  # all times may be 0
    return BatchChart(_WIDTH, _HEIGHT, _label(columns.count, every, top, highest), _layers(means, top))


def _means(times: Floats, every: int) -> Floats:
    """The mean of each `every` batches."""
    firsts = np.arange(0, len(times), every)
    means: Floats = np.add.reduceat(times, firsts) / np.diff(np.r_[firsts, len(times)])
    return means


def _label(batches: int, every: int, top: float, highest: float) -> str:
    bar = "a bar for each" if every == 1 else f"a bar for each {every:,}, their mean"
    cut = f", higher bars are cut off (highest {duration(highest)})" if highest > top else ""
    return f"{amount(batches, 'batch', 'batches')}, {bar}; axis up to {duration(top)}{cut}"


def _layers(means: Mapping[str, Floats], top: float) -> list[Layer]:
    lower = np.zeros_like(next(iter(means.values()), np.zeros(0)))
    layers = []
    for phase, values in means.items():
        upper = lower + values
        title = _TITLES.get(phase) or PHASES[phase].replace("`", "")
        layers.append(Layer(phase, title, _COLOURS.get(phase, _COLOURS["other"]), _path(lower / top, upper / top)))
        lower = upper
    return layers


def _path(lower: Floats, upper: Floats) -> str:
    """Bars between two shares of the height, which are cut off at 1."""
    step = _WIDTH / len(lower)
    y_lower, y_upper = ((1 - np.minimum(shares, 1)) * _HEIGHT for shares in (lower, upper))
    return "".join(
        f"M{index * step:.1f} {bottom:.1f}h{step:.1f}V{top:.1f}h{-step:.1f}z"
        for index, (bottom, top) in enumerate(zip(y_lower, y_upper, strict=True))
        if bottom - top >= 0.05
    )
