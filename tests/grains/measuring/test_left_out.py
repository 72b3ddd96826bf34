"""What is left out of a picture has no say in what is told of the rest."""

import cv2
import numpy as np
import pytest

from grainseg.grains.closing.partition import DEFAULT_SETTINGS, partition_probability
from grainseg.grains.closing.sensitivity import threshold_sd_ln
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.measuring.left_out import NOTHING_LEFT_OUT, LeftOut
from grainseg.grains.trust.doubt import doubt_of
from grainseg.micrograph.checks.exposure import exposure_warnings
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.micrograph.plain.synthetic import generate

SHAPE = (200, 240)
RIGHT = np.zeros(SHAPE, np.bool_)
RIGHT[:, 120:] = True


@pytest.fixture(scope="module")
def probability():
    """Certain lines; on the right nothing that could be told from noise, all of it near the threshold."""
    drawn = boundary_lines(polycrystal(0, SHAPE, 30.0, 0.3, 3)).astype(np.float32)
    noise = np.random.default_rng(0).uniform(0.2, 0.8, SHAPE).astype(np.float32)
    return np.where(RIGHT, noise, drawn)


@pytest.mark.parametrize("there", ["noise", "solid", "bar"])
@pytest.mark.parametrize("drawn", [False, True])
def test_grains_are_those_of_what_is_measured(there, drawn):
    """Neither their lines' width nor what is a gap nor what is a speck depends on what is left out."""
    rng = np.random.default_rng(2)
    lines = boundary_lines(polycrystal(3, (300, 400), 30.0, 0.3, 3)).astype(np.float32)
    for row, column in rng.integers(10, 280, (40, 2)):
        lines[row : row + 7, column : column + 7] = 0  # gaps
    probability = lines if drawn else cv2.GaussianBlur(lines, (0, 0), 1.0) * rng.uniform(0.7, 1, lines.shape)
    left_out = np.zeros(lines.shape, np.bool_)
    left_out[:, 250:] = True
    if there == "bar":
        left_out[:, 250:] = False
        left_out[100:125, 150:260] = True
    spoilt = np.where(left_out, rng.uniform(0, 1, lines.shape) if there == "noise" else 1, probability)
    if drawn:
        spoilt = (spoilt > 0.5).astype(np.float32)
    seen = LeftOut(ignored=left_out)
    plain = partition_probability(probability.astype(np.float32), left_out=left_out)
    found = partition_probability(spoilt.astype(np.float32), left_out=left_out)
    assert found.line_width_px == pytest.approx(plain.line_width_px, abs=0.15)
    expected = seen.mean_intercept_px(plain.grains)
    assert seen.mean_intercept_px(found.grains) == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize("kind", ["excluded", "ignored"])
def test_thresholds_are_compared_where_something_is_measured(probability, kind):
    measured = threshold_sd_ln(probability, DEFAULT_SETTINGS, LeftOut(**{kind: RIGHT}))
    assert measured == pytest.approx(0, abs=0.005)
    assert threshold_sd_ln(probability, DEFAULT_SETTINGS) > 0.01


def test_the_doubt_is_about_what_is_measured(probability):
    unit = generate(3, SHAPE).pixels[:, :, None].astype(np.float32)
    spoilt = np.where(RIGHT[:, :, None], np.random.default_rng(1).uniform(0, 1, unit.shape), unit)
    spoilt = spoilt.astype(np.float32)
    left = partition_probability(probability, left_out=RIGHT)
    found = doubt_of(spoilt, probability, left, None, RIGHT).score
    without = np.where(RIGHT, np.float32(0), probability)
    assert found == pytest.approx(doubt_of(unit, without, left, None, RIGHT).score, rel=1e-6)
    alone = np.ascontiguousarray(probability[:, :120])
    half = doubt_of(unit[:, :120], alone, partition_probability(alone), None).score
    assert found == pytest.approx(half, rel=0.2)
    assert doubt_of(spoilt, probability, partition_probability(probability), None).score > 3 * found


def test_what_is_left_out_need_not_be_exposed():
    unit = generate(3, SHAPE).pixels[:, :, None].astype(np.float32)
    unit[RIGHT] = 1
    assert len(exposure_warnings(unit)) == 1
    assert exposure_warnings(unit, RIGHT) == ()
    assert len(exposure_warnings(unit, np.ones(SHAPE, np.bool_))) == 1


def test_on_another_grid_each_pixel_asks_what_lies_at_its_middle():
    mask = np.zeros((4, 6), np.bool_)
    mask[1:3, 2:4] = True
    twice = LeftOut(excluded=mask).on_grid((8, 12))
    np.testing.assert_array_equal(twice.excluded, mask.repeat(2, axis=0).repeat(2, axis=1))
    assert twice.ignored is None
    thirds = np.array([[False, True, False], [True, True, False]])
    back = LeftOut(ignored=thirds.repeat(3, axis=0).repeat(3, axis=1)).on_grid((2, 3)).ignored
    np.testing.assert_array_equal(back, thirds)


def test_a_window_and_the_mean_intercept_of_the_rest():
    grains = polycrystal(1, SHAPE, 30.0, 0.3, 3)
    left_out = LeftOut(ignored=RIGHT)
    assert left_out.mean_intercept_px(grains) == mean_intercept_px(grains, RIGHT)
    window = left_out.window(slice(50, 150), slice(100, 200))
    np.testing.assert_array_equal(window.mask, RIGHT[50:150, 100:200])
    assert NOTHING_LEFT_OUT.window(slice(0, 5), slice(0, 5)).mask is None
