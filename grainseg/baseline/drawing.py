"""Lines of one pixel drawn as wide as people draw their labels."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.ndimage import distance_transform_edt

from grainseg.micrograph.image import BOUNDARY, BoolMask, FloatImage, Label
from grainseg.micrograph.labels import line_width_px
from grainseg.micrograph.morphology import near, skeleton

_RADII_PX = tuple(sorted({math.hypot(*each) for each in product(range(12), repeat=2)}))
"""Distances between pixels: between two of them a line does not change its width."""


def drawing_radius_px(labels: Sequence[Label]) -> float:
    """Radius about a line of 1 px at which it becomes as wide as the labels' lines.

    Args:
        labels: (H, W) uint8 codes, each with boundary. Their skeletons are drawn again with ever larger
            radii; the one whose mean width is nearest to theirs is taken.

    Returns:
        Radius in px, 0 for lines of 1 px.
    """
    wanted = np.mean([line_width_px(label) for label in labels])
    skeletons = [skeleton(label == BOUNDARY) for label in labels]
    best, least = 0.0, np.inf
    for radius in _RADII_PX:
        drawn = [near(line, radius).astype(np.uint8) for line in skeletons]
        difference = abs(np.mean([line_width_px(each) for each in drawn]) - wanted)
        if difference >= least:  # widths grow with the radius: it only gets worse from here
            break
        best, least = radius, float(difference)
    return best


def draw_values(line: BoolMask, values: FloatImage, radius_px: float) -> FloatImage:
    """Spread the values of a line over all pixels near to it; each takes that of the nearest line pixel.

    Args:
        line: (H, W), true on lines of 1 px.
        values: (H, W) float32, looked at on the line.
        radius_px: As from `drawing_radius_px`.

    Returns:
        (H, W) float32; 0 away from the line.
    """
    if not line.any():
        return np.zeros(line.shape, np.float32)
    _, nearest = distance_transform_edt(~line, return_indices=True)
    spread = values[tuple(nearest)]
    return np.where(near(line, radius_px), spread, np.float32(0))
