"""Morphology of masks: thin their lines, and find the pixels near them."""

import cv2
import numpy as np
from skimage.morphology import skeletonize

from grainseg.micrograph.image import BoolMask

_SLACK_PX = 1e-4
"""Slack of distances: above the rounding of OpenCV's float32, far below the gap between grid distances."""


def skeleton(mask: BoolMask) -> BoolMask:
    """Thin lines to a width of one pixel (Zhang and Suen 1984, Commun. ACM 27:236).

    Args:
        mask: (H, W) bool.

    Returns:
        (H, W) bool, a subset of the mask.
    """
    return np.asarray(skeletonize(mask), np.bool_)


def near(mask: BoolMask, tolerance_px: float) -> BoolMask:
    """Find the pixels within a Euclidean distance of a mask.

    Args:
        mask: (H, W) bool.
        tolerance_px: Largest distance between pixel centres, inclusive.

    Returns:
        (H, W) bool; nowhere true if the mask is empty.
    """
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= tolerance_px + _SLACK_PX, np.bool_)
