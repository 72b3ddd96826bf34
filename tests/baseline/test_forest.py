"""The forest: better than chance, the same twice, and the same strip by strip."""

from collections.abc import Iterator

import numpy as np
import pytest
from baseline_fields import drawn_field

from grainseg.baseline.forest import BoundaryForest, feature_strips, fit_forest, forest_probability
from grainseg.grains.agreement import pixel_scores
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


def test_half_a_label_is_enough() -> None:
    fields = [drawn_field(0), drawn_field(1)]
    for field in fields:
        field.label[60:] = IGNORE
    unseen = drawn_field(7)
    probability = forest_probability(unseen.unit, fit_forest(fields))
    assert pixel_scores(probability > 0.5, unseen.label).iou > 0.7
