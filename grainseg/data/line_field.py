"""Lines of a label as fields from which patches are drawn: distance to the edge, depth of the core."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, BoolMask, FloatImage, Label

DISTANCE_LIMIT_PX = 32.0
"""Limit of the signed distances: no label line is wider, and float16 resolves 1/32 px up to this value."""

CORE_STEPS = 8
"""Steps per px of the depths in ``LineField.core``; uint8 then covers the range of the distances."""

CORE_SLACK_PX = 0.25
"""Distance by which the core of a line extends beyond the line's narrowest part."""

_NO_CORE = 255
_BAND_ROWS = 512
"""Rows computed at once, to save memory: distances of a whole picture would take 40 bytes per px."""
_MARGIN_PX = int(DISTANCE_LIMIT_PX) + 8
"""Rows beyond a band that affect it; more distant ones do not, since distances are limited."""


@dataclass(frozen=True)
class LineField:
    """Positions and widths of the lines of a label.

    Attributes:
        distance: (H, W) float16 in px, see ``signed_distance``.
        core: (H, W) uint8 in 1/``CORE_STEPS`` px: depth inside the nearest line at which its core begins. The
            core is the middle part of at least one pixel that shows the course of the line. For a line along
            rows or columns of w px, the depth is (w - 1)/2 - ``CORE_SLACK_PX``, or 0 if that is negative.
    """

    distance: npt.NDArray[np.float16]
    core: npt.NDArray[np.uint8]


def line_field(label: Label) -> LineField:
    """Compute the line field of a label, (H, W) uint8 codes with at least one GRAIN pixel."""
    distance = signed_distance(label)
    return LineField(distance, core_depth(distance, label))


def signed_distance(label: Label) -> npt.NDArray[np.float16]:
    """Compute the signed Euclidean distance to the edge of the label's lines, negative inside them.

    With this field, a line can be rotated and scaled without changing its width, which is not possible by
    interpolating the mask itself. The edge is half a pixel from the centres of the pixels on both sides.

    Ignored pixels that cut off a line are not an edge: the line may continue there, so its end does not
    recede from them when it is magnified. At ignored pixels, the field has the value of the nearest judged
    pixel.

    Args:
        label: (H, W) uint8 codes with at least one GRAIN pixel.

    Returns:
        (H, W) float16 in px, within ±``DISTANCE_LIMIT_PX``.
    """
    signed = np.empty(label.shape, np.float16)
    for rows, around, inner in _bands(label.shape[0]):
        signed[rows] = _signed_distance(label[around])[inner]
    ignored = label == IGNORE
    # In a label without lines all distances are equal, and the nearest pixel need not be found.
    if ignored.any() and (label == BOUNDARY).any():
        signed = signed[tuple(distance_transform_edt(ignored, return_distances=False, return_indices=True))]
    return signed


def _signed_distance(label: Label) -> npt.NDArray[np.float64]:
    boundary = label == BOUNDARY
    if not boundary.any():
        return np.full(label.shape, DISTANCE_LIMIT_PX)
    not_grain = label != GRAIN
    outside = distance_transform_edt(~boundary)
    inside = np.full(label.shape, np.inf) if not_grain.all() else distance_transform_edt(not_grain)
    signed = np.where(boundary, 0.5 - inside, outside - 0.5)
    return np.clip(signed, -DISTANCE_LIMIT_PX, DISTANCE_LIMIT_PX)


def core_depth(distance: npt.NDArray[np.float16], label: Label) -> npt.NDArray[np.uint8]:
    """Compute the depth inside the nearest line at which its core begins, see ``LineField``.

    At the corner between four pixels, the interpolated distance is their mean. At the deepest such mean in
    the middle of a line, a line along rows or columns is still one pixel wide. Thin oblique lines are less
    deep in some places; the core extends ``CORE_SLACK_PX`` further, so that they do not break.

    Args:
        distance: (H, W) in px, see ``signed_distance``.
        label: (H, W) uint8 codes. Next to ignored pixels, which may hide a part of a line's width, a line has
            the depth of the nearest place that is not next to them.

    Returns:
        (H, W) uint8 in 1/``CORE_STEPS`` px; the largest value where no line is near.
    """
    core = np.empty(distance.shape, np.uint8)
    for rows, around, inner in _bands(distance.shape[0]):
        core[rows] = _core_depth(distance[around].astype(np.float32), label[around] == IGNORE)[inner]
    return core


def _core_depth(distance: FloatImage, ignored: BoolMask) -> npt.NDArray[np.uint8]:
    # Lines continue beyond the picture's edge: pixels are repeated; reflected ones would end a line of 1 px.
    means = cv2.blur(distance, (2, 2), anchor=(1, 1), borderType=cv2.BORDER_REPLICATE)
    deepest = cv2.erode(means, np.ones((2, 2), np.uint8), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    around = np.ones((3, 3), np.uint8)
    middle = (distance < 0) & (deepest == cv2.erode(deepest, around))
    middle[cv2.dilate(ignored.view(np.uint8), around) > 0] = False
    if not middle.any():
        return np.full(distance.shape, _NO_CORE, np.uint8)
    away, nearest = cv2.distanceTransformWithLabels(
        (~middle).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    depth = np.zeros(int(nearest.max()) + 1, np.uint8)
    depths = np.rint(-(deepest[middle] + CORE_SLACK_PX) * CORE_STEPS)
    depth[nearest[middle]] = np.clip(depths, 0, _NO_CORE)
    core = np.where(away <= DISTANCE_LIMIT_PX, depth[nearest], np.uint8(_NO_CORE))
    return np.asarray(cv2.erode(core, np.ones((5, 5), np.uint8)), np.uint8)


def _bands(height: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield bands of rows: the band, the rows that affect it, and the position of the band among these."""
    for first in range(0, height, _BAND_ROWS):
        last = min(height, first + _BAND_ROWS)
        top = max(0, first - _MARGIN_PX)
        yield slice(first, last), slice(top, last + _MARGIN_PX), slice(first - top, last - top)
