"""Where to label next: regions tile a picture, scores are means, ranks spread over the pictures."""

import numpy as np
import pytest

from grainseg.grains.trust.suggestion import (
    Region,
    boundary_band,
    disagreement,
    rank_images,
    rank_regions,
    regions_of,
)


def region(image, score, row=0):
    return Region(image, row, 0, 10, 10, score)


def everywhere(shape):
    return np.ones(shape, np.bool_)


@pytest.mark.parametrize("window", [None, 32, 50, 1000])
@pytest.mark.parametrize("shape", [(97, 130), (256, 256), (600, 1100), (1, 1), (33, 700)])
def test_regions_do_not_overlap_and_stay_inside(shape, window):
    covered = np.zeros(shape, int)
    found = regions_of("a", np.zeros(shape, np.float32), everywhere(shape), window)
    for each in found:
        assert covered[each.place].shape == (each.height, each.width)
        covered[each.place] += 1
    assert covered.max() == 1
    if window is not None:
        assert {(each.height, each.width) for each in found} == {tuple(min(window, side) for side in shape)}


def test_by_default_a_region_is_a_quarter_of_a_small_picture_and_256_px_of_a_large_one():
    sizes = {
        shape: {
            (each.height, each.width) for each in regions_of("a", np.zeros(shape), everywhere(shape), None)
        }
        for shape in ((200, 300), (1000, 2000), (63, 64))
    }
    assert sizes == {(200, 300): {(100, 150)}, (1000, 2000): {(256, 256)}, (63, 64): {(63, 32)}}
    assert len(regions_of("a", np.zeros((200, 300)), everywhere((200, 300)), None)) == 4


def test_the_score_is_the_mean_over_the_band():
    probability = np.zeros((40, 60), np.float32)
    probability[20] = 0.9
    band = boundary_band(probability, 0.5)
    assert np.flatnonzero(band[:, 0]).tolist() == list(range(16, 25))
    spread = np.where(band, np.float32(0.3), np.float32(0.01))
    assert disagreement(spread, band) == pytest.approx(0.3)
    upper, lower = regions_of("a", spread, band, 20)[0], regions_of("a", spread, band, 20)[-1]
    assert upper.score == lower.score == pytest.approx(0.3)


def test_without_a_predicted_boundary_everything_counts():
    spread = np.full((20, 20), 0.2, np.float32)
    assert disagreement(spread, boundary_band(np.zeros((20, 20), np.float32), 0.5)) == pytest.approx(0.2)


def test_the_highest_score_comes_first_and_a_second_region_of_a_picture_counts_half():
    regions = [
        region("a", 0.4),
        region("a", 0.38, 10),
        region("b", 0.3),
        region("a", 0.36, 20),
        region("c", 0.1),
    ]
    chosen = rank_regions(regions, 5)
    assert [(each.image, each.score) for each in chosen] == [
        *(("a", 0.4), ("b", 0.3), ("a", 0.38), ("c", 0.1), ("a", 0.36)),
    ]
    assert rank_regions(regions, 2) == chosen[:2]


def test_a_picture_that_is_far_worse_is_suggested_again_at_once():
    regions = [region("a", 0.5), region("a", 0.45, 10), region("b", 0.1)]
    assert [each.image for each in rank_regions(regions, 3)] == ["a", "a", "b"]


def test_ties_keep_their_order():
    assert [each.image for each in rank_regions([region("b", 0.1), region("a", 0.1)], 9)] == ["b", "a"]
    assert rank_images({"b": 0.1, "a": 0.1, "c": 0.2}) == [("c", 0.2), ("b", 0.1), ("a", 0.1)]
