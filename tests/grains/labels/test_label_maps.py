import numpy as np
import pytest
from tessellations import hexagons, poisson_voronoi

from grainseg.errors import GrainsegError
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.labels.label_maps import read_label_map
from grainseg.grains.measuring.grain_table import grain_table
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.drawing import boundary_lines

MAP = np.array([[5, 5, 0, 2, 2], [5, 5, 0, 2, 2], [0, 0, 0, 2, 2], [9, 9, 9, 0, 0], [9, 9, 9, 9, 9]])


def message(values, **options):
    with pytest.raises(GrainsegError) as caught:
        read_label_map(values, "map.tif", **options)
    text = str(caught.value)
    assert text.startswith("map.tif: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64, np.float32, np.float64])
def test_whole_numbers_of_any_type_are_taken_as_they_are(dtype):
    found = read_label_map(MAP.astype(dtype), "map.tif", zero_is="excluded").grains
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, MAP)


def test_numbers_that_floats_cannot_tell_apart_are_refused():
    with pytest.raises(GrainsegError, match="from 16777216 on, which float32 cannot tell apart"):
        read_label_map(np.array([[1, 2**24]], np.float32), "a map")


def test_lines_of_zeros_go_to_the_nearest_grain():
    found = read_label_map(MAP, "map.tif").grains
    assert set(np.unique(found)) == {2, 5, 9}
    np.testing.assert_array_equal(found[MAP > 0], MAP[MAP > 0])
    whole = np.where(MAP == 0, 4, MAP)
    np.testing.assert_array_equal(read_label_map(whole, "map.tif").grains, whole)


@pytest.mark.parametrize("width_px", [1, 2, 3, 5, 7])
def test_filled_grains_reach_to_the_middle_of_the_line(width_px):
    structure = hexagons(700, 1600.0, angle_deg=17)
    grains = structure.grain_map((0, 0), (700, 700))
    drawn = np.where(boundary_lines(grains.astype(np.int32), width_px) == 1, 0, grains)

    filled = read_label_map(drawn, "map.tif").grains

    truth = structure.mean_intercept((0, 0), (700, 700))
    assert mean_intercept_px(filled) == pytest.approx(truth, rel=0.01)
    table = grain_table(filled)
    area = table.area_px[~table.touches_border]
    assert area.size > 200
    assert area.mean() == pytest.approx(1600, rel=0.005)
    assert area.std() < 0.05 * 1600


def test_what_is_no_label_map_is_refused():
    assert "-3" in message(np.array([[1, -3]]))
    assert "NaN" in message(np.array([[1.0, np.nan]]))
    assert "infinite" in message(np.array([[1.0, np.inf]]))
    assert "0.5" in message(np.array([[1.0, 0.5]]))
    assert "mask" in message(np.array([[True, False]]))
    assert "complex" in message(np.array([[1j]]))
    assert "shape" in message(np.ones((2, 2, 3)))
    assert "shape" in message(np.ones((0, 2)))
    assert "4294967296" in message(np.array([[1, 2**32]]))
    assert "no grain" in message(np.zeros((3, 3), np.uint8))


@pytest.mark.parametrize("zero_is", ["boundary", "excluded"])
def test_a_boundary_mask_is_not_taken_for_a_label_map(zero_is):
    mask = np.full((20, 20), 255, np.uint8)
    mask[10] = 0
    assert "2 separate places" in message(mask, zero_is=zero_is)
    one = np.full((20, 20), 255, np.uint8)
    one[:3] = 0
    np.testing.assert_array_equal(read_label_map(one, "one.tif", zero_is="excluded").grains, one)


@pytest.mark.parametrize("zero_is", ["boundary", "excluded"])
@pytest.mark.parametrize("width_px", [1, 2, 3, 5])
@pytest.mark.parametrize(("place", "line"), [(0, 255), (0, 1), (1, 2), (2, 1)])
def test_a_closed_network_is_not_taken_for_one_grain(zero_is, width_px, place, line):
    grains = poisson_voronoi(np.random.default_rng(0), 200, 900.0).grain_map((0, 0), (200, 200))
    lines = boundary_lines(grains.astype(np.int32), width_px) == 1
    text = message(np.where(lines, line, place), zero_is=zero_is)
    assert f"kind=boundary boundary_value={line}" in text


def test_maps_of_two_values_that_are_no_networks():
    y, x = np.indices((80, 90))
    porous = np.ones((80, 90), np.uint8)
    porous[((y % 20 - 10) ** 2 + (x % 18 - 9) ** 2) < 20] = 0
    lamella = np.where(abs(y - x) < 2, 2, 1)
    halves = np.where(x < 40, 1, 2)
    inclusion = np.where((y - 40) ** 2 + (x - 40) ** 2 < 300, 2, 1)
    small = np.ones((10, 10), np.uint8)
    small[[2, 5, 7], [3, 6, 2]] = 0
    for labels in (porous, lamella, halves, inclusion, small):
        np.testing.assert_array_equal(read_label_map(labels, "map.tif", "excluded").grains, labels)
    bicrystal = np.where(abs(x - 40) < 2, 0, halves)
    np.testing.assert_array_equal(read_label_map(bicrystal, "map.tif", "excluded").grains, bicrystal)
    assert set(np.unique(read_label_map(bicrystal, "map.tif").grains)) == {1, 2}


def test_lines_of_an_enlarged_map_are_filled_at_its_own_step():
    structure = hexagons(300, 400.0, angle_deg=17)
    grains = structure.grain_map((0, 0), (300, 300))
    drawn = np.where(boundary_lines(grains.astype(np.int32), 2) == 1, 0, grains)
    large = drawn.repeat(3, axis=0).repeat(3, axis=1)[:-1, :-2]
    found, small = read_label_map(large, "map.tif"), read_label_map(drawn, "map.tif")
    assert found.grains.shape == (899, 898)
    np.testing.assert_array_equal(found.grains, small.grains.repeat(3, axis=0).repeat(3, axis=1)[:-1, :-2])
    assert found.line_width_px == pytest.approx(3 * small.line_width_px)
    assert measure_field("a", found.grains, None).enlarged == 3


def test_broad_areas_of_zeros_are_no_lines():
    labels = np.ones((100, 100), np.uint8)
    labels[:, 50:] = 2
    labels[20:60, 30:70] = 0
    assert "too broad" in message(labels)
    assert (read_label_map(labels, "map.tif", zero_is="excluded").grains == 0).sum() == 1600


def test_a_picture_is_no_label_map():
    """A micrograph's 256 grey values lie in thousands of places."""
    grey = np.random.default_rng(0).integers(0, 256, (100, 120))
    with pytest.raises(GrainsegError, match="that is a picture, not a label map"):
        read_label_map(grey, "micrograph.png", "excluded")
