"""What the choice of the threshold does to the mean intercept."""

import math

import numpy as np
import numpy.typing as npt
import pytest

from grainseg.grains.closing.partition import DEFAULT_SETTINGS
from grainseg.grains.closing.sensitivity import threshold_sd_ln
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.plain.polycrystal import polycrystal

SIDE = 240
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


@pytest.mark.parametrize("sides", [(20, 20, 60), (20, 60, 60), (15, 30, 60)])
def test_the_shifts_of_a_map_whose_intercepts_are_known(sides: tuple[int, int, int]) -> None:
    """Certain lines bound squares; doubtful ones, within reach of the threshold, divide them further.

    The root mean square over a uniform threshold about the value at the chosen one, where ln mean intercept
    changes linearly to either side.
    """
    below, chosen, above = (math.log(mean_intercept_px(squares(side))) for side in sides)
    probability = np.zeros((SIDE, SIDE), np.float32)
    for spacing, value in zip(sides, (0.45, 0.55, 1.0), strict=True):
        probability[lines(spacing)] = value
    assert DEFAULT_SETTINGS.threshold == 0.5
    shifts = np.concatenate([np.linspace(0, below - chosen, 5001), np.linspace(0, above - chosen, 5001)])
    expected = np.sqrt(np.mean(shifts**2))
    assert threshold_sd_ln(probability, DEFAULT_SETTINGS) == pytest.approx(expected, rel=0.01)


def test_shifts_of_one_sign_do_not_cancel() -> None:
    """Below, grey grains become boundary; above, faint boundaries vanish: both leave larger intercepts."""
    certain = lines(20).astype(np.float32)
    grey = np.where((squares(20) % 3 == 0) & (certain == 0), np.float32(0.45), certain)
    left = np.arange(SIDE) < SIDE // 3
    both = np.where(lines(20) & ~lines(60) & left, np.float32(0.55), grey)
    one, other = (threshold_sd_ln(probability, DEFAULT_SETTINGS) for probability in (grey, both))
    assert one is not None
    assert other is not None
    assert other > one > 0.02


def squares(side: int) -> npt.NDArray[np.uint32]:
    place = np.arange(SIDE) // side
    return (place[:, None] * SIDE + place[None, :] + 1).astype(np.uint32)


def lines(spacing: int) -> npt.NDArray[np.bool_]:
    """Lines of 3 px between the squares."""
    place = np.arange(SIDE)
    on = np.abs((place + spacing // 2) % spacing - spacing // 2) <= 1
    on &= (place > 1) & (place < SIDE - 1)
    return np.asarray(on[:, None] | on[None, :])


@pytest.mark.parametrize("value", [0.0, DEFAULT_SETTINGS.threshold, 1.0])
def test_where_no_boundary_is_left_nothing_is_known(value: float) -> None:
    assert threshold_sd_ln(np.full((50, 60), value, np.float32), DEFAULT_SETTINGS) is None
