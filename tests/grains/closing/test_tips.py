import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label as connected
from tessellations import hexagons, laguerre

import grainseg.grains.closing.tips
from grainseg.grains.closing.partition import over_segment, partition_mask
from grainseg.grains.closing.tips import extend_tips
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY

SIDE = 81


def star(tip_deg, turn_deg, shift):
    """Three grains around a point: one in a wedge, the other two beside it. Its map, and the point."""
    y, x = np.indices((SIDE, SIDE)).astype(float)
    at = np.array([40.0, 40.0]) + shift
    angle = np.degrees(np.arctan2(y - at[0], x - at[1])) - turn_deg
    angle = (angle + 180) % 360 - 180
    return np.where(abs(angle) < tip_deg / 2, 1, np.where(angle > 0, 2, 3)).astype(np.int32), at


def filled(grains, width):
    """The lines of a map, and their pixels given to the nearest grain."""
    lines = boundary_lines(grains, width) == BOUNDARY
    nearest = ndimage.distance_transform_edt(lines, return_distances=False, return_indices=True)
    return grains[tuple(nearest)].astype(np.uint32), lines


def seen(grains, at):
    """Distance of grain 1 from its tip, its area near it, and the length of boundary around it (Crofton)."""
    y, x = np.indices(grains.shape)
    far = np.hypot(y - at[0], x - at[1])
    window = grains[15:66, 15:66]
    boundary = np.pi / 2 * 50**2 / mean_intercept_px(window)
    return far[grains == 1].min(), np.count_nonzero((far < 25) & (grains == 1)), boundary


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("tip_deg", [25, 40, 60, 95])
def test_a_tip_comes_back_on_average(tip_deg, width):
    """Over all turns and shifts; lines of an even width lie evenly on either side."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(80):
        exact, at = star(tip_deg, rng.uniform(0, 360), rng.uniform(-0.5, 0.5, 2))
        rough, lines = filled(exact, width)
        fine = extend_tips(rough, lines, width)
        found.append([seen(each, at) for each in (exact, rough, fine)])
        np.testing.assert_array_equal(fine[~lines], rough[~lines])
        assert connected(fine, connectivity=1).max() == 3
    exact, rough, fine = np.mean(found, axis=0)
    reach, area, boundary = fine - exact
    assert abs(reach) < 0.2 + 0.1 * (rough - exact)[0]
    assert abs(area) < 2.5
    assert abs(boundary) < 0.4
    if tip_deg < 60:
        assert (exact - rough)[2] > 1.2  # what was lost before


@pytest.mark.parametrize("make", [laguerre, hexagons], ids=["Laguerre", "hexagons"])
def test_lines_alone_change_and_no_grain_is_cut_or_lost(make):
    structure = (
        hexagons(300, 400.0, 11.0) if make is hexagons else laguerre(np.random.default_rng(0), 300, 300.0)
    )
    grains = structure.grain_map((0, 0), (300, 300)).astype(np.int32)
    lines = boundary_lines(grains, 3) == BOUNDARY
    rough = over_segment(lines.astype(np.float32), 0.5).ids.astype(np.uint32) + 1
    fine = extend_tips(rough, lines, 3.0)
    np.testing.assert_array_equal(fine[~lines], rough[~lines])
    np.testing.assert_array_equal(np.unique(fine), np.unique(rough))
    assert connected(fine.astype(np.int64), connectivity=1).max() == rough.max()
    share = np.count_nonzero(fine != rough) / fine.size
    assert share < 0.001 if make is hexagons else 0.002 < share < 0.02


def test_fields_without_a_tip():
    for shape in ((1, 1), (3, 50), (40, 40)):
        one = np.ones(shape, np.uint32)
        np.testing.assert_array_equal(extend_tips(one, np.zeros(shape, bool), 0.0), one)
    lines = np.zeros((40, 40), bool)
    lines[:, 19:22] = True
    assert partition_mask(lines).count == 2


def test_a_field_of_nothing_but_boundary_hides_no_tip(monkeypatch):
    """A network that has learnt nothing: windows three times as wide as its "lines" would fill the memory."""
    monkeypatch.setattr("grainseg.grains.closing.tips._tips", None)  # nobody looks
    grains = np.random.default_rng(0).integers(1, 99, (40, 50)).astype(np.uint32)
    np.testing.assert_array_equal(extend_tips(grains, np.ones((40, 50), bool), 700.0), grains)


def test_wide_lines_are_looked_at_in_smaller_parts(monkeypatch):
    structure = laguerre(np.random.default_rng(0), 300, 300.0)
    lines = boundary_lines(structure.grain_map((0, 0), (300, 300)).astype(np.int32), 3) == BOUNDARY
    rough = over_segment(lines.astype(np.float32), 0.5).ids.astype(np.uint32) + 1
    whole = extend_tips(rough, lines, 3.0)
    largest = 0

    def tips(grains, boundary, points, width, reach):
        nonlocal largest
        largest = max(largest, points[0].size * (2 * reach) ** 2)
        return real(grains, boundary, points, width, reach)

    real = grainseg.grains.closing.tips._tips
    monkeypatch.setattr(grainseg.grains.closing.tips, "_tips", tips)
    monkeypatch.setattr(grainseg.grains.closing.tips, "_CHUNK_PX", 10_000)
    parts = extend_tips(rough, lines, 3.0)
    assert 0 < largest <= 10_000
    assert np.count_nonzero(parts != whole) <= 2  # claims of two tips to one pixel may come in another order
