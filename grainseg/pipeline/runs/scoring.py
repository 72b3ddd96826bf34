"""What labels say beside scores: the partition that suits them, its error, a tolerance that is too large."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np

from grainseg.data.images import LabelledMicrograph
from grainseg.grains.batches.budget import MAX_ERROR_LN, SegmentationError
from grainseg.grains.closing.partition import PartitionSettings, grains_or_zeros
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.grains.scoring.partition_fit import fit_partition
from grainseg.micrograph.image import IGNORE, BoolMask, FloatImage, Label

TOLERANCE_SHARE = 0.1
"""Of the mean intercept. Unrelated lines have an F1 of 0.25 at a twelfth of it, 0.80 at a third."""

ENOUGH_GRAINS = 1000
"""Labelled ones that choose a partition: their number has a standard error of 3 %."""

MOST_PIXELS = 4_000_000
"""Of the pictures that trained and choose the partition, too: a fit takes 13 to 40 s per megapixel."""


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


def labelled_error_flag(scores: Sequence[RegionScores]) -> tuple[str, ...]:
    """Say which error of the segmentation labelled pictures show, where the budget knows none.

    Nobody but the user knows whether these pictures are of the same material and neither trained nor chose
    anything, so the error is not taken by itself.

    Args:
        scores: One per labelled picture of a prediction.

    Returns:
        One line; none without a picture or an error that says something, see `segmentation_error`.
    """
    error = segmentation_error(scores) if scores else None
    if error is None:
        return ()
    alone = "; one picture alone leaves the uncertainty incomplete" if error.images == 1 else ""
    return (
        "the segmentation's error is unknown to the budget; that of masks= is not taken by itself: if "
        f"{'this picture' if error.images == 1 else f'these {error.images} pictures'} neither trained nor "
        "chose anything and show the same material, say "
        f"segmentation_rel_unc={error.rms_ln:.2g} segmentation_images={error.images}, the root mean square "
        f"error of ln mean intercept{alone}",
    )


@dataclass(frozen=True)
class PredictedGrains:
    """A prediction and the grains that somebody labelled there.

    Attributes:
        probability: (H, W) float32 in [0, 1].
        grains: (H, W) uint32 labelled grain ids, 0 = no grain.
        ignored: (H, W), where nobody judged.
    """

    probability: FloatImage
    grains: GrainIds
    ignored: BoolMask

    @classmethod
    def of(cls, probability: FloatImage, label: Label) -> Self:
        """Fill the grains of a label, (H, W) uint8 codes."""
        return cls(probability, label_grains(label), np.asarray(label == IGNORE, np.bool_))

    @property
    def count(self) -> int:
        """Labelled grains of which somebody judged a pixel."""
        judged = self.grains[~self.ignored]
        return np.unique(judged[judged > 0]).size

    def scores(self, settings: PartitionSettings) -> RegionScores:
        """How far the grains of a partition are off."""
        return region_scores(grains_or_zeros(self.probability, settings), self.grains, self.ignored)


def small_enough(training: Sequence[LabelledMicrograph]) -> list[LabelledMicrograph]:
    """The first of the pictures that trained, `MOST_PIXELS` together: the others need not be predicted."""
    together = accumulate(image.label.size for image in training)
    return [image for image, pixels in zip(training, together, strict=True) if pixels <= MOST_PIXELS]


def with_training(
    validation: Sequence[PredictedGrains], training: Iterable[PredictedGrains]
) -> list[PredictedGrains]:
    """The pictures that choose a partition: those that validate, and as many that trained as are needed.

    Args:
        validation: All of them.
        training: Looked at until there are `ENOUGH_GRAINS`; one without a judged grain is left out.
    """
    pictures, count = list(validation), sum(picture.count for picture in validation)
    more = iter(training)
    while count < ENOUGH_GRAINS and (picture := next(more, None)) is not None:
        count += picture.count
        pictures += [picture] if picture.count else []
    return pictures


def fit_grains(
    pictures: Sequence[PredictedGrains], objective: str, given: Mapping[str, float]
) -> PartitionSettings:
    """Choose the partition's settings on labelled pictures.

    Args:
        pictures: At least one, each with a judged grain.
        objective: See ``fit_partition``.
        given: Settings that are not fitted, by name.
    """
    settings, _ = fit_partition(
        [picture.probability for picture in pictures],
        [picture.grains for picture in pictures],
        [picture.ignored for picture in pictures],
        objective,
        given,
    )
    return settings


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
