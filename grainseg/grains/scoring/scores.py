"""Scores of predictions against labels for pixels, lines and grains, per picture and over all of them.

A training run after every epoch, its final report and a prediction with masks all use these scores.
"""

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.grains.scoring.agreement import BoundaryCounts, PixelScores, boundary_counts, pixel_scores
from grainseg.grains.scoring.agreement_regions import RegionScores, region_scores
from grainseg.micrograph.image import IGNORE, BoolMask, Label

THRESHOLD = 0.5
"""A pixel is boundary where its probability exceeds this. It holds for networks and classical references, for
the masks, and for all scores that are not called fitted."""


@dataclass(frozen=True)
class MaskScores:
    """Counts of one or several pictures; the sum of two scores all their pixels together.

    Attributes:
        pixels: Counts of the mask's pixels.
        lines: Counts of the mask's lines.
        regions: Scores of the grains; None where there is no partition.
    """

    pixels: PixelScores
    lines: BoundaryCounts
    regions: RegionScores | None = None

    def __add__(self, other: "MaskScores") -> "MaskScores":
        regions = None
        if self.regions is not None and other.regions is not None:
            regions = self.regions + other.regions
        return MaskScores(self.pixels + other.pixels, self.lines + other.lines, regions)

    def metrics(self) -> dict[str, float]:
        """IoU, precision and recall of boundary pixels, tolerant F1 of lines, and the grain metrics."""
        found = {
            "iou": self.pixels.iou,
            "precision": self.pixels.precision,
            "recall": self.pixels.recall,
            "boundary_f1": self.lines.f1,
        }
        return found if self.regions is None else found | self.regions.metrics()


def score_prediction(
    mask: BoolMask, grains: GrainIds | None, label: Label, tolerance_px: float
) -> MaskScores:
    """Score one prediction.

    Args:
        mask: (H, W), true on boundaries.
        grains: (H, W) predicted grain ids; None where there is no partition.
        label: (H, W) uint8 codes.
        tolerance_px: Tolerance of the line score.

    Raises:
        ValueError: Shapes differ, or the grains are given and the label has no judged one.
    """
    regions = None
    if grains is not None:
        regions = region_scores(grains, label_grains(label), np.asarray(label == IGNORE, np.bool_))
    return MaskScores(pixel_scores(mask, label), boundary_counts(mask, label, tolerance_px), regions)


_Scores = TypeVar("_Scores", MaskScores, RegionScores)


def total(scores: Iterable[_Scores]) -> _Scores:
    """Score pictures together, as if they were one large picture.

    Args:
        scores: One per picture, at least one.
    """
    return functools.reduce(operator.add, scores)


def metrics_of_all(scores: Sequence[MaskScores], regimes: Sequence[str]) -> dict[str, float]:
    """Metrics of all pictures together, and ``iou_<regime>`` for the pictures of each kind.

    Args:
        scores: One per picture, at least one.
        regimes: One per picture, the name of its kind; empty for pictures without a kind.

    Returns:
        Each metric by its name.
    """
    kinds: dict[str, PixelScores] = {}
    for regime, score in zip(regimes, scores, strict=True):
        if regime:
            kinds[regime] = kinds.get(regime, PixelScores()) + score.pixels
    return total(scores).metrics() | {f"iou_{regime}": pixels.iou for regime, pixels in kinds.items()}
