"""Probability that a grain at a random position lies whole in a field, beside ignored areas, too."""

import math

import numpy as np
from scipy import ndimage

from grainseg.grains.measuring.intercepts import Step
from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import BoolMask

_POSITIONS = 1_000_000
"""Most positions that are examined, enough for shares within 0.1 %; larger fields are taken by blocks of
pixels."""
_RADII = 24
"""Number of radii for which the shares are computed. The shares fall smoothly with the radius and are
interpolated between these radii, which are about 20 % apart if the grain sizes span two decades."""

_BESIDE_PX = 4 / math.pi
"""Addition to the radius in px, as an ignored pixel among the eight around a grain's pixel cuts it, too: half
the width of 2 × 2 px, averaged over directions."""


def share_beside(
    ignored: BoolMask, height: Floats, width: Floats, mean_width_px: Floats, step: Step
) -> Floats:
    """Share of the positions of each grain in the frame at which it also avoids the ignored areas.

    Straight strips of random direction hit a convex grain as often as the disc of the same mean width
    (Cauchy: the mean over directions of the width; Schneider and Weil 2008, Stochastic and Integral
    Geometry). A grain of area a and perimeter u hits a convex place of area A and perimeter U at positions of
    the area A + a + U·u / 2π (Santaló 1976, Integral Geometry and Geometric Probability, I.6); replacing the
    grain by that disc changes a alone. So each grain is replaced by that disc, and avoids the ignored areas
    if its centre lies further from them than its radius.

    Args:
        ignored: (H, W), true in ignored areas, for the whole frame.
        height: (n,) height of each grain's box as a share of the frame, 0-1.
        width: (n,) width, likewise.
        mean_width_px: (n,) mean over directions of the distance between two parallel tangents.
        step: Height and width of a pixel.

    Returns:
        (n,) shares, 0-1; 0 where the disc finds no place, even if the grain itself does.
    """
    side = math.ceil(math.sqrt(ignored.size / _POSITIONS))
    blocks = _any_of_blocks(ignored, side)
    # A block extends beyond its ignored pixels by half its side less half a pixel, on average.
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
    """(2, n): first index and end (exclusive) of the positions of a grain's middle; at least one position."""
    first = np.minimum(np.rint(share / 2 * length).astype(np.int64), length - 1)
    return np.stack((first, np.maximum(length - first, first + 1)))
