"""How well predicted grains agree with labelled ones: as a partition of the field, in number, and in size.

All scores are quotients of sums over images, as for boundaries (``agreement``): several images are scored as
if they were one large image.
"""

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.stats import wasserstein_distance
from skimage import measure

from grainseg.grains.labels.labelled_grains import cut_grains, hidden_part
from grainseg.grains.measuring.intercepts import GrainIds, line_intercepts, pooled
from grainseg.grains.scoring.overlaps import OverlapSums, overlap_sums, overlaps
from grainseg.micrograph.arrays import Floats
from grainseg.micrograph.image import BoolMask


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Sizes:
    """Sizes of the predicted or of the labelled grains; adding two images concatenates their grains.

    Attributes:
        diameters_px: (N,) equivalent circular diameter of each grain, √(4 area / π).
        weights: (N,) share of each grain's area that is judged, in (0, 1].
        line_px: Length of the test lines.
        crossings: Number of boundaries that the test lines cross.
    """

    diameters_px: Floats = field(default_factory=_none)
    weights: Floats = field(default_factory=_none)
    line_px: float = 0.0
    crossings: float = 0.0

    def __add__(self, other: Self) -> "Sizes":
        return Sizes(
            np.concatenate([self.diameters_px, other.diameters_px]),
            np.concatenate([self.weights, other.weights]),
            self.line_px + other.line_px,
            self.crossings + other.crossings,
        )

    @property
    def count(self) -> float:
        """Number of grains; a grain that ignored pixels cut counts with its judged share."""
        return float(self.weights.sum())

    @property
    def mean_diameter_px(self) -> float:
        """Number mean of the diameters; nan without a grain."""
        return float(np.average(self.diameters_px, weights=self.weights)) if self.weights.size else math.nan

    @property
    def mean_intercept_px(self) -> float:
        """Mean lineal intercept; infinite where no boundary is crossed."""
        return self.line_px / self.crossings if self.crossings else math.inf


@dataclass(frozen=True, eq=False)
class RegionScores:
    """Agreement of predicted and labelled grains; for several images `a + b`, `sum(scores, RegionScores())`.

    Attributes:
        overlap: Sums over the overlaps of grains.
        predicted: Sizes of the predicted grains.
        label: Sizes of the labelled grains.
    """

    overlap: OverlapSums = field(default_factory=OverlapSums)
    predicted: Sizes = field(default_factory=Sizes)
    label: Sizes = field(default_factory=Sizes)

    def __add__(self, other: Self) -> "RegionScores":
        return RegionScores(
            self.overlap + other.overlap, self.predicted + other.predicted, self.label + other.label
        )

    @property
    def adapted_rand_error(self) -> float:
        """See `OverlapSums`; in [0, 1], 0 for full agreement."""
        return self.overlap.adapted_rand_error

    @property
    def voi_split(self) -> float:
        """See `OverlapSums`; in bits."""
        return self.overlap.voi_split

    @property
    def voi_merge(self) -> float:
        """See `OverlapSums`; in bits."""
        return self.overlap.voi_merge

    @property
    def signed_count_error(self) -> float:
        """Predicted over labelled number of grains, minus 1: negative where grains were merged."""
        return _relative(self.predicted.count, self.label.count)

    @property
    def grain_count_error(self) -> float:
        """Magnitude of the relative error of the number of grains."""
        return abs(self.signed_count_error)

    @property
    def signed_intercept_error(self) -> float:
        """Predicted over labelled mean intercept, minus 1; infinite where only the label has boundaries."""
        if self.predicted.crossings == self.label.crossings == 0:
            return 0.0
        if self.predicted.crossings == 0:
            return math.inf
        return self.predicted.mean_intercept_px / self.label.mean_intercept_px - 1

    @property
    def intercept_error(self) -> float:
        """Magnitude of the relative error of the mean lineal intercept."""
        return abs(self.signed_intercept_error)

    @property
    def wasserstein_px(self) -> float:
        """Wasserstein-1 distance of the diameters' number distributions, in px; nan without grains."""
        if not (self.predicted.weights.size and self.label.weights.size):
            return math.nan
        return float(
            wasserstein_distance(
                self.predicted.diameters_px,
                self.label.diameters_px,
                self.predicted.weights,
                self.label.weights,
            )
        )

    @property
    def wasserstein_relative(self) -> float:
        """`wasserstein_px` divided by the label's mean diameter."""
        return self.wasserstein_px / self.label.mean_diameter_px

    def metrics(self) -> dict[str, float]:
        """All scores without sign, by the names under which they are logged; smaller is better for all."""
        return {
            "are": self.adapted_rand_error,
            "voi_split": self.voi_split,
            "voi_merge": self.voi_merge,
            "grain_count_error": self.grain_count_error,
            "intercept_error": self.intercept_error,
            "diameter_distance": self.wasserstein_relative,
        }


def region_scores(predicted: GrainIds, label: GrainIds, ignore: BoolMask | None = None) -> RegionScores:
    """Compare predicted with labelled grains on the judged pixels of the label.

    Grains at the field's border count in prediction and label. A grain that extends into ignored pixels
    counts with the share of its area that is judged. A labelled grain at ignored pixels without a grain in
    the label has an unknown extent: neither it nor the prediction in its place counts in number and size.
    Parts of a predicted grain that meet only among such pixels are separate grains, as in the label.

    Args:
        predicted: (H, W) grain ids; 0 = no grain, a region in the overlaps but not in number and size.
        label: (H, W) grain ids, as from `label_grains`; 0 = no grain, which is not judged.
        ignore: (H, W), true on ignored pixels, which nobody judged; None if there are none.

    Raises:
        ValueError: Shapes differ, an id is negative, or no pixel is judged.
    """
    judged = judged_pixels(label, ignore)
    if predicted.shape != label.shape:
        raise ValueError(f"predicted grains of shape {predicted.shape} for a label of shape {label.shape}")
    if predicted.size and predicted.min() < 0:
        raise ValueError("negative grain ids")
    hidden = hidden_part(label, ignore)
    parts = _parts(predicted, hidden) if hidden.any() else predicted
    counted = counted_pixels(label, judged, hidden)
    return RegionScores(
        overlap_sums(overlaps(parts[judged], label[judged])),
        _sizes(predicted, judged, counted),
        _sizes(label, judged, counted),
    )


def judged_pixels(label: GrainIds, ignore: BoolMask | None = None) -> BoolMask:
    """Find the judged pixels, for which a label gives the grain.

    Args:
        label: (H, W) grain ids, 0 = no grain.
        ignore: (H, W), true on ignored pixels, which nobody judged; None if there are none.

    Returns:
        (H, W), true on judged pixels.

    Raises:
        ValueError: Shapes differ, an id is negative, or no pixel is judged.
    """
    if ignore is not None and ignore.shape != label.shape:
        raise ValueError(f"ignore mask of shape {ignore.shape} for a label of shape {label.shape}")
    if label.size and label.min() < 0:
        raise ValueError("negative grain ids")
    judged = np.asarray(label > 0) if ignore is None else (label > 0) & ~ignore
    if not judged.any():
        raise ValueError("a label without a judged grain")
    return judged


def counted_pixels(label: GrainIds, judged: BoolMask, hidden: BoolMask) -> BoolMask:
    """Judged pixels of the labelled grains whose size is known, or all judged pixels if no size is known.

    Args:
        label: (H, W) grain ids, 0 = no grain.
        judged: (H, W), from `judged_pixels`.
        hidden: (H, W), from `hidden_part`.

    Returns:
        (H, W), true on these pixels.
    """
    if not hidden.any():
        return judged
    whole = judged & ~cut_grains(label, hidden)
    return whole if whole.any() else judged


def _parts(grains: GrainIds, hidden: BoolMask) -> GrainIds:
    """Cut grains into the parts that hidden pixels separate; 0 where there is no grain or it is hidden."""
    seen = np.where(hidden, 0, grains.astype(np.int64))
    return np.asarray(measure.label(seen, background=0, connectivity=1), np.int64)


def judged_grains(grains: GrainIds, judged: BoolMask) -> tuple[Floats, Floats]:
    """Area and judged share of the grains that are judged at least in part.

    Args:
        grains: (H, W) grain ids, 0 = no grain.
        judged: (H, W), true on judged pixels.

    Returns:
        (N,) areas in px, and (N,) shares in (0, 1].
    """
    area = np.bincount(grains.ravel())
    share = np.bincount(grains[judged], minlength=area.size) / np.maximum(area, 1)
    share[0] = 0
    counted = share > 0
    return area[counted].astype(np.float64), share[counted]


def _sizes(grains: GrainIds, judged: BoolMask, counted: BoolMask) -> Sizes:
    area, share = judged_grains(grains, counted)
    lines = pooled(line_intercepts(grains, ignored=~judged))
    return Sizes(np.sqrt(4 * area / math.pi), share, lines.length, lines.crossings)


def _relative(value: float, reference: float) -> float:
    """Quotient minus 1; 0 for 0/0, infinite for other values over 0."""
    if reference:
        return value / reference - 1
    return math.inf if value else 0.0
