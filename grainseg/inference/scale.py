"""Prediction at another scale than the picture's own: resampled before the network, mapped back after it.

A network knows grains of the sizes in px that it was trained on. A picture with another magnification is
brought to these by a known factor, or by one that makes what the network finds there agree with what it was
trained on.
"""

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from grainseg.micrograph.image import FloatImage

Predict = Callable[[FloatImage], FloatImage]
"""A picture (H, W, C) float32 in [0, 1] in, its boundary probability (H, W) float32 in [0, 1] out."""

Factors = tuple[float, float]
"""px of the network's grid per px of the picture, for rows and columns."""

FARTHEST = 4.0
"""An estimated factor lies between 1/4 and 4: beyond, the picture shows too little of the structure."""
ROUNDS = 3
"""How often an estimate is corrected at most."""
CONSISTENT = 1.1
"""Two factors that differ by less are one: grain sizes are no better known from a picture."""
HARMLESS = 1.25
"""Grains that differ by less from those of the training stay: training scales patches so, too."""


def at_scale(unit: FloatImage, factors: Factors) -> FloatImage:
    """A picture on the network's grid.

    Args:
        unit: (H, W, C) float32 in [0, 1].
        factors: How much it is enlarged (below 1: shrunk).

    Returns:
        Height, width and channels, float32 in [0, 1]; the picture itself where nothing changes.
    """
    shape = (unit.shape[0], unit.shape[1])
    size = resampled_shape(shape, factors)
    return unit if size == shape else resample(unit, size)


def on_grid(probability: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """A probability on another grid over the same field, interpolated linearly.

    Where the grid is coarser nothing is averaged: lines of the network's width that become thinner than a
    pixel would fade below any threshold.

    Args:
        probability: (h, w) float32 in [0, 1].
        shape: Height and width in px wanted.
    """
    if probability.shape == shape:
        return probability
    size = (shape[1], shape[0])  # OpenCV: width, height
    return np.asarray(cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR), np.float32)


def resampled_shape(shape: tuple[int, int], factors: Factors) -> tuple[int, int]:
    """Height and width in px after resampling, each at least 1."""
    return max(1, round(shape[0] * factors[0])), max(1, round(shape[1] * factors[1]))


def resample(unit: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """Bring a picture to another grid over the same field, without aliasing.

    Args:
        unit: (H, W, C) float32 in [0, 1].
        shape: Height and width in px wanted. An axis that shrinks is averaged over the area of its new
            pixels; one that grows is interpolated cubically, and what that overshoots is cut.

    Returns:
        Height, width and channels, float32 in [0, 1].
    """
    found = unit
    for axis in (0, 1):
        have, want = unit.shape[axis], shape[axis]
        if have != want:
            size = (found.shape[1], want) if axis == 0 else (want, found.shape[0])  # OpenCV: width, height
            method = cv2.INTER_AREA if want < have else cv2.INTER_CUBIC
            found = np.asarray(cv2.resize(found, size, interpolation=method), np.float32)
            found = found.reshape(*found.shape[:2], unit.shape[2])  # OpenCV drops a single channel
    return np.clip(found, 0, 1)


@dataclass(frozen=True)
class EstimatedScale:
    """A prediction at an estimated scale.

    Attributes:
        unit: (h, w, C) float32 in [0, 1], the picture on the network's grid.
        probability: (h, w) float32 in [0, 1], on the same grid.
        factor: px of the network's grid per px of the picture.
        intercept_px: Mean intercept of what was found, in px of the network's grid; None if nothing was.
        consistent: Whether that is what was aimed at, as well as it can be known.
    """

    unit: FloatImage
    probability: FloatImage
    factor: float
    intercept_px: float | None
    consistent: bool


def predict_at_estimate(
    predict: Predict,
    unit: FloatImage,
    target_px: float,
    intercept_px: Callable[[FloatImage], float | None],
    largest: float = FARTHEST,
) -> EstimatedScale:
    """Predict at the scale at which the grains found are as large as those of the training.

    From the picture's own scale on, the mean intercept of what is found says at which factor it would be the
    wanted one; what is found there says it again. Of at most ``ROUNDS`` corrections the factor is taken that
    is most consistent with what was found at it.

    Args:
        predict: Predicts a picture at its own scale.
        unit: (H, W, C) float32 in [0, 1].
        target_px: Mean intercept of the training labels in px.
        intercept_px: Mean intercept in px of the grains of a boundary map; None where it has no boundary.
        largest: Factors above are not tried, since the picture would become too large.

    Returns:
        The prediction and how it came about.
    """
    factor, tolerance, attempts = 1.0, HARMLESS, []
    for _ in range(1 + ROUNDS):
        scaled = at_scale(unit, (factor, factor))
        probability = predict(scaled)
        found = intercept_px(probability)
        off = math.inf if found is None else abs(math.log(target_px / found))
        consistent = off <= math.log(tolerance)
        estimate = EstimatedScale(scaled, probability, factor, found, consistent)
        attempts.append((off, estimate))
        if found is None or consistent:
            break
        wanted = min(max(factor * target_px / found, 1 / FARTHEST), FARTHEST, largest)
        if wanted == factor:
            break
        factor, tolerance = wanted, CONSISTENT
    return min(attempts, key=operator.itemgetter(0))[1]
