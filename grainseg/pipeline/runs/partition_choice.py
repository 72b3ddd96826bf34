"""The partition that suits labelled pictures: which of them choose it, and how far its grains are off."""

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
from grainseg.grains.scoring.partition_fit import NOTHING_GIVEN, fit_partition
from grainseg.micrograph.image import IGNORE, BoolMask, FloatImage, Label

ENOUGH_GRAINS = 1000
"""Labelled ones that choose a partition: their number has a standard error of 3 %."""

MOST_PIXELS = 4_000_000
"""Of the pictures that trained and choose the partition, too: a fit takes 13 to 40 s per megapixel."""


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
    pictures: Sequence[PredictedGrains], given: Mapping[str, float] = NOTHING_GIVEN
) -> PartitionSettings:
    """Choose the partition's settings on labelled pictures.

    Args:
        pictures: At least one, each with a judged grain.
        given: Settings that are not fitted, by name.
    """
    return fit_partition(
        [picture.probability for picture in pictures],
        [picture.grains for picture in pictures],
        [picture.ignored for picture in pictures],
        given,
    )


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
