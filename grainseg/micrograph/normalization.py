"""The grey scale that the network sees: one robust unit range per picture."""

import numpy as np

from grainseg.micrograph.image import FloatImage

LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.5
NORMALIZATION = "percentile-0.5-99.5"
"""Name of this normalisation in checkpoints; another one gets another name."""


def to_unit_range(pixels: FloatImage) -> FloatImage:
    """Map the 0.5th percentile of the whole picture to 0 and the 99.5th to 1, and clip.

    Percentiles follow every monotone change of the grey scale, so gain and offset of the camera have no
    effect, and gamma or an inversion of the unit range equals the unit range of a picture taken that way:
    what augmentation does to a patch is what prediction meets. It must be computed on the whole picture; a
    tile that holds no boundary would have its noise stretched.

    Args:
        pixels: (H, W) or (H, W, C) float32, finite, any scale.

    Returns:
        Same shape, float32 in [0, 1]; all zeros where the picture has one grey level only.
    """
    low, high = np.percentile(pixels, (LOW_PERCENTILE, HIGH_PERCENTILE))
    if high <= low:  # nearly all pixels are equal: fall back on the extremes
        low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        return np.zeros_like(pixels)
    unit = (pixels - np.float32(low)) / np.float32(high - low)
    return np.asarray(np.clip(unit, 0, 1), dtype=np.float32)
