"""Where labels lie beside what their pictures show.

Labels that were derived from a map of grains often lie half a pixel to one side: a pixel is marked because
its upper or left neighbour belongs to another grain. A network that trains on turned and mirrored patches
cannot learn such an offset, which turns with them; it learns a blurred line instead. So the offset is
measured, taken from the labels before training, and given back to predictions.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from skimage.registration import phase_cross_correlation

from grainseg.data.images import LabelledMicrograph
from grainseg.micrograph.image import BOUNDARY, IGNORE, FloatImage, Label

Offset = tuple[float, float]
"""Rows down and columns to the right, in px."""

Observe = Callable[[FloatImage], FloatImage]
"""A picture (H, W, C) float32 in [0, 1] in, the boundary probability (H, W) of what it shows out."""

LARGEST_SIDE_PX = 1024
"""Only the middle of larger pictures is looked at."""
LEAST_SIDE_PX = 32
"""Shortest side of a part that is compared."""
LARGEST_PX = 3.0
"""An offset beyond is no habit of labelling but another field, or another boundary."""
LEAST_PX = 0.2
"""A smaller offset is not worth moving anything."""
CERTAIN = 3.0
"""Standard errors that an offset must differ from none by."""
_UPSAMPLING = 20


def label_offset_px(images: Sequence[LabelledMicrograph], observe: Observe) -> Offset:
    """Estimate how far the lines of labels lie from the boundaries that the pictures show.

    Each quarter of each picture is registered by the maximum of the cross-correlation of label and observed
    probability (Guizar-Sicairos, Thurman & Fienup 2008, Opt. Lett. 33:156, by scikit-image).

    Args:
        images: Pictures and labels of one hand.
        observe: Sees boundaries without a bias to any side.

    Returns:
        The offset; (0, 0) where the mean over all quarters is shorter than
        ``LEAST_PX`` or ``CERTAIN`` of its standard errors.
    """
    offsets = [offset for image in images for offset in _offsets(image, observe)]
    near = np.array([offset for offset in offsets if np.abs(offset).max() <= LARGEST_PX]).reshape(-1, 2)
    if len(near) < 2 or 2 * len(near) < len(offsets):
        return 0.0, 0.0
    mean = near.mean(axis=0)
    error = near.std(axis=0, ddof=1) / np.sqrt(len(near))
    if np.hypot(*mean) < max(LEAST_PX, CERTAIN * float(np.hypot(*error))):
        return 0.0, 0.0
    return round(float(mean[0]), 2), round(float(mean[1]), 2)


def _offsets(image: LabelledMicrograph, observe: Observe) -> list[npt.NDArray[np.float64]]:
    starts = [max(0, length - LARGEST_SIDE_PX) // 2 for length in image.shape]
    middle = tuple(slice(start, start + LARGEST_SIDE_PX) for start in starts)
    label, probability = image.label[middle], observe(image.unit[middle])
    halves = [np.array_split(np.arange(length), 2) for length in label.shape]
    quarters = [np.ix_(rows, columns) for rows in halves[0] for columns in halves[1]]
    offsets = (_offset(probability[quarter], label[quarter]) for quarter in quarters)
    return [offset for offset in offsets if offset is not None]


def _offset(probability: FloatImage, label: Label) -> npt.NDArray[np.float64] | None:
    """Offset of one label; None where too little was judged, or nothing is to be compared."""
    judged = label != IGNORE
    boundary = label == BOUNDARY
    if min(label.shape) < LEAST_SIDE_PX or judged.mean() < 0.5 or not boundary.any():
        return None
    drawn, seen = (
        np.where(judged, values - values[judged].mean(), 0)
        for values in (boundary.astype(np.float64), probability.astype(np.float64))
    )
    if not seen.any():
        return None
    shift, _, _ = phase_cross_correlation(drawn, seen, upsample_factor=_UPSAMPLING, normalization=None)
    return np.asarray(shift, dtype=np.float64)
