"""How often a grain would lie whole in a field, were it anywhere: beside what is ignored, too."""

import math

import numpy as np
from scipy import ndimage

from grainseg.grains.measuring.intercepts import Step
from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import BoolMask

_POSITIONS = 1_000_000
"""Of a larger field blocks of pixels are looked at: that many places tell the shares to 0.1 %."""
_RADII = 24
"""The shares fall smoothly with the radius; between two of these, which are at most 20 % apart where the
grains' sizes range over two decades, they are interpolated."""

_BESIDE_PX = 4 / math.pi
"""The eight pixels around a grain cut it, too: mean over directions of half the width of 2 × 2 px."""


def share_beside(
    ignored: BoolMask, height: Floats, width: Floats, mean_width_px: Floats, step: Step
) -> Floats:
    """Of the places that the frame leaves to each grain, the share at which it also avoids what is ignored.

    Straight strips of any direction hit a convex grain as often as the disc of the same mean width (Cauchy:
    the mean over directions of the width; Schneider and Weil 2008, Stochastic and Integral Geometry).
    Around a convex place of area A and perimeter U a grain of area a and perimeter u hits at the positions
    A + a + U·u / 2π (Santaló 1976, Integral Geometry and Geometric Probability, I.6), of which the disc
    changes a alone. So each grain is taken for that disc, in all directions alike, and its middle lies
    further from what is ignored than its radius.

    Args:
        ignored: (H, W), the whole frame.
        height: (n,) of each grain's box as a share of the frame, 0-1.
        width: The same.
        mean_width_px: (n,) mean over directions of the distance between two parallel tangents.
        step: Height and width of a pixel.

    Returns:
        (n,) 0-1; 0 where a disc finds no place, though the grain did.
    """
    side = math.ceil(math.sqrt(ignored.size / _POSITIONS))
    blocks = _any_of_blocks(ignored, side)
    # A block sticks out of what it holds by half its side less half a pixel, on average.
    size = math.sqrt(math.prod(step))
    away = ndimage.distance_transform_edt(~blocks, (side * step[0], side * step[1])) + (side - 1) / 2 * size
    radius = mean_width_px / 2 + _BESIDE_PX * size
    levels = np.geomspace(radius.min(), max(radius.max(), radius.min() * (1 + 1e-9)), _RADII)
    upper = np.clip(np.searchsorted(levels, radius), 1, _RADII - 1)
    part = np.clip((radius - levels[upper - 1]) / (levels[upper] - levels[upper - 1]), 0, 1)
    rows, columns = (
        _middles(share, sides) for share, sides in zip((height, width), blocks.shape, strict=True)
    )
    shares = np.zeros(radius.size)
    for level, limit in enumerate(levels):
        free = np.pad(np.cumsum(np.cumsum(away > limit, 0, np.int32), 1, np.int32), ((1, 0), (1, 0)))
        for its, weight in ((upper == level, part), (upper == level + 1, 1 - part)):
            (top, bottom), (left, right) = rows[:, its], columns[:, its]
            count = free[bottom, right] - free[top, right] - free[bottom, left] + free[top, left]
            shares[its] += weight[its] * count / ((bottom - top) * (right - left))
    return shares


def _any_of_blocks(mask: BoolMask, side: int) -> BoolMask:
    """Whether any pixel of each square block is true; the last ones may be smaller."""
    starts = [np.arange(0, length, side) for length in mask.shape]
    rows = np.logical_or.reduceat(mask, starts[0], axis=0)
    return np.asarray(np.logical_or.reduceat(rows, starts[1], axis=1), np.bool_)


def _middles(share: Floats, length: int) -> Ints:
    """(2, n): from and up to which index the middle of a grain may lie; at least one of them."""
    first = np.minimum(np.rint(share / 2 * length).astype(np.int64), length - 1)
    return np.stack((first, np.maximum(length - first, first + 1)))
