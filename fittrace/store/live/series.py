"""A long series of numbers in few points."""

from __future__ import annotations

import math

CAPACITY = 128
"""The most points that a series keeps."""


class Series:
    """The means of equally many consecutive numbers each. When there are `CAPACITY` of them, pairs become one.

    >>> series = Series()
    >>> for number in range(1000):
    ...     series.add(number)
    >>> series.means[:2], len(series.means) < CAPACITY
    ([3.5, 11.5], True)
    """

    def __init__(self) -> None:
        self.means: list[float] = []
        self._each = 1
        self._sum = 0.0
        self._count = 0

    def add(self, number: float) -> None:
        """Add a number to the end. One that is not finite is left out."""
        if not math.isfinite(number):
            return
        self._sum += number
        self._count += 1
        if self._count < self._each:
            return
        self.means.append(self._sum / self._count)
        self._sum, self._count = 0.0, 0
        if len(self.means) == CAPACITY:
            self.means = [(a + b) / 2 for a, b in zip(self.means[::2], self.means[1::2])]
            self._each *= 2
