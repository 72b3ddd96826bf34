"""Scores of predictions against labels, of pixels, lines and grains, per picture and over all of them.

What a run logs after every epoch, what it ends with and what a prediction with masks is told are the same.
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
"""A pixel is boundary where its probability exceeds this, of networks and classical references alike, in the
masks as in all scores that are not called fitted."""


@dataclass(frozen=True)
class MaskScores:
    """Counts of one or several pictures; adding them scores all their pixels together.

    Attributes:
        pixels: Of the mask.
        lines: Of the mask.
        regions: Of the grains; None where there is no partition.
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
        """IoU, precision, recall of the boundary's pixels, the tolerant F1 of its lines, and the grains'."""
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
    """Scores of pictures together, as of one large one.

    Args:
        scores: Per picture, at least one.
    """
    return functools.reduce(operator.add, scores)


def metrics_of_all(scores: Sequence[MaskScores], regimes: Sequence[str]) -> dict[str, float]:
    """Metrics of pictures scored together, and ``iou_<regime>`` of those of each kind.

    Args:
        scores: Per picture, at least one.
        regimes: Per picture the name of its kind; empty for pictures that are of none.

    Returns:
        Each metric by its name.
    """
    kinds: dict[str, PixelScores] = {}
    for regime, score in zip(regimes, scores, strict=True):
        if regime:
            kinds[regime] = kinds.get(regime, PixelScores()) + score.pixels
    return total(scores).metrics() | {f"iou_{regime}": pixels.iou for regime, pixels in kinds.items()}
