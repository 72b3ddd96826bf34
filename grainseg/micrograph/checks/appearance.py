"""What a picture looks like, in a few numbers that need no label: its grey levels and its texture.

All are taken of the unit range that the network sees, so gain and offset of the camera change none of them
unless they burn out what lies beyond the range.
"""

import cv2
import numpy as np

from grainseg.micrograph.image import BoolMask, FloatImage

GREY = ("grey_10", "grey_50", "grey_90")
"""Percentiles of the grey levels, in [0, 1]."""
TEXTURE = ("texture_1", "texture_2", "texture_4", "texture_8")
"""Natural logarithms of the root mean square of differences of Gaussians: σ of the wider one in px."""
NOISE = "noise"
APPEARANCE = (*GREY, *TEXTURE, NOISE)
"""Names of all numbers, in order."""

_LEAST = 1e-4
"""Amplitude below which a band is empty: far less than half a step of 8 bits leaves behind."""
_NOISE_MASK = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)


def appearance(unit: FloatImage, left_out: BoolMask | None = None) -> dict[str, float]:
    """Grey levels, strength of the texture at four scales, and noise.

    The scales are an octave apart, as in a Laplacian pyramid (Burt & Adelson 1983, IEEE Trans. Commun.
    31:532). Noise is the standard deviation that Immerkær 1996 (Comput. Vis. Image Underst. 64:300) reads
    from the difference of two Laplacians, which smooth structure leaves at zero; the picture's own finest
    lines count as noise, too.

    Args:
        unit: (H, W, C) float32 in the unit range; of colours the mean is looked at.
        left_out: (H, W), what is not looked at, as long as it is not all there is.

    Returns:
        By the names of `APPEARANCE`. Flips and quarter turns of the picture change nothing.
    """
    grey = np.ascontiguousarray(unit.mean(axis=2, dtype=np.float32))
    seen: slice | BoolMask = slice(None)
    if left_out is not None and left_out.any() and not left_out.all():
        seen = ~left_out
        grey = np.where(left_out, grey[seen].mean(), grey)  # its edge is no texture of the rest
    percentiles = np.percentile(grey[seen], (10, 50, 90)).tolist()
    found = dict(zip(GREY, percentiles, strict=True))
    finer = grey
    for name, sigma_px in zip(TEXTURE, (1.0, 2.0, 4.0, 8.0), strict=True):
        wider = cv2.GaussianBlur(grey, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
        found[name] = _log_amplitude(np.subtract(finer, wider, dtype=np.float32)[seen])
        finer = wider
    edges = cv2.filter2D(grey, -1, _NOISE_MASK, borderType=cv2.BORDER_REFLECT)
    sd = float(np.sqrt(np.pi / 2) * np.abs(edges[seen]).mean(dtype=np.float64) / 6)
    found[NOISE] = float(np.log(max(sd, _LEAST)))
    return found


def _log_amplitude(band: FloatImage) -> float:
    return float(np.log(max(np.sqrt(np.square(band, dtype=np.float64).mean()), _LEAST)))
