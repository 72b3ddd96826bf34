from dataclasses import asdict, astuple, replace
from functools import cache

import cv2
import numpy as np
import pytest

from grainseg.grains.closing.partition import DEFAULT_SETTINGS, PartitionSettings, partition_probability
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.grains.scoring.partition_fit import GRID, LabelledMap, fit_partition
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.plain.polycrystal import polycrystal

TIPS = 0.02
"""How far the extension of tips moves a score of these small fields."""


@cache
def image(seed=0, side=128):
    """Grains, and a blurred and noisy map of their boundaries that misses some."""
    grains = polycrystal(seed, (side, side), 20, 0.42, 3)
    rng = np.random.default_rng(seed)
    lines = (boundary_lines(grains) == BOUNDARY).astype(np.float32)
    faint = cv2.resize(rng.random((12, 12), np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    noisy = lines * np.clip(1.5 * faint, 0, 1) + 0.3 * rng.standard_normal(lines.shape, np.float32)
    return np.clip(cv2.GaussianBlur(noisy, (0, 0), 1), 0, 1), grains


def error(settings, *images):
    """Of all images together: a probability and a label each, perhaps a mask of what nobody judged."""
    scores = RegionScores()
    for probability, *judged in images:
        scores += region_scores(partition_probability(probability, settings).grains, *judged)
    return scores.adapted_rand_error + scores.grain_count_error


@pytest.mark.parametrize("seed", [0, 1])
def test_a_fit_mends_a_map_for_which_the_default_is_wrong(seed):
    """A network that is too cautious: its probabilities are a third of what they should be."""
    probability, label = image(seed)
    cautious = probability / 3
    settings = fit_partition([cautious], [label], [None])
    assert error(settings, (cautious, label)) < 0.8 * error(DEFAULT_SETTINGS, (cautious, label))


@pytest.mark.parametrize("settings", [DEFAULT_SETTINGS, PartitionSettings(0.2, 0.3, 0.15, 0.01)])
def test_a_fit_scores_grains_as_they_are_scored_afterwards(settings):
    """But for the extension of their tips."""
    ignore = np.zeros((128, 128), np.bool_)
    ignore[:, :40] = True
    whole, partly = (*image(0), None), (*image(1), ignore)
    scores = [LabelledMap(*each).score(*astuple(settings)) for each in (whole, partly)]
    assert scores[0].error == pytest.approx(error(settings, whole), abs=TIPS)
    assert scores[1].error == pytest.approx(error(settings, partly), abs=TIPS)
    assert (scores[0] + scores[1]).error == pytest.approx(error(settings, whole, partly), abs=TIPS)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_one_image_cannot_tell_from_the_default_stays_near_it(seed):
    """Of all choices within the tolerance none is nearer; the least error itself is not followed."""
    probability, label = image(seed)
    settings = fit_partition([probability], [label], [None])
    default = error(DEFAULT_SETTINGS, (probability, label))
    assert error(settings, (probability, label)) < default + 0.4 / np.sqrt(label.max())


def test_what_somebody_said_is_taken_and_the_rest_is_fitted_to_it():
    """The settings that suit another threshold are not those that suit this one."""
    images = [image(seed) for seed in (0, 1, 2)]
    maps, labels = zip(*images, strict=True)
    free = fit_partition(maps, labels, [None] * 3)
    given = {"threshold": 0.8}
    settings = fit_partition(maps, labels, [None] * 3, given)
    assert settings.threshold == 0.8
    afterwards = replace(free, **given)
    assert fit_partition(maps, labels, [None] * 3, asdict(afterwards)) == afterwards
    assert error(settings, *images) < 0.9 * error(afterwards, *images)
    with pytest.raises(ValueError, match="threshold 2 outside"):
        fit_partition(maps, labels, [None] * 3, {"threshold": 2})


def test_ignored_pixels_have_no_say():
    probability, label = image()
    ignore = np.zeros(label.shape, np.bool_)
    ignore[:60] = True
    other = np.where(ignore, 1 + np.arange(label.size).reshape(label.shape) % 7, label)
    assert (
        LabelledMap(probability, other, ignore).score(*astuple(DEFAULT_SETTINGS)).overlap
        == LabelledMap(probability, np.where(ignore, 0, label), None)
        .score(*astuple(DEFAULT_SETTINGS))
        .overlap
    )


def test_a_fit_at_the_end_of_its_grid_widens_it():
    probability, label = image()
    settings = fit_partition([probability * np.float32(0.2)], [label], [None])
    assert settings.threshold < min(GRID[0])


def test_of_equal_choices_the_nearest_to_the_default():
    mask = np.zeros((60, 60), np.float32)
    mask[29:32] = mask[:, 29:32] = 1
    label = np.repeat(np.repeat(np.array([[1, 2], [3, 4]]), 30, axis=0), 30, axis=1)
    settings = fit_partition([mask], [label], [None])
    assert partition_probability(mask, settings).count == 4
    assert settings.threshold == DEFAULT_SETTINGS.threshold
    assert settings.depth == DEFAULT_SETTINGS.depth


def test_a_map_without_grains_chooses_nothing():
    label = np.repeat([[1, 2]], 20, axis=0).repeat(10, axis=1)
    assert fit_partition([np.ones(label.shape, np.float32)], [label], [None]) == DEFAULT_SETTINGS


def test_wrong_input():
    probability, label = image()
    with pytest.raises(ValueError, match="at least one image"):
        fit_partition([], [], [])
    with pytest.raises(ValueError, match="probability of shape"):
        fit_partition([probability[1:]], [label], [None])
    with pytest.raises(ValueError, match="without a judged grain"):
        fit_partition([probability], [np.zeros_like(label)], [None])
    with pytest.raises(ValueError, match="zip"):
        fit_partition([probability], [label], [])


def test_a_threshold_below_all_probabilities_is_not_chosen():
    """An untrained network says 0.45 to 0.55 everywhere: at the default threshold nothing but boundary."""
    rng = np.random.default_rng(0)
    probability = rng.uniform(0.45, 0.55, (128, 128)).astype(np.float32)
    settings = fit_partition([probability], [image()[1]], [None])
    assert partition_probability(probability, settings).count > 0
