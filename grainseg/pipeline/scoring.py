"""What labels say beside scores: the partition that suits them, its error, a tolerance that is too large."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from grainseg.grains.agreement_regions import RegionScores, region_scores
from grainseg.grains.budget import MAX_ERROR_LN, SegmentationError
from grainseg.grains.labelled_grains import label_grains
from grainseg.grains.partition import PartitionSettings, grains_or_zeros
from grainseg.grains.partition_fit import fit_partition
from grainseg.micrograph.image import IGNORE, FloatImage, Label

TOLERANCE_SHARE = 0.1
"""Of the mean intercept. Unrelated lines have an F1 of 0.25 at a twelfth of it, 0.80 at a third."""


def tolerance_warnings(tolerance_px: float, intercept_px: float | None) -> tuple[str, ...]:
    """Say that the tolerance of the line score is too large for the grains.

    Args:
        tolerance_px: Of the boundary F1.
        intercept_px: Mean intercept of the labels; None if unknown.

    Returns:
        One line; none where the tolerance is small, or 1 px, the least that means something.
    """
    if intercept_px is None:
        return ()
    least = max(1, math.floor(TOLERANCE_SHARE * min(intercept_px, 1e6)))
    if tolerance_px <= max(least, TOLERANCE_SHARE * intercept_px):
        return ()
    return (
        f"boundary_tolerance_px={tolerance_px:g} is {tolerance_px / intercept_px:.2f} of the labels' mean "
        f"intercept of {intercept_px:.1f} px: in grains so fine wrong lines lie near a boundary, too, and "
        f"the boundary F1 flatters; say boundary_tolerance_px={least}",
    )


def fit_grains(
    probabilities: Sequence[FloatImage], labels: Sequence[Label], objective: str, given: Mapping[str, float]
) -> tuple[PartitionSettings, list[RegionScores]]:
    """Choose the partition's settings on labelled pictures, and see how far the grains are off then.

    Args:
        probabilities: (H, W) float32 in [0, 1], one per picture.
        labels: Their (H, W) uint8 codes.
        objective: See ``fit_partition``.
        given: Settings that are not fitted, by name.

    Returns:
        The settings, and the scores of each picture.
    """
    truth = [label_grains(label) for label in labels]
    ignored = [np.asarray(label == IGNORE, np.bool_) for label in labels]
    settings, _ = fit_partition(probabilities, truth, ignored, objective, given)
    return settings, [
        region_scores(grains_or_zeros(probability, settings), grains, ignore)
        for probability, grains, ignore in zip(probabilities, truth, ignored, strict=True)
    ]


def segmentation_error(
    scores: Sequence[RegionScores], chose: str = "checkpoint and partition"
) -> SegmentationError | None:
    """Error of ln mean intercept over validation pictures, predicted minus label.

    Args:
        scores: One per picture.
        chose: What else the pictures served for, in words.

    Returns:
        Mean and standard deviation over the pictures; None where one has no boundary to measure, or the
        prediction has so little to do with the label that its error says nothing.
    """
    ratios = [1 + score.signed_intercept_error for score in scores]
    if not all(math.isfinite(ratio) and ratio > 0 for ratio in ratios):
        return None
    errors = np.log(ratios)
    bias, sd = float(errors.mean()), float(errors.std(ddof=1)) if len(ratios) > 1 else 0.0
    if max(abs(bias), sd) > MAX_ERROR_LN:
        return None
    images = "1 validation image" if len(ratios) == 1 else f"{len(ratios)} validation images"
    return SegmentationError(bias, sd, len(ratios), f"{images}, which also chose {chose}")
