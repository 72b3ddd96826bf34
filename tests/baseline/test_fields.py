"""The grey scale of the references does not depend on gain, offset and slow changes of the light."""

import numpy as np
import pytest
from baseline_fields import drawn_field

from grainseg.baseline.fields import TrainingField, flatten, mean_grain_px


def test_gain_and_offset_have_no_effect() -> None:
    unit = drawn_field(0).unit
    np.testing.assert_allclose(flatten(0.2 + 0.5 * unit, 30), flatten(unit, 30), atol=1e-5)


def test_an_inverted_picture_is_mirrored_about_the_middle() -> None:
    unit = drawn_field(0).unit
    np.testing.assert_allclose(flatten(1 - unit, 30), 1 - flatten(unit, 30), atol=1e-5)


def test_a_slow_slope_nearly_vanishes() -> None:
    unit = drawn_field(0).unit
    slope = np.linspace(0, 0.5, unit.shape[1], dtype=np.float32)
    flat, sloped = flatten(unit, 10), flatten(unit + slope, 10)
    inner = np.s_[:, 30:-30]
    assert np.abs(sloped - flat)[inner].mean() < 0.01


def test_contrast_is_evened_out_but_noise_of_a_plain_grain_is_not_raised_to_it() -> None:
    """Six standard deviations of the place fill the range; least is a quarter of the picture's own."""
    noise = np.random.default_rng(0).standard_normal((100, 300))
    noise *= np.repeat([0.001, 0.1, 0.2], 100)
    flat = flatten((0.5 + noise).astype(np.float32), 8)
    plain, weak, strong = (flat[:, at : at + 60].std() for at in (20, 120, 220))
    assert plain < 0.02
    assert (weak, strong) == pytest.approx((1 / 6, 1 / 6), abs=0.01)


def test_the_light_is_that_of_two_grains_around() -> None:
    spot = np.zeros((61, 61), np.float32)
    spot[30, 30] = 1
    touched = np.abs(flatten(spot, 10) - 0.5) > 1e-6
    np.testing.assert_array_equal(np.flatnonzero(touched[30]), np.arange(10, 51))


def test_one_grey_level_is_the_middle() -> None:
    assert (flatten(np.full((40, 50), 0.3, np.float32), 10) == 0.5).all()


def test_mean_grain_is_a_circle_of_the_mean_area() -> None:
    """Of what is known to be grain: half of the second field is not."""
    empty = np.zeros((100, 100), np.float32)
    bands = np.arange(100)[:, None] // 25 + np.ones((1, 100), np.int64)
    halves = np.where(bands > 2, bands, 0)
    fields = [TrainingField(empty, empty.astype(np.uint8), ids) for ids in (bands, halves)]
    assert [field.grains for field in fields] == [4, 2]
    assert mean_grain_px(fields) == pytest.approx(2 * np.sqrt(2500 / np.pi))
