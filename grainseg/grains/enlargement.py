"""Label maps that were enlarged by repeating pixels: found out, so that they are measured at their own step.

Repeated pixels turn every slanting boundary into stairs of k × k px. The diagonals of the enlarged raster
cross a stair more often than the boundary (a line at 45° hits the flank of each step), and the runs of one
pixel that tell how many short chords are missing do not exist: the mean intercept reads about 9 % short.
"""

import numpy as np
import numpy.typing as npt

from grainseg.grains.intercepts import GrainIds
from grainseg.micrograph.image import BoolMask

LARGEST = 16
"""Larger factors are found as their largest divisor up to this."""

_CORRECTED = 0.03
"""Share of the cracks that may lie elsewhere; half of them do in a map that was not enlarged."""

_CORNERS_PER_GRAIN = 4
"""An upright rectangle has four corners of its own. Bands, bricks and upright rectangles are the same figure
at any step, and no more corners than these say nothing of the step that they were drawn at; a grain of 5 px
with slanting sides has more."""


def enlargement(grains: GrainIds) -> int:
    """How many times a map was enlarged by repeating pixels, from its first pixel on.

    The boundaries of such a map lie at multiples of k px, also where the last rows and columns were cut off.
    A few may not: people correct single pixels of a map after it was enlarged.

    Args:
        grains: (H, W) grain ids.

    Returns:
        The largest such k up to LARGEST; 1 for a map that was not enlarged, or that has no stairs.
    """
    # How many cracks there are before each row and each column.
    rows = np.count_nonzero(grains[1:] != grains[:-1], axis=1)
    columns = np.count_nonzero(grains[:, 1:] != grains[:, :-1], axis=0)
    if not (rows.any() and columns.any()):
        return 1
    factor = max(k for k in range(1, LARGEST + 1) if _steps_by(k, rows) and _steps_by(k, columns))
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


def _steps_by(factor: int, cracks: npt.NDArray[np.integer]) -> bool:
    """Whether cracks, by the place before which they lie, counted from 1, lie at multiples of a factor."""
    total, there = int(cracks.sum()), int(cracks[factor - 1 :: factor].sum())
    return total - there <= _CORRECTED * total


def _corners(grains: npt.NDArray[np.integer]) -> int:
    """Blocks of 2 × 2 pixels of which three lie in one grain and one in another."""
    across = grains[:, 1:] == grains[:, :-1]
    down = grains[1:] == grains[:-1]
    turned = (across[1:] != across[:-1]) & (down[:, 1:] != down[:, :-1])
    return int(np.count_nonzero(turned))
