"""The forest: better than chance, the same twice, and the same strip by strip."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from baseline_fields import drawn_field

from grainseg.baseline.forest import BoundaryForest, _sample, feature_strips, fit_forest, forest_probability
from grainseg.grains.scoring.agreement import pixel_scores
from grainseg.micrograph.image import IGNORE


@pytest.fixture(scope="module", autouse=True)
def _few_pixels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.baseline.forest.SAMPLED_PX", 4000)
        yield


@pytest.fixture(scope="module")
def forest() -> BoundaryForest:
    return fit_forest([drawn_field(0), drawn_field(1)], seed=3)


def test_it_is_far_better_than_chance(forest: BoundaryForest) -> None:
    unseen = drawn_field(7)
    probability = forest_probability(unseen.unit, forest)
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1
    chance = unseen.label.mean()  # IoU of calling everything boundary
    assert pixel_scores(probability > 0.5, unseen.label).iou > 0.7 > 2 * chance


def test_the_same_seed_gives_the_same_map(forest: BoundaryForest) -> None:
    again = fit_forest([drawn_field(0), drawn_field(1)], seed=3)
    unseen = drawn_field(7).unit
    first = forest_probability(unseen, forest)
    np.testing.assert_array_equal(first, forest_probability(unseen, again))
    assert again.operating_point == forest.operating_point
    other = fit_forest([drawn_field(0), drawn_field(1)], seed=4)
    assert not np.array_equal(first, forest_probability(unseen, other))


def test_strips_equal_the_whole(forest: BoundaryForest) -> None:
    unit = drawn_field(5, (230, 90)).unit
    whole = next(feature_strips(unit, unit.size))[1]
    strips = list(feature_strips(unit, 90 * 37))
    assert len(strips) == 7
    np.testing.assert_array_equal(np.concatenate([features for _, features in strips]), whole)
    np.testing.assert_array_equal(
        forest_probability(unit, forest), forest_probability(unit, forest, strip_px=90 * 37)
    )


def test_the_operating_point_is_where_a_probability_is_one_half(forest: BoundaryForest) -> None:
    unit = drawn_field(7, (40, 60)).unit
    votes = forest_probability(unit, replace(forest, operating_point=0.5))
    found = forest_probability(unit, replace(forest, operating_point=0.8))
    assert (np.abs(votes - 0.8) > 1e-6).mean() > 0.9
    np.testing.assert_array_equal((found > 0.5)[votes > 0.8 + 1e-6], True)
    np.testing.assert_array_equal((found > 0.5)[votes < 0.8 - 1e-6], False)
    brighter = forest_probability(0.2 + 0.5 * unit, forest)
    assert np.abs(brighter - forest_probability(unit, forest)).mean() < 0.01


def test_as_many_pixels_are_drawn_of_the_boundary_as_of_the_grains() -> None:
    samples, codes = _sample([drawn_field(0), drawn_field(1)], 30.0, np.random.default_rng(0))
    assert len(samples) == len(codes) == 4000
    assert np.count_nonzero(codes) == 2000


def test_half_a_label_is_enough() -> None:
    fields = [drawn_field(0), drawn_field(1)]
    for field in fields:
        field.label[60:] = IGNORE
    unseen = drawn_field(7)
    probability = forest_probability(unseen.unit, fit_forest(fields))
    assert pixel_scores(probability > 0.5, unseen.label).iou > 0.7
