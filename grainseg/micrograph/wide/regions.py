"""Values per region, and the crack between regions that is nearest to each pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.drawing import GrainMap
from grainseg.micrograph.image import FloatImage
from grainseg.micrograph.wide.noise import as_float32

_Ints = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Cracks:
    """The crack between two regions that is nearest to each pixel.

    Attributes:
        distance_px: (H, W) float32 distance from the pixel's middle to the crack; 10⁶ without any crack.
        pair: (H, W) int32 number of the pair of regions that the crack separates, 0..P-1.
        low: (P,) int32, the lower region number of each pair.
        high: (P,) int32, the higher region number of each pair.
    """

    distance_px: FloatImage
    pair: _Ints
    low: _Ints
    high: _Ints


def spread(regions: GrainMap, values: npt.NDArray[np.floating]) -> FloatImage:
    """Paint each region with its value, indexed by its number: (H, W) float32."""
    picture: FloatImage = values.astype(np.float32)[regions]
    return picture


def means(regions: GrainMap, picture: FloatImage) -> npt.NDArray[np.float64]:
    """Return the mean of a picture per region, indexed by its number; 0 for numbers without a pixel."""
    area = np.bincount(regions.ravel())
    total: npt.NDArray[np.float64] = np.bincount(regions.ravel(), picture.ravel()) / np.maximum(area, 1)
    return total


def nearest_cracks(regions: GrainMap) -> Cracks:
    """Find the nearest crack on a grid of half pixels, on which the cracks have cells of their own.

    Args:
        regions: (H, W) int32 numbers.

    Returns:
        The cracks, with distances within 2 % (the 5 × 5 mask of G. Borgefors, Comput. Vis. Graph. Image
        Process. 34 (1986) 344-371).
    """
    height, width = regions.shape
    free = np.ones((2 * height - 1, 2 * width - 1), np.uint8)
    beside = regions[:, :-1], regions[:, 1:]
    below = regions[:-1], regions[1:]
    free[::2, 1::2] = beside[0] == beside[1]
    free[1::2, ::2] = below[0] == below[1]
    if free.all():
        none = np.zeros(1, np.int32)
        return Cracks(np.full(regions.shape, 1e6, np.float32), np.zeros(regions.shape, np.int32), none, none)
    distance, nearest = cv2.distanceTransformWithLabels(
        free, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    keys, of_crack = [], []
    for (one, other), places in ((beside, np.s_[::2, 1::2]), (below, np.s_[1::2, ::2])):
        parted = one != other
        one, other = one[parted].astype(np.int64), other[parted].astype(np.int64)
        keys.append((np.minimum(one, other) << 32) + np.maximum(one, other))
        of_crack.append(nearest[places][parted])
    pairs, number = np.unique(np.concatenate(keys), return_inverse=True)
    pair_of = np.zeros(int(nearest.max()) + 1, np.int32)
    pair_of[np.concatenate(of_crack)] = number
    return Cracks(
        as_float32(distance[::2, ::2] / 2),
        pair_of[nearest[::2, ::2]],
        (pairs >> 32).astype(np.int32),
        (pairs & 0xFFFFFFFF).astype(np.int32),
    )
