"""The unit range of pictures whose grey values float32 just holds."""

import numpy as np
import pytest

from grainseg.micrograph.normalization import to_unit_range

STEPS = np.linspace(0, 1, 400).reshape(20, 20)


def test_the_unit_range_lies_between_the_percentiles() -> None:
    ramp = np.arange(1001, dtype=np.float32).reshape(7, 143, 1)
    np.testing.assert_allclose(to_unit_range(ramp), np.clip((ramp - 5) / 990, 0, 1), atol=1e-6)
    nearly_flat = np.where(ramp == 500, 9, 7).astype(np.float32)  # the percentiles coincide
    np.testing.assert_array_equal(to_unit_range(nearly_flat), ramp == 500)
    np.testing.assert_array_equal(to_unit_range(np.full_like(ramp, 7)), 0)


@pytest.mark.parametrize(("span", "middle"), [(1e-42, 0.0), (3e38, 0.0), (6e38, 0.5)])
def test_the_unit_range_does_not_depend_on_how_small_or_large_the_values_are(
    span: float, middle: float
) -> None:
    unit = to_unit_range(((STEPS - middle) * span).astype(np.float32))
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit, to_unit_range(STEPS.astype(np.float32)), atol=2e-3)


def test_two_grey_levels_and_single_pixels_may_be_as_far_apart_as_they_can() -> None:
    two = np.where(STEPS < 0.5, -3e38, 3e38).astype(np.float32)
    np.testing.assert_array_equal(to_unit_range(two), STEPS >= 0.5)
    hot = np.where(STEPS == 1, 3e38, STEPS).astype(np.float32)
    np.testing.assert_allclose(to_unit_range(hot), to_unit_range(STEPS.astype(np.float32)), atol=1e-5)
