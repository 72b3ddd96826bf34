"""Describe how a picture looks by a few numbers that need no label: its grey levels and its texture.

All numbers are computed from the unit range that the network sees, so gain and offset of the camera do not
change them, unless grey levels beyond the camera's range are clipped.
"""

import cv2
import numpy as np

from grainseg.micrograph.image import BoolMask, FloatImage

GREY = ("grey_10", "grey_50", "grey_90")
"""Percentiles 10, 50 and 90 of the grey levels, in [0, 1]."""
TEXTURE = ("texture_1", "texture_2", "texture_4", "texture_8")
"""Natural logarithms of the root mean square of differences of Gaussians, named by the wider σ in px."""
NOISE = "noise"
APPEARANCE = (*GREY, *TEXTURE, NOISE)
"""Names of all numbers, in order."""

_LEAST = 1e-4
"""Amplitude below which a band counts as empty: far less than rounding to 8 bits (half a step) leaves."""
_NOISE_MASK = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)


def appearance(unit: FloatImage, left_out: BoolMask | None = None) -> dict[str, float]:
    """Measure grey levels, strength of the texture at four scales, and noise.

    The scales are an octave apart, as in a Laplacian pyramid (Burt & Adelson 1983, IEEE Trans. Commun.
    31:532). Noise is the standard deviation that Immerkær 1996 (Comput. Vis. Image Underst. 64:300) estimates
    from the difference of two Laplacians, which is zero on smooth structure; the finest lines of the picture
    count as noise, too.

    Args:
        unit: (H, W, C) float32 in the unit range; channels are averaged.
        left_out: (H, W) bool, pixels to leave out; disregarded if it covers the whole picture.

    Returns:
        Numbers by the names in `APPEARANCE`. Flips and quarter turns of the picture do not change them.
    """
    grey = np.ascontiguousarray(unit.mean(axis=2, dtype=np.float32))
    seen: slice | BoolMask = slice(None)
    if left_out is not None and left_out.any() and not left_out.all():
        seen = ~left_out
        grey = np.where(left_out, grey[seen].mean(), grey)  # its edge must not count as texture
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
