import numpy as np
import pytest
from scipy import ndimage

from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.micrograph.wide.noise import blobs, smooth_noise
from grainseg.micrograph.wide.regions import means, nearest_cracks, spread


def test_distance_is_that_to_the_crack():
    regions = np.repeat(np.array([[1, 2]], np.int32), [10, 14], axis=1).repeat(6, axis=0)
    cracks = nearest_cracks(regions)
    expected = abs(np.arange(24) - 9.5)
    np.testing.assert_allclose(cracks.distance_px, np.tile(expected, (6, 1)), rtol=0.02)
    assert (cracks.low.tolist(), cracks.high.tolist()) == ([1], [2])


def test_distance_agrees_with_an_exact_transform():
    regions = polycrystal(0, (90, 110), 25, 0.4, 3)
    fine = np.ones((179, 219), bool)
    fine[::2, 1::2] = regions[:, :-1] == regions[:, 1:]
    fine[1::2, ::2] = regions[:-1] == regions[1:]
    exact = ndimage.distance_transform_edt(fine)[::2, ::2] / 2
    np.testing.assert_allclose(nearest_cracks(regions).distance_px, exact, rtol=0.025, atol=0.02)


def test_nearest_pair_holds_the_pixels_own_region_beside_a_crack():
    regions = polycrystal(1, (90, 110), 25, 0.4, 3)
    cracks = nearest_cracks(regions)
    beside = cracks.distance_px < 0.6
    own = (cracks.low[cracks.pair] == regions) | (cracks.high[cracks.pair] == regions)
    assert own[beside].all()
    assert (cracks.low < cracks.high).all()


def test_one_region_has_no_crack_near():
    cracks = nearest_cracks(np.ones((5, 7), np.int32))
    assert cracks.distance_px.min() > 1e5
    assert cracks.pair.max() < cracks.low.size


def test_values_spread_and_average():
    regions = np.array([[1, 1], [3, 3]], np.int32)
    picture = spread(regions, np.array([9.0, 1.0, 9.0, 5.0]))
    np.testing.assert_array_equal(picture, [[1, 1], [5, 5]])
    np.testing.assert_array_equal(means(regions, picture + np.array([[-1, 1], [-1, 1]])), [0, 1, 0, 5])


@pytest.mark.parametrize("scale_px", [0.5, 1.0, 2.0, 4.0, 10.0])
def test_smooth_noise_has_unit_deviation(scale_px):
    rng = np.random.default_rng(0)
    square = np.mean([smooth_noise((128, 128), scale_px, rng) ** 2 for _ in range(12)])
    assert np.sqrt(square) == pytest.approx(1, abs=0.15)


def test_blobs_cover_their_share():
    mask = blobs((256, 256), 12.0, 0.1, np.random.default_rng(0))
    assert mask.mean() == pytest.approx(0.1, abs=0.02)
    assert ndimage.label(mask)[1] > 10
