"""The values of all batches, in buckets and windows."""

from __future__ import annotations

import numpy as np
import pytest

from fittrace.report.model.buckets import MOST_BUCKETS, ONE_BY_ONE, UNIT, WINDOW_BATCHES, Buckets, windows


def test_few_batches_are_given_one_by_one() -> None:
    values = np.arange(ONE_BY_ONE, dtype=float)
    buckets = Buckets.of(ONE_BY_ONE, [])
    series = buckets.series("loss", "", values)
    assert (buckets.every, buckets.windows) == (1, [])
    assert (series.least, series.most) == (None, None)
    assert series.mean.tolist() == values.tolist()


@pytest.mark.parametrize("batches", [ONE_BY_ONE + 1, 20_001, 1_000_000])
def test_many_batches_have_least_mean_and_most_by_bucket(batches: int) -> None:
    values = np.random.default_rng(0).lognormal(10, 1, batches)
    values[1::3] = np.nan
    wanted = [batches - 1, batches // 2, 0]
    buckets = Buckets.of(batches, wanted)
    series = buckets.series("loss", "", values)
    assert series.least is not None
    assert series.most is not None
    parts = [values[first : first + buckets.every] for first in range(0, batches, buckets.every)]
    assert len(parts) == len(series.mean) <= MOST_BUCKETS
    for index in (0, len(parts) // 2, len(parts) - 1):
        assert series.mean[index] == pytest.approx(np.nanmean(parts[index]), rel=1e-6)
        assert series.least[index] == pytest.approx(np.nanmin(parts[index]), rel=1e-6)
        assert series.most[index] == pytest.approx(np.nanmax(parts[index]), rel=1e-6)
    inside = np.concatenate([np.arange(first, last + 1) for first, last in buckets.windows])
    assert len(inside) <= WINDOW_BATCHES
    assert set(wanted) <= set(inside.tolist())
    np.testing.assert_allclose(series.window, values[inside], rtol=1e-6)


def test_a_bucket_without_a_value_is_nan() -> None:
    values = np.full(10_000, np.nan)
    values[0] = 7
    series = Buckets.of(10_000, []).series("loss", "", values)
    assert series.mean[0] == 7
    assert np.isnan(series.mean[1:]).all()


def test_times_keep_four_digits() -> None:
    values = np.random.default_rng(0).lognormal(10, 5, 1_000)
    rounded = Buckets.of(1_000, []).series("slice", "", values, rounded=True).mean
    np.testing.assert_allclose(rounded, values, rtol=2e-4)
    assert not (rounded.view(np.uint32) & 0x7FF).any()


def test_windows_keep_the_budget_and_prefer_what_is_wanted_first() -> None:
    assert windows(100, [99], 10_000) == [(0, 99)]
    assert windows(10_000, [9_999, 5_000, 1], 2 * UNIT) == [(4_992, 5_023), (9_984, 9_999)]
    assert windows(10_000, [-1, 10_000], UNIT) == [(0, UNIT - 1)]
