"""Prediction at another scale: on the picture's grid, and at a fixed point of grain sizes."""

import weakref

import numpy as np
import pytest

from grainseg.inference.scale import (
    FARTHEST,
    at_scale,
    on_grid,
    predict_at_estimate,
    resample,
    resampled_shape,
)
from grainseg.micrograph.image import FloatImage

RNG = np.random.default_rng(0)


def first_channel(unit: FloatImage) -> FloatImage:
    return unit[:, :, 0]


def smooth(shape: tuple[int, int]) -> FloatImage:
    """A picture that two grids show alike: waves of no less than 30 px."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    values = 0.5 + 0.4 * np.sin(2 * np.pi * rows / 30) * np.cos(2 * np.pi * columns / 40)
    return values[:, :, None].astype(np.float32)


@pytest.mark.parametrize(
    "factors", [(1.0, 1.0), (0.5, 0.5), (2.0, 2.0), (0.37, 1.9), (4.0, 0.25), (3.3, 3.3)]
)
def test_the_answer_lies_on_the_pictures_grid_where_the_picture_is(factors: tuple[float, float]) -> None:
    """A network that answers what it sees: the way there and back shifts and scales nothing."""
    unit = smooth((121, 160))
    seen = at_scale(unit, factors)
    assert seen.shape == (*resampled_shape((121, 160), factors), 1)
    answer = on_grid(seen[:, :, 0], (121, 160))
    assert answer.shape == (121, 160)
    assert answer.dtype == np.float32
    inner = np.s_[8:-8, 8:-8]  # where a border is met, nothing lies beyond it
    np.testing.assert_allclose(answer[inner], unit[:, :, 0][inner], atol=0.05)


def test_its_own_scale_changes_no_bit() -> None:
    unit = RNG.random((40, 50, 3), np.float32)
    assert at_scale(unit, (1.0, 1.0)) is unit
    assert on_grid(unit[:, :, 0], (40, 50)).tobytes() == unit[:, :, 0].tobytes()


def test_shrinking_averages_and_enlarging_stays_in_range() -> None:
    """Stripes of one pixel, which every second pixel would show as black or white, become grey."""
    stripes = np.zeros((64, 64, 1), np.float32)
    stripes[::2] = 1
    np.testing.assert_allclose(resample(stripes, (32, 64)), 0.5, atol=1e-6)
    np.testing.assert_allclose(resample(stripes, (16, 16)), 0.5, atol=1e-6)
    large = resample(stripes, (256, 64))
    assert large.min() == 0
    assert large.max() == 1
    colour = RNG.random((20, 30, 3), np.float32)
    np.testing.assert_allclose(
        resample(colour, (40, 15))[:, :, 1:2], resample(colour[:, :, 1:2], (40, 15)), atol=1e-6
    )


def test_a_line_of_the_networks_width_survives_the_way_back_to_a_grid_twice_as_coarse() -> None:
    probability = np.zeros((200, 200), np.float32)
    probability[:, 99:102] = 1
    assert (on_grid(probability, (100, 100)) > 0.5).any(axis=1).all()


class Structure:
    """Grains whose size is what the picture says, as a network finds them that errs away from its own size.

    Args:
        true_px: Mean intercept in px of the picture.
        bias: The share of the distance from the training's size, in logarithms, that it does not see.
    """

    def __init__(self, true_px: float, bias: float = 0.0, target_px: float = 30.0) -> None:
        self.true_px, self.bias, self.target_px = true_px, bias, target_px
        self.sides: list[int] = []

    def predict(self, unit: FloatImage) -> FloatImage:
        self.sides.append(unit.shape[0])
        return unit[:, :, 0]

    def intercept_px(self, probability: FloatImage) -> float:
        at_network = self.true_px * probability.shape[0] / 400
        return float(at_network * (self.target_px / at_network) ** self.bias)


PICTURE = smooth((400, 20))


@pytest.mark.parametrize("true_px", [9.0, 15.0, 22.0, 45.0, 60.0, 115.0])
@pytest.mark.parametrize("bias", [0.0, 0.2, -0.3])
def test_the_estimate_finds_the_factor(true_px: float, bias: float) -> None:
    structure = Structure(true_px, bias)
    found = predict_at_estimate(structure.predict, PICTURE, 30.0, structure.intercept_px)
    assert found.consistent
    assert found.factor == pytest.approx(30 / true_px, rel=0.15)
    assert found.unit.shape == (*resampled_shape((400, 20), (found.factor, found.factor)), 1)
    np.testing.assert_array_equal(found.probability, found.unit[:, :, 0])
    assert len(structure.sides) <= 4


@pytest.mark.parametrize("true_px", [26.0, 30.0, 36.0])
def test_grains_of_about_the_training_stay_as_they_are(true_px: float) -> None:
    structure = Structure(true_px)
    found = predict_at_estimate(structure.predict, PICTURE, 30.0, structure.intercept_px)
    assert (found.factor, found.consistent, structure.sides) == (1.0, True, [400])
    np.testing.assert_array_equal(found.probability, PICTURE[:, :, 0])


@pytest.mark.parametrize(("true_px", "factor"), [(3.0, FARTHEST), (400.0, 1 / FARTHEST)])
def test_a_factor_beyond_the_limits_is_not_tried_and_said(true_px: float, factor: float) -> None:
    structure = Structure(true_px)
    found = predict_at_estimate(structure.predict, PICTURE, 30.0, structure.intercept_px)
    assert found.factor == factor
    assert not found.consistent


def test_a_picture_does_not_become_larger_than_allowed() -> None:
    structure = Structure(10.0)
    found = predict_at_estimate(structure.predict, PICTURE, 30.0, structure.intercept_px, largest=2.0)
    assert max(structure.sides) == 800
    assert (found.factor, found.consistent) == (2.0, False)


def test_an_estimate_that_runs_to_and_fro_ends_with_its_most_consistent_factor() -> None:
    answers = iter([60.0, 10.0, 100.0, 20.0])
    found = predict_at_estimate(first_channel, PICTURE, 30.0, lambda probability: next(answers))
    assert found.intercept_px == 20.0
    assert not found.consistent
    assert next(answers, None) is None


def test_of_the_attempts_only_the_best_is_kept() -> None:
    """With the fourth the first is still there, the best so far (and the caller's own), not the others."""
    answers = iter([20.0, 10.0, 100.0, 70.0])
    pictures: list[weakref.ref[FloatImage]] = []
    alive: list[list[bool]] = []

    def predict(unit: FloatImage) -> FloatImage:
        pictures.append(weakref.ref(unit))
        alive.append([picture() is not None for picture in pictures])
        return unit[:, :, 0].copy()

    found = predict_at_estimate(predict, PICTURE, 30.0, lambda probability: next(answers))
    assert (found.factor, found.intercept_px) == (1.0, 20.0)
    assert alive[-1] == [True, False, False, True]


def test_without_a_boundary_the_picture_stays_as_it_is() -> None:
    found = predict_at_estimate(first_channel, PICTURE, 30.0, lambda probability: None)
    assert (found.factor, found.intercept_px, found.consistent) == (1.0, None, False)
