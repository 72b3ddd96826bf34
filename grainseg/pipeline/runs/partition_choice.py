"""Fit the partition to labelled pictures: which pictures are used, and how large the grains' error is."""

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
"""Number of labelled grains that suffices to choose a partition: its standard error is 3 %."""

MOST_PIXELS = 4_000_000
"""Most pixels of training pictures that help choose the partition: a fit takes 13 to 40 s per megapixel."""


@dataclass(frozen=True)
class PredictedGrains:
    """A prediction and the labelled grains of the same picture.

    Attributes:
        probability: (H, W) float32 in [0, 1].
        grains: (H, W) uint32 labelled grain ids, 0 = no grain.
        ignored: (H, W), true on ignored pixels of the label.
    """

    probability: FloatImage
    grains: GrainIds
    ignored: BoolMask

    @classmethod
    def of(cls, probability: FloatImage, label: Label) -> Self:
        """Return a prediction with the grains of its label, (H, W) uint8 codes."""
        return cls(probability, label_grains(label), np.asarray(label == IGNORE, np.bool_))

    @property
    def count(self) -> int:
        """Number of labelled grains with at least one pixel that is not ignored."""
        judged = self.grains[~self.ignored]
        return np.unique(judged[judged > 0]).size

    def scores(self, settings: PartitionSettings) -> RegionScores:
        """Score the grains of a partition with these settings against the labelled grains."""
        return region_scores(grains_or_zeros(self.probability, settings), self.grains, self.ignored)


def small_enough(training: Sequence[LabelledMicrograph]) -> list[LabelledMicrograph]:
    """Return the first training pictures, of at most `MOST_PIXELS` together; only these are predicted."""
    together = accumulate(image.label.size for image in training)
    return [image for image, pixels in zip(training, together, strict=True) if pixels <= MOST_PIXELS]


def with_training(
    validation: Sequence[PredictedGrains], training: Iterable[PredictedGrains]
) -> list[PredictedGrains]:
    """Return the pictures that choose a partition: all validation pictures, and training pictures as needed.

    Args:
        validation: All validation pictures.
        training: Training pictures, consumed until there are `ENOUGH_GRAINS` labelled grains; one without a
            judged grain is left out.
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
    """Return the error of ln mean intercept over validation pictures, predicted minus label.

    Args:
        scores: One per picture.
        chose: What the pictures were also used to choose, in words.

    Returns:
        Mean and standard deviation over the pictures; None if a picture has no boundary to measure, or if the
        mean or the standard deviation exceeds `MAX_ERROR_LN`, so that the error has no meaning.
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
