"""How well a predicted boundary map agrees with a label: per pixel, and per line within a tolerance.

The IoU of thin lines depends more on how wide and where exactly someone drew them than on which boundaries
were found. So it is reported with the tolerant score: straight 3 px lines shifted by 2 px have an IoU of 0.2
and, at a tolerance of 2 px, an F1 of 1.

All scores are quotients of counts summed over images. A quotient of 0/0 is full agreement (1.0) if there is
nothing to find and nothing was found. It is no agreement (0.0) if nothing of a boundary was found, or a
boundary was found where there is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import BOUNDARY, IGNORE, BoolMask, FloatImage, Label
from grainseg.micrograph.morphology import near, skeleton


@dataclass(frozen=True)
class BoundaryCounts:
    """Skeleton pixels of prediction and label, and how many of each lie within the tolerance of the other.

    Counts of several images can be added: `a + b`, `sum(counts, BoundaryCounts())`.
    """

    predicted_px: int = 0
    predicted_matched_px: int = 0
    label_px: int = 0
    label_matched_px: int = 0

    def __add__(self, other: Self) -> "BoundaryCounts":
        return BoundaryCounts(
            self.predicted_px + other.predicted_px,
            self.predicted_matched_px + other.predicted_matched_px,
            self.label_px + other.label_px,
            self.label_matched_px + other.label_matched_px,
        )

    @property
    def precision(self) -> float:
        """Share of the predicted line that is right; if there is none: 1 if the label has none, else 0."""
        return _share(self.predicted_matched_px, self.predicted_px, otherwise=self.label_px == 0)

    @property
    def recall(self) -> float:
        """Share of the label's line that is found; if the label has none: 1 if none is predicted, else 0."""
        return _share(self.label_matched_px, self.label_px, otherwise=self.predicted_px == 0)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; 0 if both are 0."""
        return _share(2 * self.precision * self.recall, self.precision + self.recall, otherwise=False)


@dataclass(frozen=True)
class PixelScores:
    """True positive, false positive and false negative boundary pixels; added like `BoundaryCounts`."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Self) -> "PixelScores":
        return PixelScores(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def iou(self) -> float:
        """Intersection over union (Jaccard index), in [0, 1]; 1 if neither has a boundary."""
        return _share(self.tp, self.tp + self.fp + self.fn, otherwise=True)

    @property
    def precision(self) -> float:
        """Share of the predicted pixels that are right; without any: 1 if the label has none, else 0."""
        return _share(self.tp, self.tp + self.fp, otherwise=self.fn == 0)

    @property
    def recall(self) -> float:
        """Share of the label's pixels that are found; without any: 1 if none is predicted, else 0."""
        return _share(self.tp, self.tp + self.fn, otherwise=self.fp == 0)


def boundary_counts(predicted: BoolMask, label: Label, tolerance_px: float) -> BoundaryCounts:
    """Compare the skeletons of a prediction and a label within a tolerance.

    Precision and recall of boundaries as in Martin, Fowlkes and Malik 2004 (IEEE TPAMI 26:530), but without
    their one-to-one assignment of pixels. The assignment prevents several lines from matching the same one,
    but its cost grows faster than the number of pixels, and thinned lines within a few px of each other are
    rare where grains are many px wide.

    The prediction is thinned before ignored pixels are excluded, so that the edge of an ignored region does
    not bend its lines. A line predicted among ignored pixels, or within the tolerance of them, counts neither
    as right nor as wrong: the boundary that it may have found was not labelled. The label's lines count
    everywhere, and a label line matches a prediction within the tolerance even among ignored pixels.

    Args:
        predicted: (H, W), true on boundaries.
        label: (H, W) of GRAIN, BOUNDARY and IGNORE.
        tolerance_px: Largest distance at which two pixels match.

    Raises:
        ValueError: If the shapes differ.
    """
    _require_same_shape(predicted, label)
    predicted_line = skeleton(predicted)
    label_line = skeleton(label == BOUNDARY)
    counted = predicted_line & ~near(label == IGNORE, tolerance_px)
    return BoundaryCounts(
        predicted_px=int(np.count_nonzero(counted)),
        predicted_matched_px=int(np.count_nonzero(counted & near(label_line, tolerance_px))),
        label_px=int(np.count_nonzero(label_line)),
        label_matched_px=int(np.count_nonzero(label_line & near(predicted_line, tolerance_px))),
    )


def pixel_scores(predicted: BoolMask, label: Label) -> PixelScores:
    """Compare a prediction and a label pixel by pixel, leaving ignored pixels out.

    Args:
        predicted: (H, W), true on boundaries.
        label: (H, W) of GRAIN, BOUNDARY and IGNORE.

    Raises:
        ValueError: If the shapes differ.
    """
    _require_same_shape(predicted, label)
    boundary = label == BOUNDARY
    tp = int(np.count_nonzero(predicted & boundary))
    return PixelScores(
        tp=tp,
        fp=int(np.count_nonzero(predicted & ~boundary & (label != IGNORE))),
        fn=int(np.count_nonzero(boundary)) - tp,
    )


def fit_threshold(probabilities: Iterable[FloatImage], labels: Iterable[Label]) -> tuple[float, float]:
    """Find the threshold with the highest IoU over all images together.

    A pixel is boundary where `probability > threshold`.

    Args:
        probabilities: One (H, W) float32 in [0, 1] per image; iterated once.
        labels: Their (H, W) labels of GRAIN, BOUNDARY and IGNORE, in the same order.

    Returns:
        The best of 0.01, 0.02, …, 0.99 (among ties the one closest to 0.5, then the lowest), and its IoU.

    Raises:
        ValueError: If there are no images, or not as many labels, or the shapes of a pair differ.
    """
    percent = np.arange(1, 100)
    # A comparison with a float32 array rounds the threshold to float32, so the bin edges are rounded, too.
    edges = (percent / 100).astype(np.float32)
    found = np.zeros(100, np.int64)  # the label's boundary pixels, by the number of thresholds they exceed
    false = np.zeros(100, np.int64)  # the label's grain pixels, likewise
    images = 0
    for probability, label in zip(probabilities, labels, strict=True):
        _require_same_shape(probability, label)
        images += 1
        found += np.bincount(np.searchsorted(edges, probability[label == BOUNDARY]), minlength=100)
        rest = probability[(label != BOUNDARY) & (label != IGNORE)]
        false += np.bincount(np.searchsorted(edges, rest), minlength=100)
    if images == 0:
        raise ValueError("fit_threshold needs at least one image")
    tp = _exceeding(found)
    union = _exceeding(false) + found.sum()
    iou = np.divide(tp, union, out=np.ones(99), where=union > 0)
    best = np.flatnonzero(iou == iou.max())
    chosen = best[np.argmin(np.abs(percent[best] - 50))]
    return float(percent[chosen] / 100), float(iou[chosen])


def _exceeding(histogram: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Pixels above each threshold, from the histogram of how many thresholds each pixel exceeds."""
    return np.cumsum(histogram[::-1])[::-1][1:]


def _share(part: float, whole: float, *, otherwise: bool) -> float:
    return part / whole if whole else float(otherwise)


def _require_same_shape(array: npt.NDArray[np.bool_ | np.float32], label: Label) -> None:
    if array.shape != label.shape:
        raise ValueError(f"prediction of shape {array.shape} for a label of shape {label.shape}")
