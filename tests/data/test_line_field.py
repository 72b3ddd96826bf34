"""The fields that label lines are drawn from: distance to their edge, depth of their core."""

import numpy as np
import pytest

from grainseg.data import line_field as module
from grainseg.data.line_field import CORE_STEPS, line_field, signed_distance
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.plain.synthetic import generate


def test_a_line_beside_ignored_pixels_has_its_other_edge_where_it_was() -> None:
    label = np.zeros((9, 9), dtype=np.uint8)
    label[:, 3:6] = BOUNDARY
    label[:, 6:] = IGNORE
    np.testing.assert_array_equal(
        signed_distance(label)[4], [2.5, 1.5, 0.5, -0.5, -1.5, -2.5, -2.5, -2.5, -2.5]
    )


def test_signed_distance_is_half_a_pixel_at_the_edge() -> None:
    label = np.zeros((9, 9), dtype=np.uint8)
    label[:, 3:6] = BOUNDARY
    np.testing.assert_array_equal(signed_distance(label)[4], [2.5, 1.5, 0.5, -0.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert (signed_distance(np.zeros((4, 4), dtype=np.uint8)) > 0).all()


@pytest.mark.parametrize(("width", "depth_px"), [(1, 0), (2, 0.25), (3, 0.75), (6, 2.25)])
def test_the_core_of_a_straight_line_is_one_pixel_wide_and_the_slack(width: int, depth_px: float) -> None:
    label = np.zeros((40, 30), np.uint8)
    label[10 : 10 + width] = BOUNDARY
    assert (line_field(label).core[8 : 12 + width] == depth_px * CORE_STEPS).all()


def _far_apart() -> np.ndarray:
    """Bands with nothing but grain, nothing but boundary, and nothing that was judged."""
    label = np.zeros((600, 20), np.uint8)
    label[2:5], label[150:300], label[420:560, 3:] = BOUNDARY, BOUNDARY, IGNORE
    return label


def _partly_ignored() -> np.ndarray:
    label = generate(4, (150, 90)).label.copy()
    label[60:100, 20:] = IGNORE
    return label


@pytest.mark.parametrize("label", [_far_apart(), _partly_ignored()])
def test_bands_of_rows_change_no_bit(label: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = line_field(label)
    monkeypatch.setattr(module, "_BAND_ROWS", 7)
    banded = line_field(label)
    assert banded.distance.tobytes() == whole.distance.tobytes()
    assert banded.core.tobytes() == whole.core.tobytes()
