import math

import numpy as np
import pytest

from grainseg.grains.closing.cracks import beside_closed_cracks, crack_lengths
from grainseg.grains.closing.open_ends import count_open_ends


def disc(radius=60, side=150):
    rows, columns = np.ogrid[:side, :side]
    return ((rows - side / 2) ** 2 + (columns - side / 2) ** 2 < radius**2).astype(np.uint32) + 1


def test_length_of_a_circle():
    grains = disc()
    whole, closed = crack_lengths(grains, np.zeros(grains.shape, np.bool_))
    assert whole == closed == pytest.approx(2 * math.pi * 60, rel=0.02)


def test_what_was_predicted_is_not_closed():
    grains = disc()
    predicted = np.zeros(grains.shape, np.bool_)
    predicted[:75] = True
    whole, closed = crack_lengths(grains, predicted)
    assert closed == pytest.approx(whole / 2, rel=0.02)
    beside = beside_closed_cracks(grains, predicted)
    assert not beside[:75].any()
    assert beside[75:].sum() > 2 * 60


def test_either_side_of_a_crack_tells_what_it_is():
    """Two grains, one crack down the middle: 8 steps along rows and 7 along each diagonal cross it."""
    grains = np.repeat([[1, 1, 2, 2]], 8, axis=0)
    none, left = np.zeros((2, *grains.shape), np.bool_)
    left[:, 1] = True
    length = math.pi / 8 * (8 + 2 * 7 * math.sqrt(0.5))
    assert crack_lengths(grains, none) == (pytest.approx(length), pytest.approx(length))
    for side in (left, left[:, ::-1]):
        assert crack_lengths(grains, side) == (pytest.approx(length), 0)
        assert crack_lengths(grains, none, side) == (0, 0)
        assert not beside_closed_cracks(grains, side).any()
    np.testing.assert_array_equal(beside_closed_cracks(grains, none), left | left[:, ::-1])


def lines(*parts, shape=(80, 100)):
    mask = np.zeros(shape, np.bool_)
    for rows, columns in parts:
        mask[rows, columns] = True
    return mask


CROSS = ((slice(39, 42), slice(None)), (slice(None), slice(49, 52)))


@pytest.mark.parametrize(
    ("mask", "ends"),
    [
        (lines(), 0),
        (lines((slice(39, 42), slice(20, 80))), 2),
        (lines((slice(39, 42), slice(0, 60))), 1),
        (lines((slice(39, 42), slice(None))), 0),
        (lines(*CROSS), 0),
        (lines(*CROSS, (slice(10, 12), slice(10, 12))), 0),  # a speck is no line
        (lines(*CROSS, (slice(36, 39), slice(20, 21))), 0),  # nor is a burr
        (lines(*CROSS) & ~lines((slice(None), slice(20, 27))), 2),
        (lines(*CROSS) & ~lines((slice(60, 67), slice(None)), (slice(None), slice(20, 27))), 4),
    ],
)
def test_open_ends(mask, ends):
    for turns in range(4):
        assert count_open_ends(np.rot90(mask, turns), 3) == ends


def test_a_gap_in_a_ring_has_two_ends():
    rows, columns = np.ogrid[:100, :100]
    radius = np.hypot(rows - 50, columns - 50)
    ring = np.abs(radius - 30) < 1.5
    assert count_open_ends(ring, 3) == 0
    ring[45:55, 60:] = False
    assert count_open_ends(ring, 3) == 2
