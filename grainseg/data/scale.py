"""The scale of training data: pixel size of images, grain size of labels in px, and what suits it."""

import math
from collections.abc import Sequence

import numpy as np

from grainseg.config.checks import MAX_SHRINK
from grainseg.grains.intercepts import line_intercepts, pooled
from grainseg.grains.labelled_grains import label_grains
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, Label

SAME = 1.02
"""Pixel sizes that differ by no more are one."""
LARGE_GRAINS_PX = 60.0
WELL_KNOWN_PX = 50.0
"""Mean intercepts: above the first, pictures brought to the second train better (docs/finetuning.md)."""


def shared_pixel_size_um(sizes: Sequence[tuple[float, float] | None]) -> float | None:
    """The one pixel size of several images.

    Args:
        sizes: µm per px of each image, (row, column); None where nobody says it.

    Returns:
        Their geometric mean; None if one is unknown, or if two of them differ by more than 2 %, those of rows
        and columns included.
    """
    known = [value for size in sizes if size is not None for value in size]
    if not known or None in sizes or max(known) > SAME * min(known):
        return None
    return math.exp(float(np.mean(np.log(known))))


def shared_intercept_px(intercepts: Sequence[float | None]) -> float | None:
    """Geometric mean of the mean intercepts that several networks were trained at; None if one is unknown."""
    known = [value for value in intercepts if value is not None]
    if not known or len(known) < len(intercepts):
        return None
    return math.exp(float(np.mean(np.log(known))))


def labelled_intercept_px(labels: Sequence[Label]) -> float | None:
    """Mean lineal intercept of the labelled grains of several images together.

    Args:
        labels: (H, W) uint8 codes.

    Returns:
        In px, of the lines and boundaries of all images; None where no boundary is crossed.
    """
    lines = [
        intercepts
        for label in labels
        if (label == GRAIN).any() and (label == BOUNDARY).any()
        for intercepts in line_intercepts(label_grains(label), ignored=np.asarray(label == IGNORE, np.bool_))
    ]
    mean = pooled(lines).mean if lines else math.nan
    return mean if math.isfinite(mean) else None


def suited_shrink(intercept_px: float | None) -> int:
    """By how much pictures are shrunk for a network that is to be trained on them.

    Args:
        intercept_px: Mean intercept of their labels; None if unknown.

    Returns:
        The whole number that brings large grains closest to ``WELL_KNOWN_PX``; 1 for all others.
    """
    if intercept_px is None or intercept_px <= LARGE_GRAINS_PX:
        return 1
    return min(max(2, round(intercept_px / WELL_KNOWN_PX)), MAX_SHRINK)
