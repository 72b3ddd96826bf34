import numpy as np
import pytest
from tessellations import hexagons, laguerre, poisson_voronoi

from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.measuring.enlargement import AS_DRAWN, Enlargement, enlargement


def enlarged(grains, factor):
    return grains.repeat(factor, axis=0).repeat(factor, axis=1)


def cells(make, *options):
    return make(*options).grain_map((0, 0), (120, 150))


MAPS = {
    "Voronoi": cells(poisson_voronoi, np.random.default_rng(0), 150, 60.0),
    "Laguerre": cells(laguerre, np.random.default_rng(1), 150, 200.0),
    "stretched": cells(poisson_voronoi, np.random.default_rng(2), 150, 200.0, 3.0),
    "hexagons": cells(hexagons, 150, 200.0, 30.0),
}


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("factor", [1, 2, 3, 7, 16])
def test_the_factor_is_found_with_and_without_the_margins(name, factor):
    large = enlarged(MAPS[name], factor)
    assert enlargement(large) == Enlargement(factor)
    cut = factor // 2
    assert enlargement(large[: large.shape[0] - cut, : large.shape[1] - factor + 1]) == Enlargement(factor)
    assert enlargement(np.asfortranarray(large.astype(np.int64) * 1000)) == Enlargement(factor)
    part = large[cut:, factor - 1 :]
    found = enlargement(part)
    assert found == Enlargement(factor, (factor - cut) % factor, (1 - factor) % factor)
    np.testing.assert_array_equal(found.native(part), MAPS[name])
    np.testing.assert_array_equal(found.again(MAPS[name], part.shape), part)


def test_larger_factors_are_found_as_a_divisor():
    assert enlargement(enlarged(MAPS["Voronoi"], 20)).factor == 10


def test_a_map_that_was_drawn_over_is_no_enlarged_map():
    drawn = MAPS["Laguerre"].repeat(2, axis=0).repeat(2, axis=1)
    drawn[:60] = drawn[1:61]
    assert enlargement(drawn) == AS_DRAWN


def test_single_pixels_corrected_afterwards_change_nothing():
    """As in real maps: they were resized, and a few pixels of the result were mended by hand."""
    rng = np.random.default_rng(3)
    large = enlarged(MAPS["Laguerre"], 2)
    for row, column in rng.integers(1, 119, (6, 2)) * 2 + 1:
        large[row, column] = large[row - 2, column]
        large[row, column + 1] = large.max() + 1
    native = measure_field("a", MAPS["Laguerre"], None)
    field = measure_field("a", large, None)
    assert field.enlarged == 2
    assert field.mean_intercept_px == pytest.approx(2 * native.mean_intercept_px, rel=0.002)


@pytest.mark.parametrize("across", [2, 6, 16, 20])
def test_straight_grains_say_nothing_of_a_step(across):
    """At one pixel per band each would be taken for a chord that hides others."""
    bands = np.arange(1, 11).repeat(across)[None].repeat(8 * across, axis=0)
    y, x = np.indices((12 * across, 12 * across)) // across
    squares = (y * 12 + x + 1).astype(np.uint32)
    bricks = (y * 20 + (x + y % 2) // 2 + 1).astype(np.uint32)
    boxes = np.where((y % 3 == 1) & (x % 3 == 1), squares, 1000)
    for straight in (bands, bands.T, squares, bricks, boxes):
        assert enlargement(straight) == AS_DRAWN
        assert measure_field("a", straight, None).enlarged == 1
    by_name = {lines.name: lines for lines in measure_field("a", bands, None).lines}
    assert by_name["0"].mean == pytest.approx((10 * across - 1) / (9 if across > 1 else 1), rel=1e-12)
    assert by_name["90"].crossings == 0


def test_maps_without_anything_to_find():
    for grains in (np.zeros((0, 0), int), np.ones((1, 1), int), np.ones((9, 9), int), np.arange(9)[None]):
        assert enlargement(grains) == AS_DRAWN


def test_blocks_keep_every_mark():
    mask = np.zeros((5, 7), bool)
    mask[4, 6] = mask[1, 1] = True
    np.testing.assert_array_equal(Enlargement(2).blocks(mask), [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    later = Enlargement(3, 2, 0).blocks(mask)
    np.testing.assert_array_equal(later, [[1, 0, 0], [0, 0, 1]])


def test_a_map_that_lost_a_row_is_measured_as_before():
    """A crop must not change the grain size: this one would make it 8 % finer."""
    large = enlarged(MAPS["Laguerre"], 2)
    whole = measure_field("a", large, None).mean_intercept_px
    for part in (large[1:], large[:, 1:], large[1:, 1:]):
        assert measure_field("a", part, None).mean_intercept_px == pytest.approx(whole, rel=0.01)
