"""Warn if a picture has contrast in colour that is lost in its brightness, all that one channel holds."""

import itertools
import math

import numpy as np

from grainseg.micrograph.arrays import Floats
from grainseg.micrograph.files import LUMA
from grainseg.micrograph.image import BoolMask, FloatImage

COLOURED_ABOVE = 0.3
"""Ratio of the contrast that brightness does not explain to the contrast that it does, above which a picture
is coloured. Grains that differ in hue, as in polarised light, have 1.4 to 1.6 (drawn), one tint has 0.02."""

_SAMPLES = 65536
_BLOCK_PX = 3
"""Side of the blocks whose mean colours are compared, since noise of single pixels is coloured, too."""
_MOST_COLOURED = 0.05
"""Share of the blocks to leave out, the most coloured: red letters and scale bars are no grain contrast."""


def colour_warnings(pixels: FloatImage, channels: int, left_out: BoolMask | None = None) -> tuple[str, ...]:
    """Warn if much of a picture's contrast is lost when only its brightness is used.

    Args:
        pixels: (H, W) or (H, W, 3) float32, any finite range.
        channels: Number of channels that the network takes.
        left_out: (H, W) bool, pixels that are not measured and are not checked.

    Returns:
        One line; none for a grey or tinted picture, or if the network takes colour.
    """
    if channels != 1 or pixels.ndim != 3 or pixels.shape[2] != 3:
        return ()
    seen, unseen = _contrasts(_sampled(pixels, left_out))
    if unseen <= COLOURED_ABOVE * seen:
        return ()
    return (
        "much of its contrast is colour, and one channel shows brightness alone: boundaries that only colour "
        "shows are missed; a network that is trained with model.in_channels=3 sees them",
    )


def _sampled(pixels: FloatImage, left_out: BoolMask | None) -> Floats:
    """(N, 3) mean colours of small blocks; N stays limited for large pictures."""
    height, width = pixels.shape[:2]
    step = max(_BLOCK_PX, math.ceil(math.sqrt(height * width / _SAMPLES)))
    rows, columns = (slice(0, side // step * step) for side in (height, width))
    blocks = sum(
        pixels[rows, columns][down::step, right::step].astype(np.float64) / _BLOCK_PX**2
        for down, right in itertools.product(range(_BLOCK_PX), repeat=2)
    )
    found = np.asarray(blocks, np.float64)
    if left_out is None:
        return found.reshape(-1, 3)
    return found[~left_out[rows, columns][1::step, 1::step]]


def _contrasts(colours: Floats) -> tuple[float, float]:
    """Standard deviation explained by the brightness, and the largest one in the rest of the colours."""
    if not len(colours):
        return 0.0, 0.0
    hues = colours - colours.mean(axis=1, keepdims=True)
    apart = np.abs(hues - np.median(hues, axis=0)).sum(axis=1)
    common = colours[apart <= np.quantile(apart, 1 - _MOST_COLOURED)]
    common = common - common.mean(axis=0)
    brightness = common @ np.array(LUMA)
    variance = float(brightness @ brightness)
    # A tint counts as brightness: the part of each channel that rises and falls with it.
    slopes = brightness @ common / variance if variance else np.zeros(3)
    rest = common - np.outer(brightness, slopes)
    seen = float(np.linalg.norm(slopes)) * math.sqrt(variance)
    return seen / math.sqrt(len(common)), float(np.linalg.norm(rest, 2)) / math.sqrt(len(common))
