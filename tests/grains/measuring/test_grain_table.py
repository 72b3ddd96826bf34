import math
from dataclasses import fields

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from skimage.measure import perimeter_crofton, regionprops
from tessellations import hexagons, poisson_voronoi

from grainseg.grains.measuring import whole_grains
from grainseg.grains.measuring.grain_table import grain_table, in_pieces
from grainseg.grains.measuring.whole_grains import share_beside


def cells(seed=0, shape=(150, 190), mean_area=300.0, step=(1.0, 1.0)):
    field = poisson_voronoi(np.random.default_rng(seed), max(shape) * max(step), mean_area)
    return field.grain_map((0, 0), shape, step)


def ellipse(major, minor, degrees, shape=(201, 221), step=(1.0, 1.0)):
    """Grain 7 in the middle of grain 3; the angle anticlockwise from the row, y upwards."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    y, x = ((shape[0] - 1) / 2 - y) * step[0], (x - (shape[1] - 1) / 2) * step[1]
    angle = np.deg2rad(degrees)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    return np.where((2 * along / major) ** 2 + (2 * across / minor) ** 2 < 1, 7, 3).astype(np.uint32)


def test_equals_scikit_image():
    grains = cells()
    table = grain_table(grains)
    found = regionprops(grains.astype(np.int64))
    assert table.id.tolist() == [region.label for region in found]
    for index, region in enumerate(found):
        assert table.area_px[index] == region.area
        assert table.ecd_px[index] == pytest.approx(region.equivalent_diameter_area)
        assert table.major_px[index] == pytest.approx(region.axis_major_length, abs=1e-6)
        assert table.minor_px[index] == pytest.approx(region.axis_minor_length, abs=1e-6)
        if region.axis_major_length - region.axis_minor_length > 1e-3:
            turned = (table.orientation_deg[index] - np.degrees(region.orientation) - 90) % 180
            assert min(turned, 180 - turned) < 1e-6
        assert table.perimeter_px[index] == pytest.approx(perimeter_crofton(np.pad(region.image, 1), 4))


def test_feret_is_the_largest_distance_of_the_side_middles():
    grains = cells(1)
    table = grain_table(grains)
    for index in range(0, len(table), 5):
        at = np.argwhere(grains == table.id[index])
        half = np.array([[[0, 0.5]], [[0, -0.5]], [[0.5, 0]], [[-0.5, 0]]])
        middles = (at + half).reshape(-1, 2)
        exact = pdist(middles).max()
        assert 0.9998 * exact <= table.feret_px[index] <= exact * (1 + 1e-9)


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120, 179])
@pytest.mark.parametrize("step", [(1.0, 1.0), (1.6, 1.0), (1.0, 1.25)])
def test_ellipse_by_closed_form(degrees, step):
    major, minor = 100.0, 60.0
    table = grain_table(ellipse(major, minor, degrees, step=step), step=step)
    index = table.id.tolist().index(7)
    h = ((major - minor) / (major + minor)) ** 2
    ramanujan = math.pi / 2 * (major + minor) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    assert table.area_px[index] == pytest.approx(math.pi / 4 * major * minor, rel=0.006)
    assert table.major_px[index] == pytest.approx(major, rel=0.005)
    assert table.minor_px[index] == pytest.approx(minor, rel=0.005)
    assert table.feret_px[index] == pytest.approx(major, abs=1.5)
    assert table.perimeter_px[index] == pytest.approx(ramanujan, rel=0.025)
    assert 0 <= table.orientation_deg[index] < 180
    turned = (table.orientation_deg[index] - degrees) % 180
    assert min(turned, 180 - turned) < 0.3


def test_weight_by_definition():
    grains = np.ones((20, 40), np.uint32)
    grains[4:9, 10:22] = 5
    grains[12:20, 30:34] = 9  # reaches the lower border
    table = grain_table(grains)
    assert table.id.tolist() == [1, 5, 9]
    assert table.touches_border.tolist() == [True, False, True]
    assert table.weight[1] == pytest.approx(1 / ((1 - 5 / 19) * (1 - 12 / 39)))
    assert table.weight[[0, 2]].tolist() == [0, 0]
    assert table.span.tolist() == [1, 12 / 39, 8 / 19]
    assert table.neighbours.tolist() == [2, 1, 1]
    assert not table.too_large.any()


@pytest.mark.parametrize("side", [4, 12])
def test_weights_stand_for_the_places_at_which_a_grain_is_cut(side):
    """Over all places of a picture on a grain, its weights add up to the frame, whatever the grain's size."""
    total = 0.0
    for top in range(-side, 20):
        for left in range(-side, 20):
            grains = np.ones((20, 20), np.uint32)
            grains[max(top, 0) : top + side, max(left, 0) : left + side] = 2
            table = grain_table(grains)
            total += table.weight[table.id == 2].sum()
    assert total == pytest.approx(19**2)


def test_a_grain_that_fills_the_frame_has_no_weight():
    """A hundredth of the places are left to it: alone, it would stand for a hundred."""
    grains = np.ones((40, 40), np.uint32)
    grains[2:38, 2:38] = 2
    grains[10:14, 10:14] = 3
    table = grain_table(grains)
    assert table.weight.tolist() == [0, 0, pytest.approx(1 / (1 - 4 / 39) ** 2)]
    assert table.too_large.tolist() == [False, True, False]


@pytest.mark.parametrize("positions", [1_000_000, 10_000], ids=["pixels", "blocks"])
@pytest.mark.parametrize("step", [(1.0, 1.0), (1.6, 1.0)])
def test_weight_beside_what_nobody_judged(monkeypatch, positions, step):
    """A disc of 30 beside a strip of 6 px: its middle may be anywhere but within 18 px of the strip's."""
    monkeypatch.setattr(whole_grains, "_POSITIONS", positions)
    grains = ellipse(30, 30, 0, step=step)
    hidden = np.zeros(grains.shape, bool)
    hidden[:, 50:56] = True
    frame, table = (grain_table(grains, mask, step) for mask in (None, hidden))
    of = table.id.tolist().index(7)
    left = 221 - 30
    assert frame.weight[of] / table.weight[of] == pytest.approx((left - 36 - 2) / left, rel=0.015)
    hidden[::25], hidden[:, ::25] = True, True
    hidden[80:121, 90:131] = False  # the one place where it fits
    crowded = grain_table(grains, hidden, step)
    assert (crowded.weight[of], crowded.too_large[of]) == (0, True)


def test_hexagons_have_six_neighbours():
    table = grain_table(hexagons(300, 400.0, 17).grain_map((0, 0), (300, 300)))
    inner = ~table.touches_border
    assert inner.sum() > 100
    assert (table.neighbours[inner] == 6).all()
    assert table.ecd_px[inner].mean() == pytest.approx(math.sqrt(4 / math.pi * 400), rel=0.01)


def test_corners_alone_make_no_neighbours():
    grains = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]])
    assert grain_table(grains).neighbours.tolist() == [2, 2, 2, 2]


def test_an_excluded_area_cuts_grains_and_a_pore_does_not():
    grains = np.ones((30, 30), np.uint32)
    grains[5:12, 5:12], grains[18:25, 18:25] = 2, 3
    hidden = np.zeros(grains.shape, bool)
    hidden[11:14, 11:14] = True
    holed = grains.copy()
    holed[21, 21] = 0

    cut, pore = grain_table(grains, hidden), grain_table(holed)

    assert cut.touches_border.tolist() == [True, True, False]
    assert cut.area_px[1] == 49 - 1
    assert pore.touches_border.tolist() == [True, False, False]
    assert pore.area_px[2] == 49 - 1


@pytest.mark.parametrize("at", [(5, 5), (5, 7), (5, 9), (7, 5), (7, 9), (9, 5), (9, 7), (9, 9)])
def test_one_ignored_pixel_on_any_side_or_corner_cuts_a_grain(at):
    grains = np.ones((15, 15), np.uint32)
    grains[6:9, 6:9] = 2
    hidden = np.zeros(grains.shape, np.bool_)
    hidden[at] = True
    assert grain_table(grains, hidden).touches_border.tolist() == [True, True]


def test_torn_off_tips_are_no_pieces():
    grains = np.ones((20, 20), np.uint32)
    grains[2:6, 2:6] = grains[6:9, 6:9] = 2  # they touch at a corner
    grains[12, 2:6] = 2  # 4 px
    assert in_pieces(grains, grain_table(grains)) == 0
    grains[12, 6] = 2
    assert in_pieces(grains, grain_table(grains)) == 1


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90, np.transpose], ids=lambda f: f.__name__)
def test_flips_and_turns_change_the_orientation_only(turn):
    grains = cells(2)
    one, other = grain_table(grains), grain_table(turn(grains))
    expected = {
        "fliplr": -one.orientation_deg,
        "flipud": -one.orientation_deg,
        "rot90": one.orientation_deg + 90,
        "transpose": -90 - one.orientation_deg,
    }[turn.__name__]
    for field in fields(one):
        if field.name != "orientation_deg":
            first, second = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-9, err_msg=field.name)
    turned = (other.orientation_deg - expected) % 180
    kept = np.isfinite(turned)
    assert np.minimum(turned, 180 - turned)[kept].max() < 1e-6


def test_gaps_and_large_ids():
    grains = cells(3)
    renamed = grain_table(grains.astype(np.uint32) * 1_000_000)
    table = grain_table(grains)
    assert renamed.id.tolist() == (table.id * 1_000_000).tolist()
    np.testing.assert_array_equal(renamed.neighbours, table.neighbours)
    np.testing.assert_array_equal(renamed.perimeter_px, table.perimeter_px)


def test_degenerate_maps():
    empty = grain_table(np.zeros((4, 5), np.uint32))
    assert len(empty) == 0
    assert all(getattr(empty, field.name).size == 0 for field in fields(empty))
    dot = grain_table(np.pad(np.array([[1]]), 2))
    assert (dot.area_px[0], dot.feret_px[0], dot.major_px[0], dot.neighbours[0]) == (1, 1, 0, 0)
    assert math.isnan(dot.orientation_deg[0])
    with pytest.raises(ValueError, match="shape"):
        grain_table(np.ones((4, 5), np.uint32), np.zeros((5, 5), bool))


@pytest.mark.slow
def test_a_hundred_thousand_grains():
    grains = np.arange(320 * 320, dtype=np.uint32).reshape(320, 320) + 1
    table = grain_table(grains.repeat(14, axis=0).repeat(14, axis=1))
    assert len(table) == 102_400
    assert (table.area_px == 196).all()
    assert (table.neighbours[~table.touches_border] == 4).all()


def test_a_disc_misses_one_ignored_pixel_from_its_radius_on():
    """The smallest and the largest of the radii are looked up themselves, those between interpolated."""
    ignored = np.zeros((101, 101), np.bool_)
    ignored[50, 50] = True
    away = np.hypot(*np.mgrid[-50:51, -50:51])
    width = np.array([10.0, 60.0, 24.0])
    nothing = np.zeros(3)
    found = share_beside(ignored, nothing, nothing, width, (1.0, 1.0))
    expected = [(away > each / 2 + 4 / math.pi).mean() for each in width]
    assert found[:2] == pytest.approx(expected[:2])
    assert found[2] == pytest.approx(expected[2], abs=2e-3)
