"""Values of all batches of a fit within a budget: summed up in buckets, and one by one in some windows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats32 = npt.NDArray[np.float32]
"""An array of float32."""

ONE_BY_ONE = 6_144
"""A fit of at most so many batches has them all one by one: a batch costs some 60 bytes of the page."""
MOST_BUCKETS = 2_048
"""Buckets of a longer fit: more than a screen has columns of pixels for them."""
WINDOW_BATCHES = 4_096
"""Batches that a longer fit has one by one: with the buckets, this is as much as the longest fit without buckets."""
UNIT = 32
"""Batches in the smallest window: enough to see a batch among its neighbours."""

_SPARE_BITS = 11
"""Bits of a float32 that times leave out. 12 bits of the fraction remain: four digits, and half the bytes."""


@dataclass(frozen=True)
class Series:
    """A number of each batch. See `Series` in `page/document.d.ts`."""

    name: str
    title: str
    least: Floats32 | None
    mean: Floats32
    most: Floats32 | None
    window: Floats32


@dataclass(frozen=True)
class Buckets:
    """How the batches of a fit are summed up.

    - `batches`: how many there are.
    - `every`: how many batches a bucket has, a power of two. 1: all batches are given one by one.
    - `windows`: first and last ordinal of the batches that are given one by one although `every` is above 1.
    """

    batches: int
    every: int
    windows: list[tuple[int, int]]

    @classmethod
    def of(cls, batches: int, wanted: Iterable[int]) -> Buckets:
        """Buckets for a fit of so many batches. `wanted` are ordinals for windows, the most important first."""
        every = 1
        while batches > (ONE_BY_ONE if every == 1 else MOST_BUCKETS * every):
            every *= 2
        return cls(batches, every, [] if every == 1 else windows(batches, wanted, WINDOW_BATCHES))

    def series(self, name: str, title: str, values: npt.NDArray[Any], *, rounded: bool = False) -> Series:
        """The series of some values, one for each batch. NaN is no value.

        `rounded`: keep four digits, as is enough for times.
        """
        convert = _four_digits if rounded else _float32
        if self.every == 1:
            return Series(name, title, None, convert(values), None, _float32(values[:0]))
        values = values.astype(np.float64)
        firsts = np.arange(0, self.batches, self.every)
        is_value = ~np.isnan(values)
        counts = np.add.reduceat(is_value, firsts, dtype=np.int64)
        with np.errstate(invalid="ignore"):  # a bucket without a value has the mean 0 / 0, which is NaN
            mean = np.add.reduceat(np.where(is_value, values, 0), firsts) / counts
        least, most = np.fmin.reduceat(values, firsts), np.fmax.reduceat(values, firsts)
        return Series(name, title, convert(least), convert(mean), convert(most), convert(self.in_windows(values)))

    def firsts(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The value of the first batch of each bucket."""
        return values[:: self.every]

    def in_windows(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The values of the batches in the windows, one window after the other."""
        return np.concatenate([values[:0], *(values[first : last + 1] for first, last in self.windows)])


def windows(batches: int, wanted: Iterable[int], budget: int) -> list[tuple[int, int]]:
    """First and last ordinals of windows that hold at most `budget` batches in all.

    - `batches`: the batches of the fit.
    - `wanted`: ordinals that are to be in a window, the most important first. Where they leave some of the budget, the
      fit's first batches get it.

    >>> windows(1_000, [999, 500], 128)
    [(0, 63), (480, 511), (992, 999)]
    """
    units: set[int] = set()
    for ordinal in [*wanted, *range(0, min(batches, budget), UNIT)]:
        if (len(units) + 1) * UNIT > budget:
            break
        if 0 <= ordinal < batches:
            units.add(ordinal // UNIT)
    result: list[tuple[int, int]] = []
    for unit in sorted(units):
        first, last = unit * UNIT, min((unit + 1) * UNIT, batches) - 1
        if result and result[-1][1] + 1 == first:
            result[-1] = (result[-1][0], last)
        else:
            result.append((first, last))
    return result


def _float32(values: npt.NDArray[Any]) -> Floats32:
    # A number beyond float32 becomes infinite.
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _four_digits(values: npt.NDArray[Any]) -> Floats32:
    bits = _float32(values).view(np.uint32)
    half = np.uint32(1 << (_SPARE_BITS - 1))
    rounded: Floats32 = ((bits + half) >> _SPARE_BITS << _SPARE_BITS).astype(np.uint32).view(np.float32)
    return rounded
