import numpy as np
import pytest
from skimage.draw import line

from grainseg.errors import GrainsegError
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE
from grainseg.micrograph.labels import LABEL_KINDS, LabelSpec, line_width_px


def test_unknown_kind_lists_the_kinds():
    with pytest.raises(GrainsegError, match=r"data\.label_kind=drawing.*" + ", ".join(LABEL_KINDS)):
        LabelSpec(kind="drawing")


def test_one_value_cannot_be_boundary_and_ignored():
    with pytest.raises(GrainsegError, match=r"data\.ignore_value=255.*data\.boundary_value"):
        LabelSpec(boundary_value=255, ignore_value=255)


ROWS, COLUMNS = np.mgrid[:500, :500].astype(np.float32)


def strips(angle_deg, width, offset):
    """Parallel lines of true width at 61 px from each other."""
    angle = np.deg2rad(angle_deg)
    across = (COLUMNS * np.sin(angle) + ROWS * np.cos(angle) + offset) % 61
    return (np.abs(across - 30.5) < width / 2)[:300, :300]


def rings(width):
    radius = np.hypot(ROWS - 249.7, COLUMNS - 249.2)
    return (np.abs(radius % 60 - 30) < width / 2) & (radius < 240)


def voronoi(width):
    points = np.random.default_rng(0).random((60, 2), dtype=np.float32) * 500
    distance = np.hypot(ROWS - points[:, 0, None, None], COLUMNS - points[:, 1, None, None])
    nearest = np.argpartition(distance, 1, axis=0)[:2]
    first, second = np.take_along_axis(distance, nearest, axis=0)
    between = np.hypot(*np.moveaxis(points[nearest[0]] - points[nearest[1]], -1, 0))
    return np.abs(second**2 - first**2) / (2 * between) < width / 2


def width_of(boundary):
    return line_width_px(np.where(boundary, BOUNDARY, GRAIN).astype(np.uint8))


@pytest.mark.parametrize("width", [2, 3, 5])
def test_width_of_lines_in_all_directions(width):
    assert width_of(rings(width)) == pytest.approx(width, rel=0.02)
    assert width_of(voronoi(width)) == pytest.approx(width, rel=0.02)


def test_width_of_thinnest_lines_in_all_directions():
    assert width_of(rings(1)) == pytest.approx(1, rel=0.1)
    assert width_of(voronoi(1)) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
@pytest.mark.parametrize("angle", [0, 15, 30, 45, 60, 90])
def test_width_of_parallel_lines(width, angle):
    measured = np.mean([width_of(strips(angle, width, offset)) for offset in np.arange(0.1, 60, 7.31)])
    assert measured == pytest.approx(width, rel=0.21 if width == 1 else 0.06)


@pytest.mark.parametrize("end", [0, 100, 250, 399])
def test_width_of_lines_drawn_pixel_by_pixel(end):
    boundary = np.zeros((420, 420), bool)
    boundary[line(9, 9, 409, 9 + end)] = True
    assert width_of(boundary) == pytest.approx(1, rel=0.07)


def test_width_leaves_ignored_pixels_out():
    label = np.where(voronoi(3), BOUNDARY, GRAIN).astype(np.uint8)
    full = line_width_px(label)
    label[:, :200] = IGNORE
    assert line_width_px(label) == pytest.approx(full, rel=0.03)


def test_width_is_the_same_after_flips_and_turns():
    boundary = voronoi(3)
    for turned in (boundary.T, boundary[::-1], np.rot90(boundary)):
        assert width_of(turned) == pytest.approx(width_of(boundary), rel=1e-9)


def test_no_line_has_no_width():
    with pytest.raises(ValueError, match="no line width"):
        line_width_px(np.full((8, 8), IGNORE, np.uint8))
