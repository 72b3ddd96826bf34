"""Prediction at another scale than the picture's own: resampled before the network, mapped back after it.

A network is trained on grains of certain sizes in px. A picture with another magnification is resampled so
that its grains have these sizes: by a known factor, or by an estimated one, at which the mean intercept of
the grains that the network finds agrees with that of the training labels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from grainseg.micrograph.image import FloatImage

Predict = Callable[[FloatImage], FloatImage]
"""Maps a picture, (H, W, C) float32 in [0, 1], to its boundary probability, (H, W) float32 in [0, 1]."""

Factors = tuple[float, float]
"""px of the network's grid per px of the picture, for rows and columns."""

FARTHEST = 4.0
"""Largest estimated factor; the smallest is 1/4. Beyond, the picture shows too little of the structure."""
ROUNDS = 3
"""Largest number of corrections of an estimated factor."""
CONSISTENT = 1.1
"""Largest ratio, either way, of found to wanted grain size at a corrected factor.

Smaller differences do not count, since the grain size is not known better from one picture.
"""
HARMLESS = 1.25
"""Largest ratio, either way, of found to wanted grain size at which a picture keeps its own scale.

Training scales its patches by such factors, too.
"""


def at_scale(unit: FloatImage, factors: Factors) -> FloatImage:
    """Resample a picture to the network's grid.

    Args:
        unit: (H, W, C) float32 in [0, 1].
        factors: Factors by which rows and columns are enlarged (below 1: shrunk).

    Returns:
        (h, w, C) float32 in [0, 1]; the picture itself if its size does not change.
    """
    shape = (unit.shape[0], unit.shape[1])
    size = resampled_shape(shape, factors)
    return unit if size == shape else resample(unit, size)


def on_grid(probability: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """Resample a probability to another grid over the same field, by linear interpolation.

    A coarser grid is interpolated too, not averaged: the network's lines, where they become thinner than a
    pixel, would fade below any threshold.

    Args:
        probability: (h, w) float32 in [0, 1].
        shape: Height and width of the new grid in px.
    """
    if probability.shape == shape:
        return probability
    size = (shape[1], shape[0])  # OpenCV: width, height
    return np.asarray(cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR), np.float32)


def resampled_shape(shape: tuple[int, int], factors: Factors) -> tuple[int, int]:
    """Return the height and width in px after resampling, each at least 1."""
    return max(1, round(shape[0] * factors[0])), max(1, round(shape[1] * factors[1]))


def resample(unit: FloatImage, shape: tuple[int, int]) -> FloatImage:
    """Resample a picture to another grid over the same field, without aliasing.

    Args:
        unit: (H, W, C) float32 in [0, 1].
        shape: Height and width of the new grid in px. An axis that shrinks is averaged over the area of the
            new pixels; one that grows is interpolated cubically, and its overshoot is clipped.

    Returns:
        (*shape, C) float32 in [0, 1].
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
        intercept_px: Mean intercept of the grains found, in px of the network's grid; None if there is no
            boundary.
        consistent: Whether that agrees with the target, within `HARMLESS` at the picture's own scale and
            within `CONSISTENT` at any other.
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

    The first prediction is at the picture's own scale. The mean intercept of the grains found there gives a
    new factor, target divided by found; the prediction at that factor gives the next correction. The search
    ends when found and target agree, when no boundary is found, when the limits leave no other factor, or
    after ``ROUNDS`` corrections. The result is the attempt whose mean intercept is closest to the target.

    Args:
        predict: Predicts a picture at the scale it is given in.
        unit: (H, W, C) float32 in [0, 1].
        target_px: Mean intercept of the training labels in px.
        intercept_px: Returns the mean intercept in px of the grains of a boundary map; None if the map has no
            boundary.
        largest: Largest factor to try; beyond, the picture would become too large.

    Returns:
        The prediction with its scale.
    """
    factor, tolerance = 1.0, HARMLESS
    best: tuple[float, EstimatedScale] | None = None  # the others' pictures are not kept
    for _ in range(1 + ROUNDS):
        scaled = at_scale(unit, (factor, factor))
        probability = predict(scaled)
        found = intercept_px(probability)
        off = math.inf if found is None else abs(math.log(target_px / found))
        consistent = off <= math.log(tolerance)
        if best is None or off < best[0]:
            best = off, EstimatedScale(scaled, probability, factor, found, consistent)
        if found is None or consistent:
            break
        wanted = min(max(factor * target_px / found, 1 / FARTHEST), FARTHEST, largest)
        if wanted == factor:
            break
        factor, tolerance = wanted, CONSISTENT
    assert best is not None  # there is one round at least
    return best[1]
