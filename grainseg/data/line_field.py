"""The lines of a label as fields that patches are drawn from: distance to their edge, depth of their core."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, BoolMask, FloatImage, Label

DISTANCE_LIMIT_PX = 32.0
"""Signed distances are cut here: no label line is wider, and float16 keeps 1/32 px up to this value."""

CORE_STEPS = 8
"""Steps per px of the depths in ``LineField.core``; uint8 then reaches as far as the distances do."""

CORE_SLACK_PX = 0.25
"""How far outside the narrowest part of a line its core begins."""

_NO_CORE = 255
_BAND_ROWS = 512
"""Rows that are computed at once, to save memory: distances of whole pictures would take 40 bytes per px."""
_MARGIN_PX = int(DISTANCE_LIMIT_PX) + 8
"""Rows beyond a band that have a say in it: distances are cut before they reach farther."""


@dataclass(frozen=True)
class LineField:
    """Where the lines of a label are.

    Attributes:
        distance: (H, W) float16 in px, see ``signed_distance``.
        core: (H, W) uint8 in 1/``CORE_STEPS`` px: how far inside the nearest line its core begins, the part
            of at least one pixel that shows where it runs. Along rows and columns a line of w px has
            (w - 1)/2 - ``CORE_SLACK_PX``, or 0.
    """

    distance: npt.NDArray[np.float16]
    core: npt.NDArray[np.uint8]


def line_field(label: Label) -> LineField:
    """Find the lines of a label, (H, W) uint8 codes with at least one GRAIN pixel."""
    distance = signed_distance(label)
    return LineField(distance, core_depth(distance, label))


def signed_distance(label: Label) -> npt.NDArray[np.float16]:
    """Signed Euclidean distance to the edge of the label's lines, negative inside them.

    A line can be rotated and scaled through this field without changing its width, which no interpolation of
    the mask itself achieves. The edge lies half a pixel from the centres of the pixels on both sides.

    Where ignored pixels cut a line off there is no edge: the line may go on, and does not draw back from them
    when it is magnified. Among them the field goes on as at the nearest pixel that was judged.

    Args:
        label: (H, W) uint8 codes with at least one GRAIN pixel.

    Returns:
        (H, W) float16 in px, within ±``DISTANCE_LIMIT_PX``.
    """
    signed = np.empty(label.shape, np.float16)
    for rows, around, inner in _bands(label.shape[0]):
        signed[rows] = _signed_distance(label[around])[inner]
    ignored = label == IGNORE
    # A label without lines is as far from them everywhere, and the nearest pixel need not be found.
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
    """How far inside the nearest line its core begins, see ``LineField``.

    Between four pixels the interpolated distance is their mean. The deepest such mean at the middle of a line
    is where a line along rows or columns is still one pixel wide. Oblique thin lines are shallower from place
    to place: the core begins ``CORE_SLACK_PX`` before, so that they do not break.

    Args:
        distance: (H, W) in px, see ``signed_distance``.
        label: (H, W) uint8 codes. Beside ignored pixels, which may hide a part of a line's width, a line is
            as deep as where it comes out.

    Returns:
        (H, W) uint8 in 1/``CORE_STEPS`` px; the largest where no line is near.
    """
    core = np.empty(distance.shape, np.uint8)
    for rows, around, inner in _bands(distance.shape[0]):
        core[rows] = _core_depth(distance[around].astype(np.float32), label[around] == IGNORE)[inner]
    return core


def _core_depth(distance: FloatImage, ignored: BoolMask) -> npt.NDArray[np.uint8]:
    # At the picture's edge lines go on: repeated pixels, where reflected ones would end a line of one pixel.
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
    """Bands of rows: which ones, with the rows around that have a say, and where they lie among these."""
    for first in range(0, height, _BAND_ROWS):
        last = min(height, first + _BAND_ROWS)
        top = max(0, first - _MARGIN_PX)
        yield slice(first, last), slice(top, last + _MARGIN_PX), slice(first - top, last - top)
