"""Draw lines of one pixel as wide as the lines of the labels."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.ndimage import distance_transform_edt

from grainseg.micrograph.image import BOUNDARY, BoolMask, FloatImage, Label
from grainseg.micrograph.labels import line_width_px
from grainseg.micrograph.morphology import near, skeleton

_RADII_PX = tuple(sorted({math.hypot(*each) for each in product(range(12), repeat=2)}))
"""Distances between pixels: for radii between two of these, the width of a line does not change."""


def drawing_radius_px(labels: Sequence[Label]) -> float:
    """Radius about a line of 1 px at which it becomes as wide as the labels' lines.

    The skeletons of the labels are drawn again with increasing radii; the radius whose mean line width is
    nearest to that of the labels is taken.

    Args:
        labels: (H, W) uint8 codes, each with boundary.

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
    """Spread the values of a line over all pixels near it; each takes the value of the nearest line pixel.

    Args:
        line: (H, W), true on lines of 1 px.
        values: (H, W) float32, used on the line only.
        radius_px: Radius in px, as from `drawing_radius_px`.

    Returns:
        (H, W) float32; 0 away from the line.
    """
    if not line.any():
        return np.zeros(line.shape, np.float32)
    _, nearest = distance_transform_edt(~line, return_indices=True)
    spread = values[tuple(nearest)]
    return np.where(near(line, radius_px), spread, np.float32(0))
