"""The scale of training data: pixel size of images, grain size of labels in px, and what suits it."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from grainseg.config.checks import MAX_SHRINK
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import Intercepts, line_intercepts, pooled
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, Label

SAME = 1.02
"""Pixel sizes that differ by no more are one."""
MIXED = 2.0
"""Mean intercepts of pictures that differ by a larger factor are warned of."""
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
    return intercept_of_lines([line for label in labels for line in label_lines(label)])


def label_lines(label: Label) -> list[Intercepts]:
    """Lines across a label, (H, W) uint8 codes, and what they cross; none if it has no grain or boundary."""
    if not ((label == GRAIN).any() and (label == BOUNDARY).any()):
        return []
    return list(line_intercepts(label_grains(label), ignored=np.asarray(label == IGNORE, np.bool_)))


def intercept_of_lines(lines: Sequence[Intercepts]) -> float | None:
    """Mean intercept in px of lines together; None where no boundary is crossed."""
    mean = pooled(lines).mean if lines else math.nan
    return mean if math.isfinite(mean) else None


def mixed_scale_warnings(intercepts_px: Mapping[str, float | None], shrink: int) -> tuple[str, ...]:
    """Say that the grains of some pictures are far larger than those of others.

    Args:
        intercepts_px: Mean intercept of each picture's label by its name; None if unknown.
        shrink: By how much all of them are shrunk.

    Returns:
        One line; none where they differ by no more than ``MIXED``.
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
    """By how much pictures are shrunk for a network that is to be trained on them.

    Args:
        intercept_px: Mean intercept of their labels; None if unknown.

    Returns:
        The whole number that brings large grains closest to ``WELL_KNOWN_PX``; 1 for all others.
    """
    if intercept_px is None or intercept_px <= LARGE_GRAINS_PX:
        return 1
    return min(max(2, round(intercept_px / WELL_KNOWN_PX)), MAX_SHRINK)
