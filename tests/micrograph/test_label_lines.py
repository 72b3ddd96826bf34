"""Lines are as wide as declared, lie where the boundary lies, and say nothing of what nobody judged."""

import numpy as np
import pytest

from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE
from grainseg.micrograph.label_lines import crack_lines, redrawn_lines, within_reach
from grainseg.micrograph.labels import line_width_px
from grainseg.micrograph.plain.polycrystal import polycrystal

SIDE, SPACING = 400, 40
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE]
INNER = np.s_[80:320, 80:320]
# Each index is constant along lines of one direction; the lines lie ``step`` px apart for one unit of it.
DIRECTIONS = {
    "rows": (ROWS, 1.0),
    "columns": (COLUMNS, 1.0),
    "falling": (ROWS - COLUMNS + SIDE, np.sqrt(0.5)),
    "rising": (ROWS + COLUMNS, np.sqrt(0.5)),
}
WIDTHS = range(1, 10)


def width_by_area(boundary, step):
    """Of parallel lines: the share of the area that they take, times their distance."""
    return boundary[INNER].mean() * SPACING * step


def drawing(direction):
    index, _ = DIRECTIONS[direction]
    return index % SPACING == SPACING // 2


def bands(direction):
    index, _ = DIRECTIONS[direction]
    return (index // SPACING).astype(np.int32)


def cracks(grains, width, ignored=None, depth=None):
    nothing = np.zeros(grains.shape)
    ignored = nothing.astype(bool) if ignored is None else ignored
    return crack_lines(grains, width, ignored, nothing.astype(np.float32) if depth is None else depth)


def thin(label):
    """Where two grains meet, 1 px wide: what a person would trace."""
    line = np.zeros(label.shape, bool)
    line[:, :-1] |= label[:, :-1] != label[:, 1:]
    line[:-1] |= label[:-1] != label[1:]
    return line


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_straight_drawings_have_the_declared_width(direction, width):
    found = width_by_area(redrawn_lines(drawing(direction), width), DIRECTIONS[direction][1])
    exact = direction in ("rows", "columns")
    assert found == pytest.approx(width, abs=1e-9 if exact else 0.37)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_straight_cracks_have_the_declared_width(direction, width):
    found = width_by_area(cracks(bands(direction), width) == BOUNDARY, DIRECTIONS[direction][1])
    exact = direction in ("rows", "columns")
    assert found == pytest.approx(width, abs=1e-9 if exact else 0.6)


@pytest.mark.parametrize("width", range(1, 7))
@pytest.mark.parametrize("seed", [0, 1])
def test_networks_have_the_declared_width(seed, width):
    grains = polycrystal(seed, (300, 300), 50, 0.3, width)
    drawn = redrawn_lines(thin(grains), width).astype(np.uint8)
    assert line_width_px(drawn) == pytest.approx(width, rel=0.11)
    assert line_width_px(cracks(grains, width)) == pytest.approx(width, rel=0.14)


@pytest.mark.parametrize("angle", [10, 25, 40, 65])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_slanting_drawings_have_the_declared_width(angle, width):
    slope = np.tan(np.deg2rad(min(angle, 90 - angle)))
    lines = (ROWS - np.rint(slope * COLUMNS).astype(int)) % SPACING == 0
    lines = lines if angle < 45 else lines.T
    found = width_by_area(redrawn_lines(lines, width), np.cos(np.arctan(slope)))
    assert found == pytest.approx(width, abs=0.4)


@pytest.mark.parametrize(("width", "above", "below"), [(1, 0, 0), (2, 0, 1), (3, 1, 1), (4, 1, 2), (5, 2, 2)])
def test_an_even_width_about_a_drawn_line_has_its_extra_pixel_below_or_to_the_right(width, above, below):
    line = np.zeros((20, 30), bool)
    line[10] = True
    rows = np.flatnonzero(redrawn_lines(line, width)[:, 3:-3].all(axis=1))
    assert rows.tolist() == list(range(10 - above, 11 + below))
    columns = np.flatnonzero(redrawn_lines(line.T, width)[3:-3].all(axis=0))
    assert columns.tolist() == rows.tolist()


@pytest.mark.parametrize("width", [2, 4, 6])
def test_an_even_width_lies_evenly_about_a_crack(width):
    grains = np.repeat(np.array([[0, 1]], np.int32), 10, axis=1).repeat(20, axis=0)
    columns = np.flatnonzero((cracks(grains, width) == BOUNDARY).all(axis=0))
    assert columns.tolist() == list(range(10 - width // 2, 10 + width // 2))


@pytest.mark.parametrize("width", [1, 3, 5])
def test_odd_widths_shift_the_lines_now_this_way_and_now_that(width):
    """Of stripes numbered in order the lines take the pixel on either side in turn: none on average."""
    grains = bands("columns")
    columns = np.flatnonzero((cracks(grains, width) == BOUNDARY).all(axis=0)).reshape(-1, width)
    offsets = columns.mean(axis=1) - (np.arange(1, 10) * SPACING - 0.5)
    assert set(offsets) == {-0.5, 0.5}
    assert abs(offsets.sum()) == 0.5


@pytest.mark.parametrize("turn", [np.asarray, np.transpose])
@pytest.mark.parametrize("side", [np.less, np.less_equal])
@pytest.mark.parametrize("numbers", [(0, 1), (1, 0), (2, 1)])
@pytest.mark.parametrize("width", [1, 3])
def test_an_odd_line_of_the_map_keeps_its_middle(width, numbers, side, turn):
    """Filled from whichever side: the drawn line lies about column 10, where the map's own had its middle."""
    columns = np.broadcast_to(np.arange(21), (12, 21))
    depth = np.maximum(2.0 - np.abs(columns - 10), 0).astype(np.float32)
    grains = np.where(side(columns, 10), *map(np.int32, numbers)).astype(np.int32)
    label = turn(cracks(turn(grains), width, depth=turn(depth)))
    assert np.flatnonzero((label == BOUNDARY).all(axis=0)).mean() == 10


def test_lines_on_cracks_are_those_of_the_synthetic_labels():
    grains = polycrystal(0, (120, 150), 24, 0.4, 3)
    for width in (1, 2, 3, 4):
        np.testing.assert_array_equal(cracks(grains, width), boundary_lines(grains, width))


def test_drawings_may_end_openly_and_cross():
    lines = np.zeros((40, 40), bool)
    lines[20, 5:35] = lines[5:35, 20] = True
    drawn = redrawn_lines(lines, 3)
    assert drawn[19:22, 8:32].all()
    assert drawn[8:32, 19:22].all()
    assert not drawn[:3].any()
    assert drawn.sum() == pytest.approx(2 * 30 * 3 - 9, abs=8)


def test_an_empty_drawing_stays_empty():
    assert not redrawn_lines(np.zeros((9, 12), bool), 3).any()


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_nothing_is_said_where_a_boundary_to_ignored_pixels_would_lie(width):
    """If someone labelled the rest later, no pixel that was said to be grain, or boundary, would change."""
    grains = polycrystal(3, (160, 160), 26, 0.3, width)
    for grains_ignored in (grains > grains.max() // 3, np.hypot(*np.mgrid[-80:80, -80:80]) > 50):
        label = cracks(grains, width, ignored=grains_ignored)
        later = cracks(grains, width)
        said = label != IGNORE
        np.testing.assert_array_equal(label[said], later[said])
        assert (label[grains_ignored] == IGNORE).all()
        # No more than the lines could reach is lost.
        far = ~within_reach(grains_ignored, width + 2)
        assert said[far].mean() > 0.97


def test_a_known_boundary_reaches_up_to_ignored_pixels():
    grains = np.repeat(np.array([[0, 1]], np.int32), 20, axis=1).repeat(40, axis=0)
    ignored = np.zeros(grains.shape, bool)
    ignored[25:] = True
    label = cracks(grains, 2, ignored)
    assert (label[:25, 19:21] == BOUNDARY).all()
    assert (label[:23, 5:15] == GRAIN).all()
    assert (label[24, 5:15] == IGNORE).all()
