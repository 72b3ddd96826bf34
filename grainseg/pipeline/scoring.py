"""Scores of predicted masks against labels, per picture and over all of them."""

from dataclasses import dataclass

from grainseg.grains.agreement import BoolMask, BoundaryCounts, PixelScores, boundary_counts, pixel_scores
from grainseg.micrograph.image import Label


@dataclass(frozen=True)
class MaskScores:
    """Counts of one or several pictures; adding them scores all their pixels together."""

    pixels: PixelScores
    lines: BoundaryCounts

    def __add__(self, other: "MaskScores") -> "MaskScores":
        return MaskScores(self.pixels + other.pixels, self.lines + other.lines)

    def metrics(self) -> dict[str, float]:
        """IoU, precision and recall of the boundary's pixels, and the tolerant F1 of its lines."""
        return {
            "iou": self.pixels.iou,
            "precision": self.pixels.precision,
            "recall": self.pixels.recall,
            "boundary_f1": self.lines.f1,
        }


def score_mask(mask: BoolMask, label: Label, tolerance_px: float) -> MaskScores:
    """Score one predicted mask.

    Args:
        mask: (H, W), true on boundaries.
        label: (H, W) uint8 codes.
        tolerance_px: Tolerance of the line score.
    """
    return MaskScores(pixel_scores(mask, label), boundary_counts(mask, label, tolerance_px))
