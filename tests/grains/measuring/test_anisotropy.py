import math

import numpy as np
import pytest

from grainseg.grains.measuring.anisotropy import elongation

FOUR = [0.0, 45.0, 90.0, 135.0]


def crossings(ratio, axis_deg, angles_deg):
    """Of an isotropic structure stretched along an axis: lines shrink to what they were before."""
    angle = np.radians(np.array(angles_deg) - axis_deg)
    return 0.05 * np.hypot(np.cos(angle) / ratio, np.sin(angle))


@pytest.mark.parametrize("ratio", [1.0, 1.3, 2.0, 8.0])
@pytest.mark.parametrize("axis_deg", [0.0, 20.0, 45.0, 90.0, 170.0])
@pytest.mark.parametrize("angles_deg", [FOUR, [0.0, 63.43, 90.0, 116.57]])
def test_a_stretch_along_any_axis_is_found(ratio, axis_deg, angles_deg):
    found = elongation(angles_deg, crossings(ratio, axis_deg, angles_deg))
    assert found == pytest.approx(ratio, rel=1e-6)


def test_ends():
    assert math.isinf(elongation(FOUR, crossings(1e9, 0.0, FOUR)))
    assert math.isnan(elongation(FOUR, [0, 0, 0, 0]))
    assert math.isnan(elongation(FOUR, [1, math.nan, 1, 1]))
