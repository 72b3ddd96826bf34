import numpy as np
import pytest
from report.pictures.test_overlay import COLOUR_BLIND, is_colour, seen_as
from report_example import checkerboard
from skimage.color import deltaE_ciede2000

from grainseg.report.pictures.grain_overlay import (
    CLOSED,
    SizeScale,
    boundary_layer,
    partition_overlay,
    scale_stops,
    scale_ticks,
    size_layer,
    size_scale,
)
from grainseg.report.pictures.overlay import LINE, to_display


@pytest.fixture
def pixels():
    return np.random.default_rng(0).normal(100, 20, size=(60, 60)).astype(np.float32)


def coloured(picture):
    return picture.max(axis=-1).astype(int) - picture.min(axis=-1) > 60


def test_lines_are_3_px_wide_between_grains_and_the_rest_is_the_micrograph(pixels):
    picture = partition_overlay(pixels, checkerboard(60, 20))

    assert (picture.shape, picture.dtype) == ((60, 60, 3), np.uint8)
    np.testing.assert_array_equal(np.flatnonzero(coloured(picture)[:, 10]), [18, 19, 20, 38, 39, 40])
    np.testing.assert_array_equal(picture[~coloured(picture)], to_display(pixels)[~coloured(picture)])


def test_lines_are_of_one_hue_with_the_micrograph_shining_through():
    dark = partition_overlay(np.zeros((60, 60), np.float32), checkerboard(60, 20))
    ramp = np.tile(np.linspace(0, 1, 60, dtype=np.float32), (60, 1))

    assert (dark[19, 10] >= LINE).all()
    assert partition_overlay(ramp, checkerboard(60, 20))[19, 55, 2] > 30


def test_closed_gaps_have_a_wider_line_of_another_colour_where_they_are(pixels):
    closed = np.zeros((60, 60), np.bool_)
    closed[19:21, 5:15] = True

    layer = boundary_layer(checkerboard(60, 20), closed)

    np.testing.assert_array_equal(np.flatnonzero(is_colour(layer[..., :3], CLOSED)[:, 10]), np.arange(17, 22))
    assert np.flatnonzero(is_colour(layer[..., :3], CLOSED).any(axis=0)).tolist() == list(range(2, 18))
    assert is_colour(layer[..., :3], LINE)[19, 30]


def test_pixels_marked_away_from_any_crack_are_not_drawn():
    closed = np.zeros((60, 60), np.bool_)
    closed[9:12, 9:12] = True

    assert not is_colour(boundary_layer(checkerboard(60, 20), closed)[..., :3], CLOSED).any()


def test_excluded_area_is_veiled_and_hatched(pixels):
    grains = checkerboard(60, 20)
    grains[20:40, 20:40] = 0

    layer = boundary_layer(grains)

    inside = layer[24:36, 24:36]
    assert ((inside[..., 3] > 0) & (inside[..., 3] < 255)).all()
    assert len(np.unique(inside[..., 0])) == 2
    assert (layer[5:15, 5:15] == 0).all()


def test_ids_may_have_gaps_and_lines_widen_with_the_image():
    grains = np.full((4000, 8), 7, np.uint32)
    grains[2000:] = 4_000_000_000

    picture = partition_overlay(np.zeros(grains.shape, np.float32), grains)

    assert np.count_nonzero(coloured(picture)[:, 4]) == 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (60, 60, 3)])
def test_odd_shapes_and_colours(shape):
    pixels = np.random.default_rng(0).random(shape, dtype=np.float32)

    assert partition_overlay(pixels, np.ones(shape[:2], np.uint32)).shape == (*shape[:2], 3)


@pytest.mark.parametrize("deficiency", COLOUR_BLIND)
def test_closed_gaps_stay_apart_from_lines_and_greys_for_the_colour_blind(deficiency):
    matrix = COLOUR_BLIND[deficiency]
    closed = seen_as(CLOSED, matrix)

    assert deltaE_ciede2000(closed, seen_as(LINE, matrix)) > 50
    assert min(deltaE_ciede2000(closed, seen_as((grey,) * 3, matrix)) for grey in range(256)) > 18


def test_size_scale_spans_the_middle_of_the_sizes_evenly_in_the_logarithm():
    scale = size_scale(np.exp(np.linspace(0, np.log(100), 1001)))

    assert scale.low == pytest.approx(100**0.05, rel=1e-3)
    assert scale.high == pytest.approx(100**0.98, rel=1e-3)
    middle = np.sqrt(scale.low * scale.high)
    np.testing.assert_allclose(scale.position([1e-9, scale.low, middle, scale.high, 1e9]), [0, 0, 0.5, 1, 1])


@pytest.mark.parametrize("sizes", [[], [np.nan], [0.0], [5.0], [5.0] * 10])
def test_size_scale_of_nothing_and_of_equal_sizes(sizes):
    scale = size_scale(sizes)

    assert 0 < scale.low < scale.high
    assert np.isfinite(scale.position([np.nan, 0, 5])).all()


def test_larger_grains_are_brighter_and_equal_ones_alike():
    colours = SizeScale(1, 100).colours(np.geomspace(1, 100, 9)).astype(float)

    luminance = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()
    assert scale_stops()[0] == "rgb(68 1 84)"
    assert scale_ticks(SizeScale(4, 25)) == [5, 7, 10, 20]


def test_size_layer_colours_grains_and_leaves_out_what_is_none():
    grains = checkerboard(60, 20)
    grains[grains == 5] = 0
    ids = np.array([1, 2, 3, 4, 6, 7, 8, 9])
    scale = SizeScale(1, 9)

    layer = size_layer(grains, ids, ids.astype(float), scale)

    assert (layer[30, 30] == 0).all()
    assert 0 < layer[5, 5, 3] < 255
    for grain in (1, 2, 9):
        row, column = divmod(grain - 1, 3)
        np.testing.assert_array_equal(layer[20 * row + 8, 20 * column + 8, :3], scale.colours([grain])[0])
    assert layer[19, 5].tolist()[:3] < layer[5, 5].tolist()[:3]


def test_size_layer_of_ids_as_large_as_they_get():
    ids = np.array([5, 2**32 - 1], np.uint32)
    grains = np.repeat(ids, 20)[None].repeat(10, axis=0)
    grains[0, 0] = 7  # of which nothing is known

    layer = size_layer(grains, ids, np.array([1.0, 9.0]), SizeScale(1, 9))

    np.testing.assert_array_equal(layer[5, [8, 30], :3], SizeScale(1, 9).colours([1, 9]))
    assert layer[0, 0, 3] in (0, 220)
