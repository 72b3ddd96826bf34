from dataclasses import asdict, replace
from functools import cache

import cv2
import numpy as np
import pytest

from grainseg.grains.closing.partition import DEFAULT_SETTINGS, partition_probability
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.grains.scoring.partition_fit import GRID, fit_partition
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


def error(scores):
    return scores.adapted_rand_error + scores.grain_count_error


@pytest.mark.parametrize("seed", [0, 1])
def test_a_fit_mends_a_map_for_which_the_default_is_wrong_and_says_what_it_reaches(seed):
    """A network that is too cautious: its probabilities are a third of what they should be."""
    probability, label = image(seed)
    cautious = probability / 3
    settings, scores = fit_partition([cautious], [label], [None])
    found = region_scores(partition_probability(cautious, settings).grains, label)
    assert error(found) < 0.8 * error(region_scores(partition_probability(cautious).grains, label))
    # The fit scores grains before their tips are extended.
    assert scores["objective"] == pytest.approx(error(found), abs=TIPS)
    assert scores["are"] == pytest.approx(found.adapted_rand_error, abs=TIPS)
    assert scores["voi_split"] == pytest.approx(found.voi_split, abs=3 * TIPS)
    assert scores["voi_merge"] == pytest.approx(found.voi_merge, abs=3 * TIPS)
    assert scores["grain_count_error"] == pytest.approx(found.grain_count_error)


@pytest.mark.parametrize("seed", [0, 1])
def test_what_one_image_cannot_tell_from_the_default_stays_near_it(seed):
    """Of all choices within the tolerance none is nearer; the least error itself is not followed."""
    probability, label = image(seed)
    _, scores = fit_partition([probability], [label], [None])
    default = error(region_scores(partition_probability(probability).grains, label))
    assert scores["objective"] < default + 0.4 / np.sqrt(label.max())


def test_what_somebody_said_is_taken_and_the_rest_is_fitted_to_it():
    """The settings that suit another threshold are not those that suit this one."""
    images = [image(seed) for seed in (0, 1, 2)]
    maps, labels = zip(*images, strict=True)
    free, _ = fit_partition(maps, labels, [None] * 3)
    given = {"threshold": 0.8}
    settings, scores = fit_partition(maps, labels, [None] * 3, given=given)
    assert settings.threshold == 0.8
    _, afterwards = fit_partition(maps, labels, [None] * 3, given=asdict(replace(free, **given)))
    assert scores["objective"] < 0.9 * afterwards["objective"]
    with pytest.raises(ValueError, match="threshold 2 outside"):
        fit_partition(maps, labels, [None] * 3, given={"threshold": 2})


def test_several_images_are_scored_together():
    images = [image(seed) for seed in (0, 1)]
    ignore = np.zeros((128, 128), np.bool_)
    ignore[:, :40] = True
    probabilities, labels = zip(*images, strict=True)
    settings, scores = fit_partition(probabilities, labels, [None, ignore])
    total = RegionScores()
    for (probability, label), mask in zip(images, (None, ignore), strict=True):
        total += region_scores(partition_probability(probability, settings).grains, label, mask)
    assert scores["objective"] == pytest.approx(error(total), abs=TIPS)


def test_ignored_pixels_have_no_say():
    probability, label = image()
    ignore = np.zeros(label.shape, np.bool_)
    ignore[:60] = True
    other = np.where(ignore, 1 + np.arange(label.size).reshape(label.shape) % 7, label)
    assert (
        fit_partition([probability], [other], [ignore])[1]["are"]
        == fit_partition([probability], [np.where(ignore, 0, label)], [None])[1]["are"]
    )


def test_a_fit_at_the_end_of_its_grid_widens_it():
    probability, label = image()
    settings, _ = fit_partition([probability * np.float32(0.2)], [label], [None])
    assert settings.threshold < min(GRID[0])


def test_of_equal_choices_the_nearest_to_the_default():
    mask = np.zeros((60, 60), np.float32)
    mask[29:32] = mask[:, 29:32] = 1
    label = np.repeat(np.repeat(np.array([[1, 2], [3, 4]]), 30, axis=0), 30, axis=1)
    settings, scores = fit_partition([mask], [label], [None])
    assert scores["grain_count_error"] == 0
    assert settings.threshold == DEFAULT_SETTINGS.threshold
    assert settings.depth == DEFAULT_SETTINGS.depth


@pytest.mark.parametrize("objective", ["are", "voi", "count"])
def test_other_objectives(objective):
    probability, label = image()
    _, scores = fit_partition([probability], [label], [None], objective)
    expected = {
        "are": scores["are"],
        "voi": scores["voi_split"] + scores["voi_merge"],
        "count": scores["grain_count_error"],
    }
    assert scores["objective"] == pytest.approx(expected[objective])


def test_a_map_without_grains_is_the_worst_and_no_crash():
    label = np.repeat([[1, 2]], 20, axis=0).repeat(10, axis=1)
    _, scores = fit_partition([np.ones(label.shape, np.float32)], [label], [None])
    assert scores["grain_count_error"] == 1


def test_wrong_input():
    probability, label = image()
    with pytest.raises(ValueError, match="objective 'iou': must be one of are_count, are, voi, count"):
        fit_partition([probability], [label], [None], "iou")
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
    settings, _ = fit_partition([probability], [image()[1]], [None])
    assert partition_probability(probability, settings).count > 0
