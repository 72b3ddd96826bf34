"""What the choice of the threshold does to the mean intercept."""

import math

import numpy as np
import pytest

from grainseg.grains.closing.partition import DEFAULT_SETTINGS
from grainseg.grains.closing.sensitivity import threshold_sd_ln
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.plain.polycrystal import polycrystal

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


@pytest.mark.parametrize(("fine", "coarse"), [(20, 40), (20, 60)])
def test_the_bounds_of_a_map_whose_intercepts_are_known(fine: int, coarse: int) -> None:
    """Certain lines bound large squares; doubtful ones, within reach of the threshold, divide them further.

    So ln mean intercept lies anywhere between two bounds, half of whose distance over √3 is the standard
    uncertainty (GUM 4.3.7).
    """
    side = 240
    place = np.arange(side)
    probability = np.zeros((side, side), np.float32)
    intercepts = []
    for spacing, value in ((fine, DEFAULT_SETTINGS.threshold), (coarse, 1.0)):
        distance = np.abs((place + spacing // 2) % spacing - spacing // 2)
        line = (distance <= 1) & (place > 1) & (place < side - 1)
        probability[line, :] = value
        probability[:, line] = value
        squares = place // spacing
        grains = squares[:, None] * side + squares[None, :] + 1
        intercepts.append(mean_intercept_px(grains.astype(np.uint32)))
    assert intercepts[1] / intercepts[0] == pytest.approx((side / fine - 1) / (side / coarse - 1), rel=0.1)

    found = threshold_sd_ln(probability, DEFAULT_SETTINGS)

    assert found == pytest.approx(math.log(intercepts[1] / intercepts[0]) / 2 / math.sqrt(3), rel=0.01)


@pytest.mark.parametrize("value", [0.0, DEFAULT_SETTINGS.threshold, 1.0])
def test_where_no_boundary_is_left_nothing_is_known(value: float) -> None:
    assert threshold_sd_ln(np.full((50, 60), value, np.float32), DEFAULT_SETTINGS) is None
