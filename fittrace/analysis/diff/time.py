"""The time of each phase in two fits, as a ratio, and how far chance alone may have brought it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .model import Fit, PhaseTime

_BLOCKS = 10
_LEAST = 12
"""Spans from which on noise can be told."""

Floats = npt.NDArray[np.float64]


def phase_times(number: int, a: Fit, b: Fit, tolerance: float) -> Iterator[PhaseTime]:
    """The time of each phase that both fits of the pair `number` have; the longest in A first.

    It differs where the ratio is beyond `1 + tolerance`, either way, even if chance had its largest part in it.
    """
    durations_a, durations_b = _durations(a), _durations(b)
    common = [phase for phase in durations_a if phase in durations_b]
    for phase in sorted(common, key=lambda phase: -float(durations_a[phase].sum())):
        one, other = durations_a[phase], durations_b[phase]
        median_a, median_b = float(np.median(one)), float(np.median(other))
        ratio = median_b / median_a if median_a else 1.0
        noise = _noise(one, other)
        distance = abs(np.log(ratio)) if ratio > 0 else np.inf
        differs = noise is not None and bool(distance > np.log1p(tolerance) + np.log(noise))
        yield PhaseTime(
            number, phase, len(one), len(other), round(median_a), round(median_b), float(ratio), noise, differs
        )


def _durations(fit: Fit) -> dict[str, Floats]:
    """The durations of the spans of each phase, in order of time, without those that lie in one of the same phase."""
    phases = fit.spans.set_index("span")["phase"].astype(str)
    spans = fit.spans[fit.spans["status"] == "ok"]
    spans = spans[spans["parent"].map(phases).astype(object) != spans["phase"].astype(object)]
    return {str(p): rows["duration_ns"].to_numpy(float) for p, rows in spans.groupby("phase", observed=True)}


def _noise(a: Floats, b: Floats) -> float | None:
    """The factor within which the ratio of the medians lies in 19 of 20 cases.

    From medians of blocks that follow each other, for neighbours are alike: a machine is slow for a while.
    """
    if min(len(a), len(b)) < _LEAST:
        return None
    variance = 0.0
    for durations in (a, b):
        blocks = np.array_split(durations, min(_BLOCKS, len(durations) // 3))
        logs = np.log([max(float(np.median(block)), 1.0) for block in blocks])
        variance += float(np.var(logs, ddof=1)) / len(blocks)
    return float(np.exp(2 * np.sqrt(variance)))
