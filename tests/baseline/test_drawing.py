"""Lines come out as wide as the labels'."""

import numpy as np
import pytest

from grainseg.baseline.drawing import draw_values, drawing_radius_px
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.labels import line_width_px
from grainseg.micrograph.morphology import near, skeleton
from grainseg.micrograph.plain.polycrystal import polycrystal


@pytest.mark.parametrize("width", [1, 3, 5, 8])
def test_the_radius_gives_back_the_labels_width(width: int) -> None:
    label = boundary_lines(polycrystal(1, (200, 200), 40.0, 0.3, 3), width).astype(np.uint8)
    radius = drawing_radius_px([label])
    drawn = near(skeleton(label == 1), radius).astype(np.uint8)
    assert line_width_px(drawn) == pytest.approx(line_width_px(label), abs=0.5)


def test_each_pixel_takes_the_value_of_the_nearest_line() -> None:
    line, values = np.zeros((9, 20), np.bool_), np.zeros((9, 20), np.float32)
    line[:, 5], line[:, 14] = True, True
    values[:, 5], values[:, 14] = 0.25, 0.75
    row = draw_values(line, values, 1.0)[4]
    np.testing.assert_array_equal(row[3:8], [0, 0.25, 0.25, 0.25, 0])
    np.testing.assert_array_equal(row[12:17], [0, 0.75, 0.75, 0.75, 0])


def test_without_a_line_nothing_is_drawn() -> None:
    assert not draw_values(np.zeros((5, 6), np.bool_), np.ones((5, 6), np.float32), 2.0).any()
