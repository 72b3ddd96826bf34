"""Scale of training data: pixel size of the images, grain size of the labels in px, suitable shrinking."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from grainseg.config.checks import MAX_SHRINK
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import Intercepts, line_intercepts, pooled
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, Label

SAME = 1.02
"""Largest ratio of pixel sizes that count as equal."""
MIXED = 2.0
"""Largest ratio of the mean intercepts of pictures without a warning."""
LARGE_GRAINS_PX = 60.0
WELL_KNOWN_PX = 50.0
"""Mean intercepts: pictures above the first train better if shrunk to the second (docs/finetuning.md)."""


def shared_pixel_size_um(sizes: Sequence[tuple[float, float] | None]) -> float | None:
    """Compute the common pixel size of several images.

    Args:
        sizes: µm per px of each image, (row, column); None if unknown.

    Returns:
        Geometric mean over images, rows and columns; None if one is unknown or two differ by more than 2 %.
    """
    known = [value for size in sizes if size is not None for value in size]
    if not known or None in sizes or max(known) > SAME * min(known):
        return None
    return math.exp(float(np.mean(np.log(known))))


def shared_intercept_px(intercepts: Sequence[float | None]) -> float | None:
    """Compute the geometric mean of several networks' training intercepts; None if one is unknown."""
    known = [value for value in intercepts if value is not None]
    if not known or len(known) < len(intercepts):
        return None
    return math.exp(float(np.mean(np.log(known))))


def labelled_intercept_px(labels: Sequence[Label]) -> float | None:
    """Compute the mean lineal intercept of the labelled grains of several images together.

    Args:
        labels: (H, W) uint8 codes.

    Returns:
        Mean intercept in px over the test lines of all images; None if they cross no boundary.
    """
    return intercept_of_lines([line for label in labels for line in label_lines(label)])


def label_lines(label: Label) -> list[Intercepts]:
    """Return test lines across a label, (H, W) uint8 codes; none if it has no boundary or no grain."""
    if not ((label == GRAIN).any() and (label == BOUNDARY).any()):
        return []
    return list(line_intercepts(label_grains(label), ignored=np.asarray(label == IGNORE, np.bool_)))


def intercept_of_lines(lines: Sequence[Intercepts]) -> float | None:
    """Compute the mean intercept in px of all lines together; None if they cross no boundary."""
    mean = pooled(lines).mean if lines else math.nan
    return mean if math.isfinite(mean) else None


def mixed_scale_warnings(intercepts_px: Mapping[str, float | None], shrink: int) -> tuple[str, ...]:
    """Warn if the grains of some pictures are much larger than those of others.

    Args:
        intercepts_px: Mean intercept of each picture's label by the picture's name; None if unknown.
        shrink: Factor by which all pictures are shrunk.

    Returns:
        One line; empty if the largest is at most ``MIXED`` times the smallest.
    """
    known = sorted((px, name) for name, px in intercepts_px.items() if px is not None)
    if not known or known[-1][0] <= MIXED * known[0][0]:
        return ()
    (least, finest), (most, coarsest) = known[0], known[-1]
    unshrunk = f"; all are shrunk by {shrink}, unless you say data.shrink=1" if shrink > 1 else ""
    return (
        f"mean intercepts of the labels from {least:.0f} px ({finest}) to {most:.0f} px ({coarsest}): a "
        f"network knows one scale; bring pictures of different magnification to one pixel size{unshrunk}",
    )


def suited_shrink(intercept_px: float | None) -> int:
    """Choose the factor by which pictures are shrunk for a network that is trained on them.

    Args:
        intercept_px: Mean intercept of their labels; None if unknown.

    Returns:
        1 up to ``LARGE_GRAINS_PX`` or if unknown; else the intercept over ``WELL_KNOWN_PX``, rounded to a
        whole number from 2 to ``MAX_SHRINK``.
    """
    if intercept_px is None or intercept_px <= LARGE_GRAINS_PX:
        return 1
    return min(max(2, round(intercept_px / WELL_KNOWN_PX)), MAX_SHRINK)
