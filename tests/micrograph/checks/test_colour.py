"""Contrast that only colour shows is noticed, and nothing else is taken for it."""

import functools

import numpy as np
import pytest

from grainseg.micrograph.checks.colour import colour_warnings
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.files import LUMA
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.plain.polycrystal import polycrystal


@functools.cache
def grains() -> np.ndarray:
    return polycrystal(0, (100, 130), 15.0, 0.3, 1)


def coloured(brightness: float, hues: float) -> FloatImage:
    """Grains that differ in brightness and in hue at equal brightness, with so great a scatter of each."""
    of_grain, rng = grains(), np.random.default_rng(1)
    hue = rng.normal(0, hues, (of_grain.max() + 1, 3))
    hue -= (hue @ np.array(LUMA))[:, None]
    colours = 0.5 + rng.normal(0, brightness, (len(hue), 1)) + hue
    return colours[of_grain].astype(np.float32)


@pytest.mark.parametrize("brightness", [0.0, 0.02, 0.08])
def test_grains_that_differ_in_hue_are_said_to_be_lost_on_one_channel(brightness: float) -> None:
    picture = coloured(brightness, 0.1)
    (warning,) = colour_warnings(picture, 1)
    assert "model.in_channels=3" in warning
    assert colour_warnings(picture, 3) == ()
    assert colour_warnings(3e38 * picture, 1) == (warning,)
    assert colour_warnings(np.repeat(picture, 3, axis=0)[:, ::-1], 1) == (warning,)


def test_grey_tinted_noisy_and_marked_pictures_lose_nothing() -> None:
    lines = boundary_lines(grains())[:, :, None] == 1
    etched = np.where(lines, 0.3, 0.7) * np.ones(3)
    noisy = etched + np.random.default_rng(0).normal(0, 0.1, etched.shape)
    marked = etched.copy()
    marked[90:96, 20:80] = (1, 0, 0)
    for picture in (etched, etched * (1, 0.9, 0.7), noisy, marked, np.ones((40, 40, 3)) * (0.2, 0.5, 0.9)):
        assert colour_warnings(picture.astype(np.float32), 1) == ()
    assert colour_warnings(etched[:, :, 0].astype(np.float32), 1) == ()


def test_what_is_left_out_need_show_nothing() -> None:
    picture = np.concatenate([coloured(0.1, 0.0), coloured(0.1, 0.4)])
    left_out = np.zeros(picture.shape[:2], np.bool_)
    assert len(colour_warnings(picture, 1, left_out)) == 1
    left_out[100:] = True
    assert colour_warnings(picture, 1, left_out) == ()
    left_out[:] = True
    assert colour_warnings(picture, 1, left_out) == ()
