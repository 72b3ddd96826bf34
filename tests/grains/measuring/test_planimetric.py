import math

import numpy as np
import pytest
from tessellations import laguerre, poisson_voronoi

from grainseg.grains.measuring.grain_table import grain_table
from grainseg.grains.measuring.planimetric import jeffries, saltikov, triple_points


def bricks(rows, columns, height=10, width=12):
    """Courses shifted by half a brick: every point is a triple point."""
    y, x = np.mgrid[: rows * height, : columns * width]
    course = y // height
    return (course * 1000 + (x + course % 2 * width // 2) // width + 1).astype(np.uint32)


def test_saltikov_by_hand():
    grains = bricks(6, 6)
    table = grain_table(grains)
    # Even courses have 6 bricks, odd ones 7; corners: the four ends of the first and last course.
    inside, edge = 2 * 4 + 2 * 5, 4 + 5 + 4 * 2
    assert saltikov(grains, table) == (inside + edge / 2 + 1) / (59 * 71)


def test_triple_points_by_hand():
    grains = bricks(4, 5)
    # Between two courses: 4 joints above and 5 below (or the reverse), all at different places.
    assert triple_points(grains) == (3 * 9 / 2 + 1) / (39 * 59)


def test_four_grains_at_a_point_are_two_points_and_a_pinched_tip_is_none():
    four = np.array([[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]])
    assert triple_points(four) == (2 / 2 + 1) / 9
    pinched = np.array([[1, 2, 2], [3, 1, 2], [3, 3, 1]])
    assert triple_points(pinched) == 1 / 4


@pytest.mark.parametrize("enlarged", [3, 5, 7])
def test_jeffries_knows_whole_grains_in_any_unit(enlarged):
    """Areas of pixels that are not square round in another way in each unit."""
    grains = bricks(20, 20)
    step = (0.26 / 0.25, 1.0)
    larger = (step[0] * enlarged, step[1] * enlarged)
    density = jeffries(grains, grain_table(grains, None, step), step)
    scaled = jeffries(grains, grain_table(grains, None, larger), larger)
    assert scaled * enlarged**2 == pytest.approx(density, rel=1e-9)


def test_jeffries_by_hand():
    grains = np.ones((21, 21), np.uint32)
    grains[8:12, 8:12] = 2  # inside the circle of radius 10
    grains[2:5, 2:5] = 3  # cut by it
    grains[0:2, 0:2] = 4  # outside
    grains[10, 0] = 5  # on it, and at the frame, which cuts it
    assert jeffries(grains, grain_table(grains)) == pytest.approx((1 + 3 / 2) / (math.pi * 100))


def test_ignored_pixels_take_no_part():
    grains = bricks(6, 6)
    hidden = np.zeros(grains.shape, bool)
    hidden[25:35, 30:50] = True
    visible = np.where(hidden, 0, grains)
    assert triple_points(visible, hidden) == pytest.approx(triple_points(grains), rel=0.1)
    assert triple_points(visible[:, ::-1], hidden[:, ::-1]) == triple_points(visible, hidden)
    assert math.isnan(triple_points(visible))


@pytest.mark.parametrize("make", [poisson_voronoi, laguerre], ids=["Voronoi", "Laguerre"])
def test_truth(make):
    """Over 144 fields of about 64 grains. Jeffries and triple points count one too many by their rules."""
    rng = np.random.default_rng(1)
    size, number = 160, 12
    structure = make(rng, size * number, 400.0)
    grains = structure.grain_map((0, 0), (size * number, size * number))
    density = 1 / structure.areas_in((0, 0), (size * number, size * number)).mean()
    found = []
    for y in range(0, size * number, size):
        for x in range(0, size * number, size):
            field = grains[y : y + size, x : x + size]
            table = grain_table(field)
            found.append((saltikov(field, table), jeffries(field, table), triple_points(field)))
    by_saltikov, by_jeffries, by_points = np.mean(found, axis=0) / density - 1
    assert by_saltikov == pytest.approx(0, abs=0.015)
    assert by_jeffries == pytest.approx(0.012, abs=0.02)
    assert by_points == pytest.approx(1 / (density * size**2), abs=0.01)


def test_no_grain_no_density():
    nothing = np.zeros((5, 5), np.uint32)
    table = grain_table(nothing)
    assert all(math.isnan(count(nothing, table)) for count in (saltikov, jeffries))
    assert math.isnan(triple_points(nothing))
    for strip in (np.array([[1, 1, 2, 2, 3]]), np.ones((1, 1), np.uint32)):  # a frame of no area
        table = grain_table(strip)
        assert all(math.isnan(count(strip, table)) for count in (saltikov, jeffries))
        assert math.isnan(triple_points(strip))
