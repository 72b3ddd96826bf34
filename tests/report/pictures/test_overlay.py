from itertools import combinations

import cv2
import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from grainseg.grains.scoring.agreement import boundary_counts
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.report.pictures.overlay import (
    CORRECT,
    FALSE,
    LINE,
    MISSED,
    boundary_overlay,
    error_overlay,
    panel,
    to_display,
)

# Linear RGB as seen without one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1.
COLOUR_BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def micrograph(shape=(60, 80)):
    return np.random.default_rng(0).normal(100, 20, size=shape).astype(np.float32)


def rows(*indices):
    mask = np.zeros((60, 80), np.bool_)
    mask[list(indices)] = True
    return mask


def is_colour(picture, colour):
    return (picture == colour).all(axis=-1)


def seen_as(colour, matrix):
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    return rgb2lab(np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (60, 80), (1, 1, 3), (60, 80, 3)])
def test_display_has_the_images_size_and_the_screens_range(shape):
    shown = to_display(micrograph(shape))

    assert (shown.shape, shown.dtype) == ((*shape[:2], 3), np.uint8)
    if shape[0] > 1:
        assert (shown.min(), shown.max()) == (0, 255)


def test_the_smallest_and_largest_floats_are_shown_without_a_warning():
    steps = np.linspace(0, 1, 400).reshape(20, 20)
    expected = to_display(steps.astype(np.float32)).astype(int)
    for pixels in ((steps * 1e-42).astype(np.float32), ((steps - 0.5) * 6e38).astype(np.float32)):
        assert np.abs(to_display(pixels).astype(int) - expected).max() <= 1


def test_display_stretches_between_the_percentiles_whatever_the_scale():
    pixels = np.linspace(0, 1, 1001, dtype=np.float32).reshape(7, 143)

    shown = to_display(pixels)

    np.testing.assert_allclose(shown[..., 0], np.clip((pixels - 0.005) / 0.99, 0, 1) * 255, atol=0.51)
    np.testing.assert_allclose(to_display(pixels * 65535 - 100).astype(int), shown, atol=1)


def test_display_of_constant_and_of_nearly_constant_images():
    constant = np.full((300, 300), 7, np.float32)
    assert (to_display(constant) == 128).all()

    constant[5, 5] = 9
    shown = to_display(constant)
    assert tuple(shown[5, 5]) == (255, 255, 255)
    assert shown.sum() == 3 * 255


def test_display_keeps_hues():
    pixels = np.zeros((20, 20, 3), np.float32)
    pixels[:10, :, 0] = 0.5

    assert is_colour(to_display(pixels)[:10], (255, 0, 0)).all()


@pytest.mark.parametrize("shape", [(60, 80), (60, 80, 3)])
def test_boundary_overlay_changes_nothing_but_the_boundary(shape):
    boundary = rows(10, 11, 12)

    picture = boundary_overlay(micrograph(shape), boundary)

    assert (picture.shape, picture.dtype) == ((60, 80, 3), np.uint8)
    assert (picture[boundary].max(axis=-1) - picture[boundary].min(axis=-1)).min() > 100
    assert (picture[~boundary] == picture[~boundary][:, :1]).all()
    if len(shape) == 2:
        np.testing.assert_array_equal(picture[~boundary], to_display(micrograph(shape))[~boundary])


def test_boundary_overlay_lets_the_image_shine_through():
    pixels = np.tile(np.array([0, 0.5, 1], np.float32), (60, 80))[:, :80]

    line = boundary_overlay(pixels, rows(10))[10, :3].astype(int)

    assert tuple(line[0]) == LINE
    assert (np.diff(line[:, 1:], axis=0) > 0).all()


def test_errors_are_drawn_in_their_colours_where_they_are():
    label = rows(10, 30).astype(np.uint8)

    picture = error_overlay(micrograph(), rows(12, 50), label, tolerance_px=2)

    assert (picture.shape, picture.dtype) == ((60, 80, 3), np.uint8)
    # Found lines are 3 px wide where they were predicted, errors 5 px.
    np.testing.assert_array_equal(np.flatnonzero(is_colour(picture, CORRECT)[:, 40]), [11, 12, 13])
    np.testing.assert_array_equal(np.flatnonzero(is_colour(picture, MISSED)[:, 40]), np.arange(28, 33))
    np.testing.assert_array_equal(np.flatnonzero(is_colour(picture, FALSE)[:, 40]), np.arange(48, 53))
    rest = np.delete(picture, [*range(11, 14), *range(28, 33), *range(48, 53)], axis=0)
    assert (rest == rest[..., :1]).all()
    assert rest.max() < 128


def test_errors_agree_with_the_counts():
    shifted = error_overlay(micrograph(), rows(13), rows(10).astype(np.uint8), tolerance_px=2)

    assert boundary_counts(rows(13), rows(10).astype(np.uint8), 2).f1 == 0
    assert not is_colour(shifted, CORRECT).any()
    assert is_colour(shifted, MISSED).any()
    assert is_colour(shifted, FALSE).any()


def test_the_middle_of_a_broad_band_is_what_matches():
    """As in the counts: whoever paints everything finds nothing."""
    line, broad = rows(32), rows(*range(20, 35))
    for predicted, labelled, colour in ((broad, line, MISSED), (line, broad, FALSE)):
        picture = error_overlay(micrograph(), predicted, labelled.astype(np.uint8), tolerance_px=3)
        assert boundary_counts(predicted, labelled.astype(np.uint8), 3).f1 == 0
        np.testing.assert_array_equal(np.flatnonzero(is_colour(picture, colour)[:, 40]), np.arange(30, 35))


def test_lines_that_do_not_count_beside_the_ignored_region_are_not_drawn():
    pixels, label = np.full((60, 80), 0.5, np.float32), np.zeros((60, 80), np.uint8)
    label[:, 50:] = IGNORE
    for column, drawn in ((40, True), (47, False), (49, False)):
        predicted = np.zeros(label.shape, np.bool_)
        predicted[:, column - 1 : column + 2] = True
        picture = error_overlay(pixels, predicted, label, 4)
        assert (picture == FALSE).all(axis=2).any() == drawn


def test_a_title_says_what_is_hatched():
    pixels, label = np.full((260, 260), 0.5, np.float32), np.zeros((260, 260), np.uint8)
    label[100:103] = BOUNDARY
    part = label.copy()
    part[:, 200:] = IGNORE
    shown = [panel(pixels, each, pixels, each == BOUNDARY, 3) for each in (label, part)]
    head = np.s_[:-260, 264:524]
    assert (shown[0][head] != shown[1][head]).any()
    assert (shown[0][:-260, :260] == shown[1][:-260, :260]).all()


def test_the_ignored_region_is_hatched_and_without_lines():
    label = rows(10, 50).astype(np.uint8)
    label[:, 40:] = IGNORE

    predicted = rows(10, 40)
    predicted[20:30, 41] = True

    picture = error_overlay(micrograph(), predicted, label, tolerance_px=2)

    ignored = picture[:, 40:]
    assert (ignored == ignored[..., :1]).all()
    hatch = np.add.outer(np.arange(60), np.arange(40, 80)) % 12 < 2
    assert ignored[hatch].min() > ignored[~hatch].max()
    assert ignored[~hatch].mean() < 0.6 * picture[20:30, :40].mean()
    assert is_colour(picture[:, :39], CORRECT).any()
    assert not is_colour(picture[:, 39:], CORRECT).any()  # within the tolerance of what nobody judged
    assert is_colour(picture[50, :40], MISSED).all()
    np.testing.assert_array_equal(np.flatnonzero(is_colour(picture, FALSE).any(axis=1)), np.arange(38, 43))


def test_lines_widen_with_the_image():
    label = np.zeros((4000, 40), np.uint8)
    label[2000] = BOUNDARY

    picture = error_overlay(np.zeros(label.shape, np.float32), label == BOUNDARY, label, tolerance_px=1)

    assert np.count_nonzero(is_colour(picture, CORRECT)[:, 20]) == 5


@pytest.mark.parametrize("deficiency", COLOUR_BLIND)
def test_error_colours_stay_apart_for_the_colour_blind(deficiency):
    seen = [seen_as(colour, COLOUR_BLIND[deficiency]) for colour in (CORRECT, MISSED, FALSE)]

    assert min(deltaE_ciede2000(a, b) for a, b in combinations(seen, 2)) > 23


@pytest.mark.parametrize(
    ("shape", "view"),
    [((1, 1), (240, 240)), ((5, 700), (5, 700)), ((700, 5), (700, 240)), ((60, 80), (180, 240))],
)
def test_panel_sets_four_views_side_by_side(shape, view):
    pixels = micrograph(shape)
    empty = np.zeros(shape, np.uint8)

    picture = panel(pixels, empty, np.zeros(shape, np.float32), empty > 0, tolerance_px=2)

    height, width = view
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (4 * width + 3 * 4, 3)
    caption = picture.shape[0] - height
    assert 40 <= caption <= 60
    for column in range(4):
        assert picture[:caption, column * (width + 4) : column * (width + 4) + width].max() > 200


def test_panel_shows_each_view_unchanged():
    pixels = micrograph((250, 300, 3))
    label = np.zeros((250, 300), np.uint8)
    label[100:103], label[200:] = BOUNDARY, IGNORE
    probability = np.zeros((250, 300), np.float32)
    probability[101:104] = 1

    picture = panel(pixels, label, probability, probability > 0.5, tolerance_px=2)[-250:]

    image, drawn, chance, errors = (picture[:, start : start + 300] for start in (0, 304, 608, 912))
    np.testing.assert_array_equal(image, to_display(pixels))
    np.testing.assert_array_equal(is_colour(drawn[:200], (255, 255, 255)), label[:200] == BOUNDARY)
    assert chance[101:104].min() > 180
    assert chance[:100].max() < 10
    np.testing.assert_array_equal(errors, error_overlay(pixels, probability > 0.5, label, 2))


@pytest.mark.parametrize("shape", [(500, 700), (1500, 300)])
def test_panel_of_shrunk_views_looks_like_the_shrunk_panel(shape):
    rng = np.random.default_rng(1)
    label = np.zeros(shape, np.uint8)
    label[20:23], label[:, 30:33], label[50:, 50:] = BOUNDARY, BOUNDARY, IGNORE
    pixels, probability = micrograph(shape), rng.random(shape, np.float32)

    whole = panel(pixels, label, probability, label == BOUNDARY, 2)
    small = panel(pixels, label, probability, label == BOUNDARY, 2, longest_px=1200)

    factor = min(1200 / shape[0], (1200 / 4 - 4) / shape[1])
    height, width = (round(factor * px) for px in shape)
    shown = max(width, 240)
    assert small.shape[1] == 4 * shown + 12
    for column in range(4):
        start = column * (whole.shape[1] + 4) // 4
        expected = whole[-shape[0] :, start : start + shape[1]]
        expected = cv2.resize(expected, (width, height), interpolation=cv2.INTER_AREA)
        got = small[-height:, column * (shown + 4) :][:, :width]
        np.testing.assert_array_equal(got, expected)


def test_panel_does_not_shrink_what_fits():
    pixels, empty = micrograph(), np.zeros((60, 80), np.uint8)
    probability = np.zeros((60, 80), np.float32)
    whole, bounded = (panel(pixels, empty, probability, empty > 0, 2, longest) for longest in (None, 2048))
    np.testing.assert_array_equal(bounded, whole)


def test_panel_explains_the_colours():
    empty = np.zeros((100, 100), np.uint8)

    picture = panel(micrograph((100, 100)), empty, np.zeros((100, 100), np.float32), empty > 0, 2)

    for colour in (CORRECT, MISSED, FALSE):
        assert np.count_nonzero(is_colour(picture, colour)) > 50
