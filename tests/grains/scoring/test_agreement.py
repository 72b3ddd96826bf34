import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from skimage.morphology import skeletonize

from grainseg.grains.scoring.agreement import (
    BoundaryCounts,
    PixelScores,
    boundary_counts,
    fit_threshold,
    pixel_scores,
)
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE

EMPTY = np.zeros((20, 30), np.bool_)
NO_BOUNDARY = np.zeros((20, 30), np.uint8)


def network_of_lines(seed, shape=(60, 70)):
    """Closed curved lines, a few px wide."""
    field = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 4)
    return np.abs(field) < 0.1 * field.std()


def stripes(offset):
    """Vertical lines 3 px wide, 20 px apart."""
    mask = np.zeros((40, 100), np.bool_)
    for start in range(offset + 5, 95, 20):
        mask[:, start : start + 3] = True
    return mask


def as_label(mask):
    return np.where(mask, BOUNDARY, GRAIN).astype(np.uint8)


def counts_by_brute_force(predicted, label, tolerance):
    lines = skeletonize(predicted), skeletonize(label == BOUNDARY)
    predicted_at, label_at = (np.argwhere(line) for line in lines)
    distances = cdist(predicted_at, label_at)
    counted = cdist(predicted_at, np.argwhere(label == IGNORE)).min(axis=1) > tolerance
    return BoundaryCounts(
        int(counted.sum()),
        int((counted & (distances <= tolerance).any(axis=1)).sum()),
        len(label_at),
        int((distances <= tolerance).any(axis=0).sum()),
    )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tolerance", [0, 1, math.sqrt(2), math.sqrt(5), 3, math.sqrt(13)])
def test_counts_equal_brute_force(seed, tolerance):
    predicted = network_of_lines(seed)
    label = as_label(network_of_lines(seed + 100))
    label[20:35, 30:50] = IGNORE

    assert boundary_counts(predicted, label, tolerance) == counts_by_brute_force(predicted, label, tolerance)


@pytest.mark.parametrize(
    ("shift", "tolerance", "f1"), [(0, 0, 1), (1, 1, 1), (2, 1, 0), (2, 2, 1), (3, 2, 0)]
)
def test_shifted_lines(shift, tolerance, f1):
    counts = boundary_counts(stripes(shift), as_label(stripes(0)), tolerance)

    assert (counts.precision, counts.recall, counts.f1) == (f1, f1, f1)


def test_line_width_does_not_matter():
    thin = np.zeros((40, 40), np.bool_)
    thick = thin.copy()
    thin[20] = True
    thick[18:23] = True

    assert boundary_counts(thin, as_label(thick), 2).f1 == 1
    assert pixel_scores(thin, as_label(thick)).iou == 0.2


def test_missing_and_false_lines_by_closed_form():
    label = np.zeros((50, 50), np.bool_)
    label[10], label[30] = True, True
    predicted = np.zeros((50, 50), np.bool_)
    predicted[10], predicted[20, :25] = True, True

    counts = boundary_counts(predicted, as_label(label), 2)

    assert counts == BoundaryCounts(75, 50, 100, 50)
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.recall == 0.5
    assert counts.f1 == pytest.approx(4 / 7)


@pytest.mark.parametrize("seed", range(5))
def test_swapping_prediction_and_label_swaps_precision_and_recall(seed):
    a, b = network_of_lines(seed), network_of_lines(seed + 50)

    there, back = boundary_counts(a, as_label(b), 2), boundary_counts(b, as_label(a), 2)

    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.f1 == pytest.approx(back.f1)


def test_turns_and_flips_leave_straight_lines_exactly_and_curved_lines_nearly():
    bent, other = network_of_lines(1), network_of_lines(2)
    straight, shifted = stripes(0), stripes(2)
    for turn in (np.fliplr, np.flipud, np.rot90, np.transpose):
        assert boundary_counts(turn(shifted), as_label(turn(straight)), 2).f1 == 1
        # Thinning an even width must choose a side, so a flip moves the skeleton by up to a pixel.
        turned = boundary_counts(turn(bent), as_label(turn(other)), 2).f1
        assert turned == pytest.approx(boundary_counts(bent, as_label(other), 2).f1, abs=0.03)


def test_a_wider_tolerance_never_matches_less():
    predicted, label = network_of_lines(3), as_label(network_of_lines(4))

    counts = [
        boundary_counts(predicted, label, tolerance) for tolerance in (0, 0.5, 1, 1.5, 2, 3, 5, 10, 100)
    ]

    for less, more in pairwise(counts):
        assert less.predicted_matched_px <= more.predicted_matched_px
        assert less.label_matched_px <= more.label_matched_px
    assert counts[-1].f1 == 1


def test_empty_cases():
    mask = EMPTY.copy()
    mask[10] = True
    assert boundary_counts(EMPTY, NO_BOUNDARY, 2).f1 == 1
    assert pixel_scores(EMPTY, NO_BOUNDARY).iou == 1
    for counts in (boundary_counts(mask, NO_BOUNDARY, 2), boundary_counts(EMPTY, as_label(mask), 2)):
        assert (counts.precision, counts.recall, counts.f1) == (0, 0, 0)
    for scores in (pixel_scores(mask, NO_BOUNDARY), pixel_scores(EMPTY, as_label(mask))):
        assert (scores.precision, scores.recall, scores.iou) == (0, 0, 0)
    nothing = PixelScores()
    assert (nothing.precision, nothing.recall) == (1, 1)


def test_ignored_pixels_count_on_neither_side():
    predicted, label = EMPTY.copy(), NO_BOUNDARY.copy()
    predicted[5], predicted[15] = True, True
    label[5] = BOUNDARY
    label[12:] = IGNORE

    assert boundary_counts(predicted, label, 1) == BoundaryCounts(30, 30, 30, 30)
    assert pixel_scores(predicted, label) == PixelScores(tp=30, fp=0, fn=0)
    assert pixel_scores(~EMPTY, np.full_like(label, IGNORE)) == PixelScores()


def test_a_line_predicted_just_inside_an_ignored_region_still_finds_the_label():
    predicted, label = EMPTY.copy(), NO_BOUNDARY.copy()
    predicted[11] = True
    label[10] = BOUNDARY
    label[11:] = IGNORE

    assert boundary_counts(predicted, label, 1) == BoundaryCounts(0, 0, 30, 30)


def test_a_line_within_the_tolerance_of_ignored_pixels_counts_neither_as_right_nor_as_wrong():
    """Its label may be one of those that were not drawn."""
    label = NO_BOUNDARY.copy()
    label[12:] = IGNORE
    for row, counted in ((8, 30), (9, 0), (10, 0), (11, 0), (12, 0)):
        predicted = EMPTY.copy()
        predicted[row] = True
        assert boundary_counts(predicted, label, 3) == BoundaryCounts(counted, 0, 0, 0)
    label[10] = BOUNDARY
    predicted = EMPTY.copy()
    predicted[10] = True
    assert boundary_counts(predicted, label, 3) == BoundaryCounts(0, 0, 30, 30)


def test_counts_add_up():
    parts = [BoundaryCounts(4, 3, 2, 1), BoundaryCounts(1, 1, 8, 8)]
    assert sum(parts, BoundaryCounts()) == BoundaryCounts(5, 4, 10, 9)
    total = PixelScores(1, 2, 3) + PixelScores(4, 0, 0)
    assert total == PixelScores(5, 2, 3)
    assert (total.iou, total.precision, total.recall) == (0.5, 5 / 7, 5 / 8)


def test_pixel_scores_equal_sets():
    rng = np.random.default_rng(0)
    predicted = rng.random((30, 30)) < 0.4
    label = rng.choice(np.array([GRAIN, BOUNDARY, IGNORE], np.uint8), size=(30, 30))
    found = set(map(tuple, np.argwhere(predicted & (label != IGNORE))))
    true = set(map(tuple, np.argwhere(label == BOUNDARY)))

    scores = pixel_scores(predicted, label)

    assert scores == PixelScores(len(found & true), len(found - true), len(true - found))
    assert scores.iou == pytest.approx(len(found & true) / len(found | true))


@pytest.mark.parametrize("seed", range(5))
def test_fit_threshold_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    # Whole percents, so that many probabilities lie exactly on a threshold.
    probabilities = [(rng.integers(0, 101, size=(25, 31)) / 100).astype(np.float32) for _ in range(3)]
    labels = [np.where(rng.random(p.shape) < p**2, BOUNDARY, GRAIN).astype(np.uint8) for p in probabilities]
    labels[0][:5] = IGNORE
    pairs = list(zip(probabilities, labels, strict=True))
    expected = {
        percent / 100: sum((pixel_scores(p > percent / 100, y) for p, y in pairs), PixelScores()).iou
        for percent in range(1, 100)
    }

    threshold, iou = fit_threshold(probabilities, labels)

    assert iou == max(expected.values()) == expected[threshold]


@pytest.mark.parametrize(
    ("low", "high", "threshold"), [(0.1, 0.9, 0.5), (0.1, 0.305, 0.3), (0.605, 0.9, 0.61)]
)
def test_fit_threshold_takes_the_one_closest_to_a_half(low, high, threshold):
    label = as_label(stripes(0))
    probability = np.where(label == BOUNDARY, high, low).astype(np.float32)

    assert fit_threshold([probability], [label]) == (threshold, 1)


def test_fit_threshold_without_boundary():
    assert fit_threshold([np.full((4, 4), 0.7, np.float32)], [np.zeros((4, 4), np.uint8)]) == (0.7, 1)


def test_inputs_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="shape"):
        boundary_counts(EMPTY, NO_BOUNDARY[:1], 2)
    with pytest.raises(ValueError, match="shape"):
        pixel_scores(EMPTY, NO_BOUNDARY[:1])
    with pytest.raises(ValueError, match="shape"):
        fit_threshold([np.zeros((4, 4), np.float32)], [NO_BOUNDARY])
    with pytest.raises(ValueError, match="at least one"):
        fit_threshold([], [])
    with pytest.raises(ValueError, match="zip"):
        fit_threshold([np.zeros((4, 4), np.float32)], [])
