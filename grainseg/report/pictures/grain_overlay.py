"""Pictures of the partition: where grains meet, which gaps were closed, how large each grain is.

The mask is the network's prediction, the partition is what was measured; these pictures show the partition.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.micrograph.drawing import crack_pixels
from grainseg.micrograph.image import BoolMask, FloatImage
from grainseg.report.pictures.overlay import LINE, Colour, Picture, shown_line_px, thickened, to_grey

CLOSED: Colour = (0, 200, 255)
"""Boundary that the partition closed without a prediction. It differs clearly from LINE and from every grey
(CIEDE2000 of at least 50 and about 19), also under protanopia, deuteranopia and tritanopia as modelled by
Machado et al. 2009."""

_GLOW = 0.25
"""Share of the micrograph's brightness that shines through the lines."""
_FILL = 150
"""Opacity of a grain's colour, 0-255: the micrograph stays legible beneath it."""
_VEIL = (110, 110, 110, 140)
_HATCH = (215, 215, 215, 200)
_MAP: npt.NDArray[np.uint8] = np.ascontiguousarray(
    cv2.applyColorMap(np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_VIRIDIS)[0, :, ::-1]
)
"""Viridis (van der Walt and Smith 2015): its brightness rises evenly, so the colour-blind can read it."""


@dataclass(frozen=True)
class SizeScale:
    """The range of sizes over which colours change, evenly in the logarithm; beyond it they stay the same.

    One scale serves all pictures of a report, so that equal colours mean equal sizes.

    Attributes:
        low: Positive, in the unit of the sizes.
        high: Above ``low``.
    """

    low: float
    high: float

    def position(self, sizes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Places of sizes on the scale, 0 to 1; a size that is NaN or not positive counts as ``low``."""
        given = np.asarray(sizes, np.float64)
        known = np.where(given > 0, given, self.low)
        share = np.log(known / self.low) / math.log(self.high / self.low)
        return np.clip(share, 0, 1)

    def colours(self, sizes: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """(N, 3) RGB of N sizes."""
        return np.asarray(_MAP[np.rint(self.position(sizes) * 255).astype(np.intp)])


def size_scale(sizes: npt.ArrayLike) -> SizeScale:
    """The scale from the 5th to the 98th percentile of the sizes, at least 10 % wide.

    Args:
        sizes: Any shape, in any one unit; without positive sizes the scale is 1 to 2.
    """
    given = np.asarray(sizes, np.float64).ravel()
    known = given[given > 0]
    if known.size == 0:
        return SizeScale(1.0, 2.0)
    low, high = np.percentile(known, (5, 98)).tolist()
    if high < 1.1 * low:
        low, high = low / 1.05, high * 1.05
    return SizeScale(low, high)


def scale_ticks(scale: SizeScale) -> list[float]:
    """1, 2, 3, 5 and 7 times the powers of ten, as far as they lie on a scale."""
    powers = range(math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high)) + 1)
    sizes = [float(f"{step}e{power}") for power in powers for step in (1, 2, 3, 5, 7)]
    return [size for size in sizes if scale.low <= size <= scale.high]


def scale_stops() -> list[str]:
    """Colours of a scale from the smallest size to the largest, evenly spaced, as CSS writes them."""
    return [f"rgb({red} {green} {blue})" for red, green, blue in _MAP[::15].tolist()]


def partition_overlay(pixels: FloatImage, grains: GrainIds, closed: BoolMask | None = None) -> Picture:
    """Draw the boundaries of a partition over its micrograph, all equally wide.

    Args:
        pixels: (H, W) grey or (H, W, 3) RGB, any finite range.
        grains: (H, W) grain ids; 0 is hatched.
        closed: (H, W), true beside boundaries that the partition closed without a prediction; None if
            it is not known which were closed.

    Returns:
        (H, W, 3) RGB: the micrograph in grey, boundaries in LINE, closed ones 2 px wider and in CLOSED.
    """
    shown = to_grey(pixels)
    layer = boundary_layer(grains, closed)
    lines = layer[..., 3] == 255
    veil = (layer[..., 3] > 0) & ~lines
    share = layer[veil][:, 3:].astype(np.float32) / 255
    shown[veil] = np.rint(shown[veil] * (1 - share) + layer[veil][:, :3] * share)
    colour = layer[lines][:, :3].astype(np.float32)
    # Brightness is added, not mixed: over the dark lines of an etched metal a mixture would be dark too.
    shown[lines] = np.rint(colour + _GLOW * (255 - colour) * (shown[lines] / np.float32(255)))
    return shown


def boundary_layer(grains: GrainIds, closed: BoolMask | None = None, width_px: int | None = None) -> Picture:
    """The boundaries of a partition alone, to be laid over a micrograph.

    Args:
        grains: (H, W) grain ids; 0 is hatched.
        closed: (H, W), true on closed gaps, as for `partition_overlay`; None where they are not known.
        width_px: Odd width of the lines; by default that of `shown_line_px`.

    Returns:
        (H, W, 4) RGBA, transparent outside the lines and the hatched area.
    """
    width = shown_line_px(grains.shape) if width_px is None else width_px
    layer = np.zeros((*grains.shape, 4), np.uint8)
    rows, columns = np.nonzero(grains == 0)
    layer[rows, columns] = np.where(((rows + columns) % 12 < 2)[:, None], _HATCH, _VEIL)
    crack = crack_pixels(grains)
    layer[thickened(crack, width)] = (*LINE, 255)
    if closed is not None:
        layer[thickened(crack & thickened(closed, 3), width + 2)] = (*CLOSED, 255)
    return layer


def size_layer(
    grains: GrainIds,
    ids: npt.NDArray[np.integer],
    sizes: npt.NDArray[np.float64],
    scale: SizeScale,
) -> Picture:
    """Grains coloured by their size, to be laid over a micrograph.

    Args:
        grains: (H, W) grain ids of any size.
        ids: (N,) ids of the measured grains, ascending; other grains have no colour.
        sizes: (N,) sizes of these grains, in the unit of the scale.
        scale: Maps sizes to colours.

    Returns:
        (H, W, 4) RGBA: see-through colours, a darker outline of 1 px, and nothing where there is no grain.
    """
    fill = np.zeros((ids.size + 1, 4), np.uint8)  # one more for the pixels of no grain
    fill[:-1, :3] = scale.colours(sizes)
    fill[:-1, 3] = _FILL
    place = np.searchsorted(ids, grains)
    known = np.append(ids, 0)[place] == grains
    layer = fill[np.where(known & (grains > 0), place, ids.size)]
    outline = crack_pixels(grains) & (grains > 0)
    layer[outline, :3] //= 3
    layer[outline, 3] = 220
    return layer
