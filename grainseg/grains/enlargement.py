"""Label maps that were enlarged by repeating pixels: found out, so that they are measured at their own step.

Repeated pixels turn every slanting boundary into stairs of k × k px. The diagonals of the enlarged raster
cross a stair more often than the boundary (a line at 45° hits the flank of each step), and the runs of one
pixel that tell how many short chords are missing do not exist: the mean intercept reads about 9 % short.
"""

import math

import numpy as np
import numpy.typing as npt

from grainseg.grains.intercepts import BoolMask, GrainIds

LARGEST = 16
"""Larger factors are found as their largest divisor up to this."""

_CORNERS_PER_GRAIN = 4
"""An upright rectangle has four corners of its own. Bands, bricks and upright rectangles are the same figure
at any step, and no more corners than these say nothing of the step that they were drawn at; a grain of 5 px
with slanting sides has more."""


def enlargement(grains: GrainIds) -> int:
    """How many times a map was enlarged by repeating pixels, from its first pixel on.

    All boundaries of such a map lie at multiples of k px, also where the last rows and columns were cut off.

    Args:
        grains: (H, W) grain ids.

    Returns:
        The largest such k up to LARGEST; 1 for a map that was not enlarged, or that has no stairs.
    """
    rows = np.flatnonzero((grains[1:] != grains[:-1]).any(axis=1)) + 1
    columns = np.flatnonzero((grains[:, 1:] != grains[:, :-1]).any(axis=0)) + 1
    if rows.size == 0 or columns.size == 0:
        return 1
    common = math.gcd(int(np.gcd.reduce(rows)), int(np.gcd.reduce(columns)))
    factor = max(k for k in range(1, LARGEST + 1) if common % k == 0)
    if factor == 1:
        return 1
    native = grains[::factor, ::factor]
    enough = _corners(native) > _CORNERS_PER_GRAIN * np.unique(native).size
    return factor if enough else 1


def any_in_blocks(mask: BoolMask, factor: int) -> BoolMask:
    """(⌈H/k⌉, ⌈W/k⌉), true where a block of k × k pixels, or what there is of it, has a true one."""
    for axis in (0, 1):
        mask = np.logical_or.reduceat(mask, np.arange(0, mask.shape[axis], factor), axis=axis)
    return mask


def _corners(grains: npt.NDArray[np.integer]) -> int:
    """Blocks of 2 × 2 pixels of which three lie in one grain and one in another."""
    across = grains[:, 1:] == grains[:, :-1]
    down = grains[1:] == grains[:-1]
    turned = (across[1:] != across[:-1]) & (down[:, 1:] != down[:, :-1])
    return int(np.count_nonzero(turned))
