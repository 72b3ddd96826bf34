"""Morphology of masks: lines thinned, and what lies near them."""

import cv2
import numpy as np
from skimage.morphology import skeletonize

from grainseg.micrograph.image import BoolMask

_SLACK_PX = 1e-4
"""Above the rounding of OpenCV's float32 distances, far below the gap between two distances on the grid."""


def skeleton(mask: BoolMask) -> BoolMask:
    """Thin lines to a width of one pixel (Zhang and Suen 1984, Commun. ACM 27:236).

    Args:
        mask: (H, W).

    Returns:
        (H, W), a subset of the mask.
    """
    return np.asarray(skeletonize(mask), np.bool_)


def near(mask: BoolMask, tolerance_px: float) -> BoolMask:
    """Pixels that have a pixel of the mask within a Euclidean distance.

    Args:
        mask: (H, W).
        tolerance_px: Distance between pixel centres, itself included.

    Returns:
        (H, W); nowhere true if the mask is empty.
    """
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= tolerance_px + _SLACK_PX, np.bool_)
