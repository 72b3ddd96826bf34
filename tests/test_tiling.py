from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import correlate

from grainseg.tiling import TilePlan, grid_origins, plan_tiles, stitch

RADIUS = 4  # of the receptive field of `network`: a 5×5 and another 5×5 correlation


def network(tile):
    """Two correlations and two nonlinearities, zeros beyond the border, as networks have them."""
    rng = np.random.default_rng(7)
    first = rng.normal(size=(3, 5, 5)).astype(np.float32) / 5
    second = rng.normal(size=(5, 5)).astype(np.float32) / 5
    mixed = sum(correlate(c, k, mode="constant") for c, k in zip(tile, first, strict=False))
    return np.tanh(correlate(np.maximum(mixed, 0.1), second, mode="constant"))


def whole_image(image, plan):
    _, height, width = image.shape
    return network(plan.pad(image))[:height, :width]


def random_plan(rng) -> tuple[tuple[int, int], TilePlan, int, int]:
    stride = int(rng.choice([1, 2, 4, 8, 32]))
    tile = stride * int(rng.integers(1, max(4, 64 // stride)))
    overlap = int(rng.integers(0, tile - stride + 1))
    halo = int(rng.integers(0, overlap // 2 + 1))
    shape = (int(rng.integers(1, 4 * tile)), int(rng.integers(1, 4 * tile)))
    return shape, plan_tiles(shape, tile, overlap, halo, stride), halo, stride


SHAPES = [(1, 1), (5, 700), (700, 5), (20, 31), (32, 32), (33, 32), (64, 96), (97, 61), (130, 131)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("tile", "overlap", "stride"), [(32, 8, 1), (32, 8, 8), (32, 13, 4), (32, 24, 8), (40, 31, 1)]
)
def test_equals_the_whole_image_pass(shape, tile, overlap, stride):
    image = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    plan = plan_tiles(shape, tile, overlap, RADIUS, stride)

    stitched = stitch(image, plan, network)

    assert stitched.dtype == np.float32
    np.testing.assert_allclose(stitched, whole_image(image, plan), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(25))
def test_equals_the_whole_image_pass_for_random_plans(seed):
    rng = np.random.default_rng(seed)
    stride = int(rng.choice([1, 2, 4, 8]))
    tile = stride * int(rng.integers(16 // stride + 1, 64 // stride + 1))
    overlap = int(rng.integers(2 * RADIUS, tile - stride + 1))
    image = rng.normal(size=(1, *rng.integers(1, 120, size=2))).astype(np.float32)
    plan = plan_tiles(image.shape[1:], tile, overlap, RADIUS, stride)

    stitched = stitch(image, plan, network)

    np.testing.assert_allclose(stitched, whole_image(image, plan), atol=1e-5, rtol=0)


def test_too_small_a_halo_shows_at_the_seams():
    image = np.random.default_rng(0).normal(size=(1, 64, 64)).astype(np.float32)
    plan = plan_tiles((64, 64), tile=32, overlap=4, halo=RADIUS - 2, stride=1)

    assert np.abs(stitch(image, plan, network) - whole_image(image, plan)).max() > 1e-3


def test_equals_the_whole_image_pass_of_a_network_that_shifts_on_a_grid():
    def coarse(tile):
        """Mean of 32 px blocks and their neighbours: equivariant on the grid of 32 px only, radius 63 px."""
        blocks = tile[0].reshape(tile.shape[1] // 32, 32, -1, 32).mean(axis=(1, 3))
        return correlate(blocks, np.ones((3, 3)), mode="constant").repeat(32, axis=0).repeat(32, axis=1)

    image = np.random.default_rng(1).normal(size=(1, 500, 301)).astype(np.float32)
    plan = plan_tiles((500, 301), tile=192, overlap=130, halo=63, stride=32)

    expected = coarse(plan.pad(image))[:500, :301]
    np.testing.assert_allclose(stitch(image, plan, coarse), expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(300))
def test_plan_properties(seed):
    shape, plan, halo, stride = random_plan(np.random.default_rng(seed))

    for length, axis in zip(shape, (plan.rows, plan.columns), strict=True):
        assert axis.length == length
        assert length <= axis.padded < length + stride
        assert axis.tile <= axis.padded
        assert not np.any(np.array([axis.padded, axis.tile, *axis.origins]) % stride)
        assert axis.origins[0] == 0
        assert axis.origins[-1] + axis.tile == axis.padded
        assert all(left < right for left, right in pairwise(axis.origins))

        weights = axis.weights()
        assert weights.dtype == np.float32
        assert weights.min() >= 0
        total = np.zeros(axis.padded)
        for origin, share in zip(axis.origins, weights, strict=True):
            total[origin : origin + axis.tile] += share
        np.testing.assert_allclose(total, 1, atol=1e-6)
        if halo:
            assert not weights[1:, :halo].any()
            assert not weights[:-1, -halo:].any()


def test_an_image_that_fits_is_one_tile():
    plan = plan_tiles((100, 700), tile=256, overlap=64, halo=16, stride=32)

    assert (plan.rows.padded, plan.columns.padded) == (128, 704)
    assert plan.tile_shape == (128, 256)
    assert plan.rows.origins == (0,)
    assert plan.columns.origins == (0, 192, 384, 448)
    np.testing.assert_array_equal(plan.rows.weights(), 1)


def test_padding_mirrors_at_the_bottom_and_the_right_as_often_as_needed():
    plan = plan_tiles((2, 3), tile=8, overlap=0, halo=0, stride=8)

    padded = plan.pad(np.array([[[0, 1, 2], [10, 11, 12]]], np.float32))[0]

    np.testing.assert_array_equal(padded[0], [0, 1, 2, 2, 1, 0, 0, 1])
    np.testing.assert_array_equal(padded[:, 0], [0, 10, 10, 0, 0, 10, 10, 0])


def test_weights_are_full_at_the_border_and_in_the_middle_and_fall_smoothly():
    first, second = plan_tiles((8, 96), tile=64, overlap=32, halo=8, stride=32).columns.weights()

    np.testing.assert_array_equal(first[:40], 1)
    np.testing.assert_array_equal(first[56:], 0)
    assert np.all(np.diff(first[39:57]) < 0)
    np.testing.assert_array_equal(second, first[::-1])
    # Half a period of a cosine over 16 px, at the pixels' centres.
    expected = (1 + np.cos(np.pi * (np.arange(16) + 0.5) / 16)) / 2
    np.testing.assert_allclose(first[40:56], expected, atol=1e-6)


def test_an_overlap_of_two_halos_is_a_hard_cut():
    weights = plan_tiles((8, 96), tile=64, overlap=32, halo=16, stride=32).columns.weights()

    assert set(np.unique(weights)) == {0, 1}
    np.testing.assert_array_equal(weights.sum(axis=1), [48, 48])


@pytest.mark.parametrize("shape", SHAPES)
def test_each_pixel_counts_once(shape):
    plan = plan_tiles(shape, tile=48, overlap=37, halo=5, stride=8)

    ones = stitch(np.zeros((1, *shape), np.float32), plan, lambda tile: np.ones_like(tile[0]))

    assert ones.shape == shape
    np.testing.assert_allclose(ones, 1, atol=1e-6)


def test_identity_returns_the_image():
    image = np.random.default_rng(2).random((1, 77, 140), np.float32)
    plan = plan_tiles((77, 140), tile=32, overlap=10, halo=0, stride=4)

    np.testing.assert_allclose(stitch(image, plan, lambda tile: tile[0]), image[0], atol=1e-6)


def test_each_tile_is_predicted_once_and_has_the_plans_shape():
    plan = plan_tiles((100, 100), tile=32, overlap=8, halo=2, stride=8)
    shapes = []

    def predict(tile):
        shapes.append(tile.shape)
        return tile[0]

    stitch(np.zeros((2, 100, 100), np.float32), plan, predict)

    assert len(plan.rows.origins) * len(plan.columns.origins) == 16
    assert shapes == [(2, 32, 32)] * 16


@pytest.mark.parametrize(
    ("length", "tile", "overlap", "stride", "origins"),
    [
        (100, 40, 10, 1, [0, 30, 60]),
        (101, 40, 10, 1, [0, 30, 60, 61]),
        (40, 40, 10, 1, [0]),
        (7, 40, 10, 1, [0]),
        (128, 64, 20, 32, [0, 32, 64]),
        (160, 96, 0, 32, [0, 64]),
    ],
)
def test_grid_origins(length, tile, overlap, stride, origins):
    assert grid_origins(length, tile, overlap, stride) == origins


@pytest.mark.parametrize(("overlap", "stride"), [(40, 1), (-1, 1), (20, 32)])
def test_grid_origins_needs_a_step(overlap, stride):
    with pytest.raises(ValueError, match="overlap"):
        grid_origins(100, 40, overlap, stride)


@pytest.mark.parametrize(
    ("tile", "overlap", "halo"),
    [(100, 32, 8), (0, 0, 0), (128, 15, 8), (128, 100, 8), (128, 128, 8)],
)
def test_settings_that_do_not_go_together_are_refused(tile, overlap, halo):
    with pytest.raises(ValueError, match=f"overlap {overlap}"):
        plan_tiles((500, 500), tile, overlap, halo, stride=32)


def test_shapes_that_do_not_match_the_plan_are_refused():
    plan = plan_tiles((64, 64), tile=32, overlap=0, halo=0, stride=32)

    with pytest.raises(ValueError, match="the plan is for"):
        stitch(np.zeros((1, 64, 65), np.float32), plan, lambda tile: tile[0])
    with pytest.raises(ValueError, match="predict returned"):
        stitch(np.zeros((1, 64, 64), np.float32), plan, lambda tile: tile)
