"""The grains that a boundary label encloses, in the part of the field that was labelled."""

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.grains.closing.partition import (
    DEFAULT_SETTINGS,
    PINHOLE_PX,
    OverSegmentation,
    closed_grains,
    over_segment,
)
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, BoolMask, Label
from grainseg.micrograph.labels import line_width_px
from grainseg.micrograph.morphology import near


def label_grains(label: Label) -> npt.NDArray[np.uint32]:
    """Fill the grains of a label up to the middle of its lines.

    A small ignored place (dirt, a scratch) belongs to the grains beside it, and their boundaries are closed
    across it. A large ignored place hides how far the grains beside it reach. It has no grain, and they end
    at its edge; without that edge they would all be joined through it. A gap that a person left in a line is
    more likely intended than a hole in a program's mask. So necks are treated as in a probability map, not as
    in drawn lines with holes.

    Args:
        label: (H, W) uint8 codes, not everywhere BOUNDARY.

    Returns:
        (H, W) ids from 1 up, which may have gaps; 0 in large ignored places.
    """
    boundary, ignored = label == BOUNDARY, label == IGNORE
    hidden = _large_places(boundary, ignored) if ignored.any() and boundary.any() else np.zeros_like(ignored)
    if not hidden.any():
        return closed_grains(_pieces(boundary), DEFAULT_SETTINGS)
    pieces = _pieces(boundary | rim(hidden))
    grains = closed_grains(pieces, DEFAULT_SETTINGS, judged=~ignored)
    # Half of a line along the edge was filled from the hidden side, which is no grain.
    beyond = np.bincount(grains[hidden & ~rim(hidden)], minlength=int(grains.max()) + 1) > 0
    grains[hidden | (boundary & beyond[grains])] = 0
    return grains


def _pieces(lines: BoolMask) -> OverSegmentation:
    return over_segment(lines.astype(np.float32), DEFAULT_SETTINGS.threshold)


def holes_in_lines(label: Label) -> tuple[int, int]:
    """Count the places that the lines of a label enclose, and those so small that they may be holes in lines.

    Args:
        label: (H, W) uint8 codes.

    Returns:
        Number of places of at most `PINHOLE_PX` pixels, and number of all places.
    """
    _, _, found, _ = cv2.connectedComponentsWithStats((label == GRAIN).view(np.uint8), connectivity=4)
    area_px = found[1:, cv2.CC_STAT_AREA]  # row 0 is the background: all pixels that are not GRAIN
    return int(np.count_nonzero(area_px <= PINHOLE_PX)), len(area_px)


def hidden_part(grains: npt.NDArray[np.integer], ignored: BoolMask | None) -> BoolMask:
    """Ignored pixels without a known grain: the large ignored places of `label_grains`.

    Args:
        grains: (H, W) ids, 0 = no grain.
        ignored: (H, W), true on ignored pixels, which nobody judged; None if there are none.

    Returns:
        (H, W), true on these pixels.
    """
    return np.zeros(grains.shape, np.bool_) if ignored is None else np.asarray(ignored & (grains == 0))


def rim(place: BoolMask) -> BoolMask:
    """Edge pixels of a place: those with one of their eight neighbours outside it.

    No path of 4-neighbours crosses the rim.

    Args:
        place: (H, W), true on the place. The field's border is not an edge.
    """
    outside = cv2.dilate((~place).view(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(place & (outside > 0), np.bool_)


def cut_grains(grains: npt.NDArray[np.integer], hidden: BoolMask) -> BoolMask:
    """Pixels of the grains that touch a hidden place, whose size is therefore unknown.

    Args:
        grains: (H, W) ids, 0 = no grain.
        hidden: (H, W), from `hidden_part`.

    Returns:
        (H, W), true on all pixels of these grains.
    """
    beside = cv2.dilate(hidden.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    cut = np.zeros(int(grains.max()) + 1, np.bool_)
    cut[grains[beside]] = True
    cut[0] = False
    return np.asarray(cut[grains], np.bool_)


def _large_places(boundary: BoolMask, ignored: BoolMask) -> BoolMask:
    """Ignored places, without their parts that are narrower than the mean intercept of the labelled grains.

    The mean intercept is π A / (2 L) for lines of length L in the area A (Smith and Guttman 1953).
    """
    codes = np.where(ignored, IGNORE, boundary).astype(np.uint8)
    length = np.count_nonzero(boundary) / line_width_px(codes)
    reach = np.pi * np.count_nonzero(~ignored) / (2 * length) / 2
    away = cv2.distanceTransform(ignored.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deep = np.asarray(away > reach, np.bool_)
    return ignored & near(deep, reach) if deep.any() else np.zeros_like(ignored)
