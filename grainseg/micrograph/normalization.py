"""The grey scale that the network sees: one robust unit range per picture."""

from typing import Any

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import FloatImage

LOW_PERCENTILE = 0.5
HIGH_PERCENTILE = 99.5
NORMALIZATION = "percentile-0.5-99.5"
"""Name of this normalisation in checkpoints; a different normalisation needs a different name."""
_LARGE = 1e30
"""Limit of ranges and ratios that are computed in float32; well within its own limit of 3e38."""


def to_unit_range(pixels: FloatImage) -> FloatImage:
    """Map the 0.5th percentile of the whole picture to 0 and the 99.5th to 1, and clip.

    Percentiles follow every monotone change of the grey scale. So gain and offset of the camera have no
    effect, and gamma or an inversion applied to the unit range gives the unit range of a picture taken that
    way: augmented patches look like the pictures to predict. The percentiles must be computed on the whole
    picture, since in a tile without a boundary the noise would be stretched.

    Args:
        pixels: (H, W) or (H, W, C) float32, finite, any scale.

    Returns:
        Same shape, float32 in [0, 1]; all zeros where the picture has one grey level only.
    """
    unit, span = above_black(pixels)
    if span == 0:
        return np.zeros_like(pixels)
    unit /= unit.dtype.type(span)
    return np.asarray(np.clip(unit, 0, 1, out=unit), dtype=np.float32)


def above_black(pixels: FloatImage) -> tuple[npt.NDArray[np.floating[Any]], float]:
    """Subtract the 0.5th percentile of the picture, and measure the span from it to the 99.5th.

    Where the percentiles coincide because nearly all pixels are equal, minimum and maximum replace them.

    Args:
        pixels: (H, W) or (H, W, C) float32, finite, any scale.

    Returns:
        A new array of the same shape, below 0 where a pixel is darker; and the span, 0 where the picture has
        one grey level only. The array is float64 where float32 would not hold the differences or their ratio
        to the span.
    """
    lowest, highest = float(pixels.min()), float(pixels.max())
    reach = highest - lowest
    ranked = pixels if reach < _LARGE else pixels.astype(np.float64)  # percentiles subtract neighbours
    low, high = np.percentile(ranked, (LOW_PERCENTILE, HIGH_PERCENTILE)).tolist()
    if high <= low:
        low, high = lowest, highest
    span = high - low
    fits = span > 1 / _LARGE and reach < _LARGE * min(span, 1)
    return np.subtract(pixels, low, dtype=np.float32 if fits else np.float64), span
