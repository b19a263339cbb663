"""What comes back at regular intervals: every so many batches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PEAK = 10
"""Times the median from which on a time stands out."""
_LEAST_GAPS = 4
"""Gaps that must be alike, for the next to be expected."""


def standing_out(times_ns: npt.NDArray[np.float64], least_ns: float) -> npt.NDArray[np.int64]:
    """The places of the times of at least `least_ns` that are `PEAK` times the median and more.

    >>> standing_out(np.array([1.0, 1.0, 50.0, 1.0]), 5.0).tolist()
    [2]
    """
    return np.flatnonzero(times_ns > max(PEAK * float(np.median(times_ns)), least_ns))


def interval(places: npt.NDArray[np.int64]) -> int | None:
    """How far apart `places` are, where they are apart by one number, a tenth more or less.

    >>> interval(np.array([0, 20, 40, 60, 80])), interval(np.array([0, 20, 21, 60, 80]))
    (20, None)
    """
    gaps = np.diff(places)
    if len(gaps) < _LEAST_GAPS or gaps.min() <= 1 or gaps.max() - gaps.min() > max(1.0, 0.1 * gaps.mean()):
        return None
    return round(float(gaps.mean()))
