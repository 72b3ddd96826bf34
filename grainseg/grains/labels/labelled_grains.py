"""The grains that a boundary label encloses, where somebody judged them."""

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

    A small ignored place (dirt, a scratch) belongs to the grains beside it, whose boundaries are closed
    across it. A large one hides how far its neighbours reach. They end at its edge, and it has no grain: left
    open to it they would all be one. What a person left open is meant to be so sooner than a hole in a mask
    that a program made, so necks are judged as where there is a probability.

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
    # Lines along the edge go by halves to the region on its other side, which is no grain.
    beyond = np.bincount(grains[hidden & ~rim(hidden)], minlength=int(grains.max()) + 1) > 0
    grains[hidden | (boundary & beyond[grains])] = 0
    return grains


def _pieces(lines: BoolMask) -> OverSegmentation:
    return over_segment(lines.astype(np.float32), DEFAULT_SETTINGS.threshold)


def holes_in_lines(label: Label) -> tuple[int, int]:
    """Places that the lines of a label enclose, and how many of them are small enough to be holes in these.

    Args:
        label: (H, W) uint8 codes.

    Returns:
        Places of at most `PINHOLE_PX` pixels, and all of them.
    """
    _, _, found, _ = cv2.connectedComponentsWithStats((label == GRAIN).view(np.uint8), connectivity=4)
    area_px = found[1:, cv2.CC_STAT_AREA]  # the first is all that is no grain
    return int(np.count_nonzero(area_px <= PINHOLE_PX)), len(area_px)


def hidden_part(grains: npt.NDArray[np.integer], ignored: BoolMask | None) -> BoolMask:
    """Where nobody judged and no grain is known: what `label_grains` calls a large ignored place.

    Args:
        grains: (H, W) ids, 0 = no grain.
        ignored: (H, W), true where nobody judged.

    Returns:
        (H, W).
    """
    return np.zeros(grains.shape, np.bool_) if ignored is None else np.asarray(ignored & (grains == 0))


def rim(place: BoolMask) -> BoolMask:
    """Pixels of a place with one of their eight neighbours outside of it: no way of 4-neighbours passes.

    Args:
        place: (H, W). The field's border is no edge.
    """
    outside = cv2.dilate((~place).view(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(place & (outside > 0), np.bool_)


def cut_grains(grains: npt.NDArray[np.integer], hidden: BoolMask) -> BoolMask:
    """Pixels of the grains that touch a hidden place, so that nobody knows their size.

    Args:
        grains: (H, W) ids, 0 = no grain.
        hidden: (H, W), from `hidden_part`.

    Returns:
        (H, W).
    """
    beside = cv2.dilate(hidden.view(np.uint8), np.ones((3, 3), np.uint8)) > 0
    cut = np.zeros(int(grains.max()) + 1, np.bool_)
    cut[grains[beside]] = True
    cut[0] = False
    return np.asarray(cut[grains], np.bool_)


def _large_places(boundary: BoolMask, ignored: BoolMask) -> BoolMask:
    """The ignored places without what is narrower than the mean intercept of the labelled grains.

    The mean intercept is π A / (2 L) for lines of the length L in the area A (Smith and Guttman 1953).
    """
    codes = np.where(ignored, IGNORE, boundary).astype(np.uint8)
    length = np.count_nonzero(boundary) / line_width_px(codes)
    reach = np.pi * np.count_nonzero(~ignored) / (2 * length) / 2
    away = cv2.distanceTransform(ignored.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    deep = np.asarray(away > reach, np.bool_)
    return ignored & near(deep, reach) if deep.any() else np.zeros_like(ignored)
