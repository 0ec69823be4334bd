"""A slope is found, and is not found where there is none."""

from __future__ import annotations

import random

import pytest

from amazonia.loadtest.trend import slope, theil_sen


def _series(rise: float, noise: float, seed: int = 3) -> list[tuple[float, float]]:
    chance = random.Random(seed)
    return [(float(x), 100.0 + rise * x + chance.gauss(0.0, noise)) for x in range(180)]


def test_a_line_has_its_slope():
    """Without noise the slope is exact and its bounds are it."""
    found = slope(_series(0.5, 0.0))
    assert found.value == pytest.approx(0.5)
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))


def test_one_wild_sample_changes_nothing():
    """The slope is a median: one reading that is off does not move it."""
    series = [*_series(0.5, 0.0)[:-1], (179.0, 9000.0)]
    assert theil_sen(series) == pytest.approx(0.5)


def test_noise_is_no_rise():
    """A level series with noise: zero lies within the bounds, for nearly every chance."""
    assert sum(slope(_series(0.0, 1.0, seed)).is_zero for seed in range(10)) >= 8


def test_a_rise_beyond_the_noise_is_seen():
    """A leak that ends above the noise is told from a level series."""
    found = slope(_series(0.02, 1.0))
    assert not found.is_zero
    assert found.low < 0.02 < found.high


def test_a_slope_needs_two_moments():
    """One sample says nothing."""
    with pytest.raises(ValueError, match="two moments"):
        slope([(1.0, 2.0)])
