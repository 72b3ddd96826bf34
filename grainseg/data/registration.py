"""Offset of labels from the boundaries that their pictures show.

Labels derived from a map of grains are often shifted by half a pixel to one side: a pixel is marked because
its upper or left neighbour belongs to another grain. A network that trains on rotated and mirrored patches
cannot learn such an offset, which rotates with them; it learns a blurred line instead. So the offset is
measured, removed from the labels for training, and added to predictions again.
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
"""Takes a picture (H, W, C) float32 in [0, 1]; returns its boundary probability (H, W)."""

LARGEST_SIDE_PX = 1024
"""Of larger pictures, only the middle part of this size is used."""
LEAST_SIDE_PX = 32
"""Shortest side of a part that is used."""
LARGEST_PX = 3.0
"""A larger offset is not due to labelling: another field of view or another boundary was matched."""
LEAST_PX = 0.2
"""Smaller offsets are not corrected."""
CERTAIN = 3.0
"""An offset must be at least this many standard errors long."""
_UPSAMPLING = 20


def label_offset_px(images: Sequence[LabelledMicrograph], observe: Observe) -> Offset:
    """Estimate the offset of the labels' lines from the boundaries that the pictures show.

    Each quarter of each picture is registered by the maximum of the cross-correlation of label and predicted
    probability (Guizar-Sicairos, Thurman & Fienup 2008, Opt. Lett. 33:156, by scikit-image).

    Args:
        images: Pictures with labels made by the same method.
        observe: Predicts boundaries without a bias to any side.

    Returns:
        The mean offset of all quarters with no more than ``LARGEST_PX`` in each direction. (0, 0) if these
        are fewer than two or fewer than half of all, or if the mean is shorter than ``LEAST_PX`` or than
        ``CERTAIN`` of its standard errors.
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
    """Measure the offset of one part; None if it is too small, mostly ignored, or without boundaries."""
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
