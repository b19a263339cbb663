"""Finds values that stand out, and whether they come at regular intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PEAK = 10
"""A time above so many times the median stands out."""
_LEAST_GAPS = 4
"""With fewer gaps, an interval could be regular by chance."""


def standing_out(times_ns: npt.NDArray[np.float64], least_ns: float) -> npt.NDArray[np.int64]:
    """The indices of the times above `least_ns` and above `PEAK` times the median.

    >>> standing_out(np.array([1.0, 1.0, 50.0, 1.0]), 5.0).tolist()
    [2]
    """
    return np.flatnonzero(times_ns > max(PEAK * float(np.median(times_ns)), least_ns))


def interval(indices: npt.NDArray[np.int64]) -> int | None:
    """The mean gap between `indices` if the gaps are about equal, else None.

    Gaps are about equal if the largest and the smallest differ by at most a tenth of the mean.

    >>> interval(np.array([0, 20, 40, 60, 80])), interval(np.array([0, 20, 21, 60, 80]))
    (20, None)
    """
    gaps = np.diff(indices)
    if len(gaps) < _LEAST_GAPS or gaps.min() <= 1 or gaps.max() - gaps.min() > max(1.0, 0.1 * gaps.mean()):
        return None
    return round(float(gaps.mean()))
