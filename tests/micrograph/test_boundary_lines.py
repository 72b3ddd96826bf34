"""Drawn lines are what their definition says, pixel by pixel."""

import numpy as np
import pytest
from scipy import ndimage

from grainseg.micrograph.drawing import boundary_lines, crack_pixels
from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.plain.polycrystal import polycrystal


def by_definition(grains: np.ndarray, width_px: int) -> np.ndarray:
    """Every pixel asked for every pixel edge near it, in doubled coordinates, and then the specks."""
    height, width = grains.shape
    drawn = np.zeros(grains.shape, bool)
    down = [(y, x, y + 1, x) for y in range(height - 1) for x in range(width)]
    across = [(y, x, y, x + 1) for y in range(height) for x in range(width - 1)]
    reach = width_px // 2 + 1
    for y, x, other_y, other_x in down + across:
        pair = sorted((int(grains[y, x]), int(grains[other_y, other_x])))
        if pair[0] == pair[1]:
            continue
        favoured = pair[0] if pair[0] % 2 == 0 else pair[1]
        for row in range(max(0, y - reach), min(height, y + reach + 2)):
            for column in range(max(0, x - reach), min(width, x + reach + 2)):
                squared = (2 * row - y - other_y) ** 2 + (2 * column - x - other_x) ** 2
                on_the_rim = squared == width_px**2 and grains[row, column] == favoured
                drawn[row, column] |= squared < width_px**2 or on_the_rim
    left = np.where(drawn, 0, grains)
    for grain in np.unique(grains):
        pieces, count = ndimage.label(left == grain)
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        for number, size in enumerate(sizes, start=1):
            if size < width_px**2 and size < sizes.max():
                drawn[pieces == number] = True
    return drawn


@pytest.mark.parametrize("width_px", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("seed", range(2))
def test_lines_around_grains(seed: int, width_px: int) -> None:
    grains = polycrystal(seed, (70, 60), 18, 0.45, 3)
    np.testing.assert_array_equal(
        boundary_lines(grains, width_px) == BOUNDARY, by_definition(grains, width_px)
    )


@pytest.mark.parametrize("width_px", [1, 2, 3, 5])
@pytest.mark.parametrize("shape", [(20, 25), (1, 30), (30, 1), (2, 2)])
def test_lines_on_any_map(shape: tuple[int, int], width_px: int) -> None:
    coarse = np.random.default_rng(3).integers(1, 9, shape).astype(np.int32)
    for grains in (coarse, coarse.repeat(3, axis=0), coarse[:9, :9].repeat(7, axis=0).repeat(7, axis=1)):
        drawn = boundary_lines(grains, width_px) == BOUNDARY
        np.testing.assert_array_equal(drawn, by_definition(grains, width_px))


def test_a_crack_marks_the_pixel_above_or_left_of_it() -> None:
    grains = np.array([[1, 1, 2], [1, 3, 3]])
    np.testing.assert_array_equal(crack_pixels(grains), [[False, True, True], [True, False, False]])
