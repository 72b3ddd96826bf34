"""Length of the boundaries between grains, and how much of it the partition closed."""

import math

import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.intercepts import DIRECTIONS, SQUARE, direction_weights, shifts
from grainseg.micrograph.image import BoolMask


def crack_lengths(
    grains: npt.NDArray[np.integer], boundary: BoolMask, left_out: BoolMask | None = None
) -> tuple[float, float]:
    """Length of all cracks between grains and of those where no boundary was predicted.

    Computed by Crofton's formula from the crossings with all rows, columns and diagonals: length = π/2 ·
    crossings · distance between the test lines, averaged over the four directions (Serra 1982, Image Analysis
    and Mathematical Morphology). Counting pixel edges would give 4/π times that length.

    Args:
        grains: (H, W) grain ids.
        boundary: (H, W), where a boundary was predicted. A crossing counts as closed by the partition if
            neither of its two pixels is boundary.
        left_out: (H, W), pixels whose crossings do not count.

    Returns:
        Both lengths in px.
    """
    whole = closed = 0.0
    for name, spacing in direction_weights(SQUARE).items():
        here, there = shifts(grains.shape, *DIRECTIONS[name], count=2)
        crack = grains[here] != grains[there]
        if left_out is not None:
            crack &= ~(left_out[here] | left_out[there])
        weight = math.pi / 8 * spacing
        whole += weight * np.count_nonzero(crack)
        crack &= ~(boundary[here] | boundary[there])
        closed += weight * np.count_nonzero(crack)
    return whole, closed


def beside_closed_cracks(grains: npt.NDArray[np.integer], boundary: BoolMask) -> BoolMask:
    """Mark the pixels on either side of a crack between two grains where no boundary was predicted.

    Args:
        grains: (H, W) grain ids.
        boundary: (H, W), where a boundary was predicted.

    Returns:
        (H, W), true on these pixels.
    """
    beside = np.zeros(grains.shape, np.bool_)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1, :], np.s_[1:, :])):
        closed = grains[here] != grains[there]
        closed &= ~(boundary[here] | boundary[there])
        beside[here] |= closed
        beside[there] |= closed
    return beside
