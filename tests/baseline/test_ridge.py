"""The watershed pipeline finds drawn lines, chooses their polarity, and closes steps to grains."""

from dataclasses import replace

import numpy as np
import pytest
from baseline_fields import drawn_field

from grainseg.baseline.fields import TrainingField, flatten
from grainseg.baseline.ridge import (
    RidgeScore,
    RidgeSettings,
    WatershedLines,
    _score,
    line_response,
    ridge_probability,
    tune_ridge,
    watershed_lines,
)
from grainseg.grains.closing.partition import partition_probability
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.scoring.agreement import boundary_counts, pixel_scores
from grainseg.micrograph.image import IGNORE


@pytest.fixture(scope="module")
def tuned() -> tuple[RidgeSettings, RidgeScore]:
    return tune_ridge([drawn_field(0), drawn_field(1)])


def test_drawn_dark_lines_are_found(tuned: tuple[RidgeSettings, RidgeScore]) -> None:
    settings, score = tuned
    assert settings.dark
    assert score.iou > 0.7
    assert score.count_error < 0.05
    unseen = drawn_field(7)
    probability = ridge_probability(unseen.unit, settings)
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1
    assert pixel_scores(probability > 0.5, unseen.label).iou > 0.65
    assert boundary_counts(probability > 0.5, unseen.label, 2.0).f1 > 0.95
    assert partition_probability(probability).count == pytest.approx(unseen.grains, rel=0.1)


def test_of_inverted_pictures_bright_lines_are_chosen(tuned: tuple[RidgeSettings, RidgeScore]) -> None:
    settings, score = tune_ridge([drawn_field(0, invert=True), drawn_field(1, invert=True)])
    assert settings == replace(tuned[0], dark=False)
    assert score.objective == pytest.approx(tuned[1].objective, abs=0.01)


def test_lines_are_drawn_at_the_labels_width(tuned: tuple[RidgeSettings, RidgeScore]) -> None:
    field = drawn_field(7)
    share = (ridge_probability(field.unit, tuned[0]) > 0.5).mean() / field.label.mean()
    assert 0.8 < share < 1.3


def test_a_step_is_found_where_steps_are_weighed() -> None:
    flat = np.full((60, 80), 0.4, np.float32)
    flat[:, 40:] = 0.6
    net = watershed_lines(line_response(flat, 1.5, 1.0, dark=True), 0.1)
    rows, columns = np.nonzero(net.line)
    assert set(rows) == set(range(60))
    assert np.abs(columns - 39.5).max() <= 1
    assert net.strength[net.line].min() > 0.9


def test_the_response_is_full_in_a_hundredth_of_the_picture() -> None:
    response = line_response(flatten(drawn_field(7).unit, 30), 1.5, 0.5, dark=True)
    assert response.max() == 1
    assert (response == 1).mean() == pytest.approx(0.01, abs=0.001)


def test_a_dip_that_is_too_shallow_is_no_basin_of_its_own() -> None:
    response = np.zeros((20, 40), np.float32)
    response[:, 20] = 0.1
    assert watershed_lines(response, 0.05).line.any()
    assert not watershed_lines(response, 0.2).line.any()


def test_lost_grains_count_against_the_overlap() -> None:
    assert RidgeScore(iou=0.8, count_error=0.3).objective == pytest.approx(0.5)


def test_a_border_is_boundary_if_it_is_stronger_than_the_setting() -> None:
    unit = drawn_field(7).unit
    settings = RidgeSettings(30.0, True, 1.5, 0.5, 0.05, 0.4, 1.0)
    flat = flatten(unit, settings.grain_px)
    net = watershed_lines(line_response(flat, settings.scale_px, settings.edge_weight, True), settings.depth)
    strength, probability = net.strength[net.line], ridge_probability(unit, settings)[net.line]
    assert strength.min() < 0.4 < strength.max()
    np.testing.assert_array_equal(probability > 0.5, strength > np.float32(0.4))
    assert (np.diff(probability[np.argsort(strength)]) >= 0).all()


def test_grains_that_lines_cut_or_lose_count_as_errors_where_somebody_judged() -> None:
    two = np.ones((20, 40), np.int64)
    two[:, 20:] = 2
    column = np.zeros((20, 40), np.bool_)
    column[:, 30] = True
    empty, label = np.zeros((20, 40), np.float32), np.zeros((20, 40), np.uint8)
    ignored = np.where(np.arange(40) > 25, np.uint8(IGNORE), label)
    settings = RidgeSettings(20.0, True, 1.5, 0.5, 0.05, 0.4, 1.0)
    for strong, codes, ids, error in (
        (column, label, np.ones_like(two), 1.0),
        (column, ignored, np.ones_like(two), 0.0),
        (np.zeros_like(column), label, two, 0.5),
    ):
        net = WatershedLines(strong, strong.astype(np.float32))
        assert _score([net], [TrainingField(empty, codes, ids)], settings).count_error == error


def test_a_picture_of_one_grey_level_has_no_boundary(tuned: tuple[RidgeSettings, RidgeScore]) -> None:
    assert not ridge_probability(np.zeros((50, 60), np.float32), tuned[0]).any()


def test_ignored_pixels_do_not_count() -> None:
    """Of labels that were drawn on two thirds of the pictures, these alone are tuned to."""
    judged = []
    for field in (drawn_field(0), drawn_field(1)):
        label = field.label.copy()
        label[:, 100:] = IGNORE
        judged.append(TrainingField(field.unit, label, label_grains(label)))
    settings, score = tune_ridge(judged)
    assert settings.dark
    assert score.iou > 0.7
    assert score.count_error < 0.05
