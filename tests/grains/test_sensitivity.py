"""What the choice of the threshold does to the mean intercept."""

import numpy as np
import pytest

from grainseg.grains.partition import DEFAULT_SETTINGS
from grainseg.grains.sensitivity import threshold_sd_ln
from grainseg.micrograph.polycrystal import boundary_lines, polycrystal

MASK = boundary_lines(polycrystal(0, (200, 220), 30.0, 0.3, 3)) == 1


def test_a_map_without_doubt_does_not_depend_on_the_threshold() -> None:
    assert threshold_sd_ln(MASK.astype(np.float32), DEFAULT_SETTINGS) == 0


def test_boundaries_near_the_threshold_are_an_uncertainty() -> None:
    doubtful = np.where(MASK, 0.9, 0.05).astype(np.float32)
    faint = MASK.copy()
    faint[:, :110] = False
    doubtful[faint] = DEFAULT_SETTINGS.threshold
    sd = threshold_sd_ln(doubtful, DEFAULT_SETTINGS)
    assert sd is not None
    # Half of the boundaries are there at the lower threshold and gone at the higher one.
    assert 0.1 < sd < 0.6


@pytest.mark.parametrize("value", [0.0, DEFAULT_SETTINGS.threshold, 1.0])
def test_where_no_boundary_is_left_nothing_is_known(value: float) -> None:
    assert threshold_sd_ln(np.full((50, 60), value, np.float32), DEFAULT_SETTINGS) is None
