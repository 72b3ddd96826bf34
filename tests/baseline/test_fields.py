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
