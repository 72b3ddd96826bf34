import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from skimage.metrics import adapted_rand_error, variation_of_information

from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.micrograph.plain.polycrystal import polycrystal


def grain_map(seed, shape=(80, 110)):
    return polycrystal(seed, shape, 18, 0.42, 1)


def halves(shape=(20, 40)):
    grains = np.ones(shape, np.int32)
    grains[:, shape[1] // 2 :] = 2
    return grains


@pytest.mark.parametrize("seed", range(4))
def test_overlap_scores_equal_scikit_image(seed):
    predicted, label = grain_map(seed), grain_map(seed + 10)
    scores = region_scores(predicted, label)
    error, _, _ = adapted_rand_error(label, predicted)
    splits, merges = variation_of_information(label, predicted)
    assert scores.adapted_rand_error == pytest.approx(error, rel=1e-9)
    assert scores.voi_split == pytest.approx(splits, rel=1e-9)
    assert scores.voi_merge == pytest.approx(merges, rel=1e-9)


def test_a_cut_is_a_split_and_a_missed_boundary_a_merge():
    whole, cut = np.ones((20, 40), np.int32), halves()
    split = region_scores(cut, whole)
    assert (split.voi_split, split.voi_merge) == pytest.approx((1, 0))
    assert split.signed_count_error == 1
    assert split.signed_intercept_error == -1
    merge = region_scores(whole, cut)
    assert (merge.voi_split, merge.voi_merge) == pytest.approx((0, 1))
    assert merge.signed_count_error == -0.5
    assert merge.grain_count_error == 0.5
    assert merge.intercept_error == math.inf
    # The order of scikit-image's arguments: (label, predicted) gives splits, then merges.
    assert variation_of_information(whole, cut).tolist() == pytest.approx([1, 0])


def test_full_agreement_whatever_the_numbers():
    label = grain_map(0)
    numbers = np.random.default_rng(0).permutation(900)[: label.max() + 1] + 1
    scores = region_scores(numbers[label].astype(np.uint32), label)
    assert scores.adapted_rand_error == pytest.approx(0)
    assert scores.voi_split == scores.voi_merge == 0
    assert scores.grain_count_error == scores.intercept_error == scores.wasserstein_px == 0


def test_sizes():
    predicted, label = grain_map(1), grain_map(2)
    scores = region_scores(predicted, label)
    assert scores.signed_count_error == predicted.max() / label.max() - 1
    ratio = mean_intercept_px(predicted) / mean_intercept_px(label)
    assert scores.signed_intercept_error == pytest.approx(ratio - 1)
    diameters = [np.sqrt(4 / math.pi * np.bincount(each.ravel())[1:]) for each in (predicted, label)]
    distance = wasserstein_distance(*diameters)
    assert scores.wasserstein_px == pytest.approx(distance)
    assert scores.wasserstein_relative == pytest.approx(distance / diameters[1].mean())


def test_what_nobody_judged_does_not_count():
    label = halves()
    predicted = label.copy()
    predicted[:, :10] = np.random.default_rng(0).integers(3, 9, (20, 10))
    ignore = np.zeros(label.shape, np.bool_)
    ignore[:, :10] = True
    assert region_scores(predicted, label).adapted_rand_error > 0.1
    for scores in (
        region_scores(predicted, label, ignore),
        region_scores(predicted, np.where(ignore, 0, label)),
    ):
        assert scores.adapted_rand_error == pytest.approx(0)
        assert scores.intercept_error == 0
        assert scores.predicted.count == pytest.approx(2)


def test_a_cut_grain_counts_in_part():
    label = halves()
    ignore = np.zeros(label.shape, np.bool_)
    ignore[:5, :20] = True
    scores = region_scores(label, label, ignore)
    assert scores.label.count == pytest.approx(1.75)


def test_no_grain_in_the_prediction_is_a_region_but_no_grain():
    label = halves()
    predicted = np.where(label == 2, 0, label)
    scores = region_scores(predicted, label)
    assert scores.adapted_rand_error == 0
    assert scores.signed_count_error == -0.5


def test_images_add_up_to_one_large_one():
    pairs = [(grain_map(seed), grain_map(seed + 10)) for seed in range(3)]
    total = sum((region_scores(*pair) for pair in pairs), RegionScores())
    stacked = []
    for side in (0, 1):
        shifted = [pair[side] + 1000 * number for number, pair in enumerate(pairs)]
        stacked.append(np.concatenate(shifted))
    whole = region_scores(stacked[0], stacked[1])
    for name in ("adapted_rand_error", "voi_split", "voi_merge", "signed_count_error", "wasserstein_px"):
        assert getattr(total, name) == pytest.approx(getattr(whole, name))
    lines = sum(mean_intercept_px(predicted) for predicted, _ in pairs)
    assert total.predicted.mean_intercept_px == pytest.approx(lines / 3, rel=0.05)


def test_nothing_adds_up_to_agreement():
    nothing = RegionScores()
    assert nothing.adapted_rand_error == nothing.voi_split == nothing.grain_count_error == 0
    assert nothing.intercept_error == 0
    assert math.isnan(nothing.wasserstein_px)


def test_wrong_input():
    label = halves()
    with pytest.raises(ValueError, match="predicted grains of shape"):
        region_scores(label[:, 1:], label)
    with pytest.raises(ValueError, match="ignore mask of shape"):
        region_scores(label, label, np.zeros((3, 3), np.bool_))
    with pytest.raises(ValueError, match="negative"):
        region_scores(-label, label)
    with pytest.raises(ValueError, match="negative"):
        region_scores(label, -label)
    with pytest.raises(ValueError, match="without a judged grain"):
        region_scores(label, np.zeros_like(label))
