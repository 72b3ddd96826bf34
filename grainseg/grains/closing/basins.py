"""An over-segmentation of the field: the basins of attraction of the distance to the predicted boundary.

From every pixel a path leads uphill, away from the nearest boundary, to the middle of a grain or of a lobe
of one. All pixels whose paths end at the same place form a basin. The cracks between basins run along the
middle of the predicted lines, and across the gaps in them at the narrowest place. This is the watershed by
the drop of water principle (Cousty et al. 2009, IEEE TPAMI 31:1362). It needs no queue but a few passes over
arrays, so time and memory grow with the number of pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.arrays import Ints
from grainseg.micrograph.image import BoolMask, FloatImage

_LINE_TIE = 0.1
"""Weight of the probability inside a line, in px. It breaks ties, and is less than the smallest decrease of
the distance on a step towards the line's edge (0.4 px), so that no path ends inside a line."""


@dataclass(frozen=True)
class Basins:
    """The basins of a field: where the uphill path of each pixel ends.

    Attributes:
        ids: (H, W) int32, 0..N-1 in reading order of the summits; every basin is 4-connected.
        summits: (N,) flat index of each basin's highest pixel.
    """

    ids: npt.NDArray[np.int32]
    summits: Ints


def relief(
    probability: FloatImage, boundary: BoolMask, left_out: BoolMask | None = None
) -> tuple[FloatImage, float]:
    """Compute a relief, high in the middle of grains and low on boundaries, and the width of the lines.

    Args:
        probability: (H, W) float32 in [0, 1].
        boundary: (H, W), where the probability exceeds the threshold; not true everywhere.
        left_out: (H, W), where lines do not count towards the mean width, unless there are no others.

    Returns:
        (H, W) float32: distance to the nearest boundary pixel in px, at least 1; inside the lines at most -1,
        the negative distance to the nearest pixel outside, a little lower where the probability is higher.
        And the mean width of the lines in px, see `mean_width_px`. Without a boundary the relief is flat and
        the width 0.
    """
    if not boundary.any():
        return np.ones(boundary.shape, np.float32), 0.0
    inside = _distance(boundary)[boundary]
    measured = inside if left_out is None else inside[~left_out[boundary]]
    width = mean_width_px(measured if measured.size else inside)
    height = _distance(~boundary)
    height[boundary] = -inside - np.float32(_LINE_TIE) * probability[boundary]
    return height, width


def mean_width_px(depth: npt.NDArray[np.floating]) -> float:
    """Mean width of lines in px, from the distances of their pixels to the nearest pixel outside.

    Across a band of width w, these distances average (w + 2) / 4, or up to 0.1 more for odd widths. Lines of
    1 px give 2 px.

    Args:
        depth: (n,) in px, at least one.
    """
    return 4 * float(depth.mean(dtype=np.float64)) - 2


def find_basins(height: FloatImage) -> Basins:
    """Find the basins by following the steepest way up over 4-neighbours from every pixel.

    Among equal pixels, the one further to the right or below counts as higher.

    Args:
        height: (H, W) float32.
    """
    goal = _uphill(height).ravel()
    while not np.array_equal(further := goal[goal], goal):
        goal = further
    del further
    is_summit = goal == np.arange(goal.size, dtype=np.int32)
    number = np.cumsum(is_summit, dtype=np.int32)
    number -= 1
    return Basins(number[goal].reshape(height.shape), np.flatnonzero(is_summit))


def _distance(mask: BoolMask) -> FloatImage:
    """Euclidean distance of each true pixel to the nearest false one, in px; 0 on false ones."""
    found = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance = np.asarray(found, np.float32)
    # The last digits of the distance depend on threads and on where the array lies in memory, and they would
    # decide ties. The squares are whole numbers, so rounding them makes the digits exact (up to 1000 px).
    np.rint(np.square(distance, out=distance), out=distance)
    return np.sqrt(distance, out=distance)


def _uphill(height: FloatImage) -> npt.NDArray[np.int32]:
    """(H, W) flat index of the highest pixel among each pixel and its 4-neighbours."""
    best = height.copy()
    step = np.zeros(height.shape, np.int32)
    width = height.shape[1]
    above, below = np.s_[:-1, :], np.s_[1:, :]
    left, right = np.s_[:, :-1], np.s_[:, 1:]
    # A neighbour to the right or below also wins if it is equal: its index is higher, so no path is a cycle.
    for here, there, offset, rises in (
        (below, above, -width, np.greater),
        (right, left, -1, np.greater),
        (left, right, 1, np.greater_equal),
        (above, below, width, np.greater_equal),
    ):
        better = rises(height[there], best[here])
        np.copyto(best[here], height[there], where=better)
        np.copyto(step[here], np.int32(offset), where=better)
    step += np.arange(height.size, dtype=np.int32).reshape(height.shape)
    return step
