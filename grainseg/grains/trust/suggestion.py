"""Suggest the picture, and the part of it, whose label would teach a network most.

Networks, or a network's predictions for turned and flipped views of a place, are uncertain where they
disagree: query by committee (Seung, Opper & Sompolinsky 1992, COLT), and the disagreement that Houlsby et al.
2011 (arXiv:1112.5745) separate from noise on which all agree. Turned and flipped views replace a committee as
in Wang et al. 2019 (Neurocomputing 338:34). The disagreement is averaged over a band around the predicted
boundary. Regions are chosen one after the other. Regions of a picture that was chosen before count less,
since they resemble each other (representative batches: Yang et al. 2017, MICCAI, suggestive annotation).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grainseg.micrograph.image import BoolMask, FloatImage
from grainseg.micrograph.morphology import near

BAND_PX = 4.0
"""Half width of the band. On 15 crops with texture contrast, the mean disagreement over the band has a rank
correlation of 0.79 with 1 - F1, over the whole picture one of 0.27 (``benchmarks/suggest.py``,
docs/labels.md)."""
WINDOW_PX = 256
"""Largest default side of a region."""
LEAST_PX = 32
"""Least default side of a region: a smaller one would show no grain."""
REPEATED = 0.5
"""Factor on the scores of a picture's other regions for each of its regions that was chosen."""


@dataclass(frozen=True)
class Region:
    """A rectangular part of a picture.

    Attributes:
        image: Name of the picture.
        row: First row, in px.
        column: First column, in px.
        height: Height in px.
        width: Width in px.
        score: Mean disagreement about its boundary, in [0, 0.5].
    """

    image: str
    row: int
    column: int
    height: int
    width: int
    score: float

    @property
    def place(self) -> tuple[slice, slice]:
        """Its rows and columns in the picture."""
        return slice(self.row, self.row + self.height), slice(self.column, self.column + self.width)


def boundary_band(probability: FloatImage, threshold: float) -> BoolMask:
    """Where the disagreement is averaged: (H, W), true within `BAND_PX` of the predicted boundary."""
    return near(probability > threshold, BAND_PX)


def disagreement(spread: FloatImage, band: BoolMask) -> float:
    """Mean spread over the band, or over the whole picture if no boundary was predicted.

    Args:
        spread: (H, W) standard deviation over networks or views, float32 in [0, 0.5].
        band: (H, W), see ``boundary_band``.
    """
    return float(spread[band].mean(dtype=np.float64) if band.any() else spread.mean(dtype=np.float64))


def regions_of(image: str, spread: FloatImage, band: BoolMask, window_px: int | None) -> list[Region]:
    """Cut a picture into regions that do not overlap and are spread evenly over it.

    Args:
        image: Name of the picture.
        spread: (H, W) standard deviation over networks or views, float32 in [0, 0.5].
        band: (H, W), see ``boundary_band``.
        window_px: Side of a region; a shorter side of the picture is taken whole. None is `WINDOW_PX`, or
            half of a picture's side if that is less (a quarter of the picture if both sides are halved). A
            side whose half would be less than `LEAST_PX` is taken whole.

    Returns:
        At least one region, row by row.
    """
    found = []
    for row, height in _cut(spread.shape[0], window_px):
        for column, width in _cut(spread.shape[1], window_px):
            region = Region(image, row, column, height, width, 0.0)
            score = disagreement(spread[region.place], band[region.place])
            found.append(replace(region, score=score))
    return found


def _cut(side: int, window_px: int | None) -> list[tuple[int, int]]:
    """Start and length of each piece of a side, in px."""
    if window_px is None:
        window_px = min(WINDOW_PX, side // 2 if side // 2 >= LEAST_PX else side)
    length = min(window_px, side)
    count = side // length
    starts = np.linspace(0, side - length, count) if count > 1 else [(side - length) // 2]
    return [(int(start), length) for start in starts]


def rank_regions(regions: Sequence[Region], count: int) -> list[Region]:
    """Choose regions greedily, the highest score first; each chosen region halves the weight of its picture.

    Args:
        regions: Regions of all pictures; ties go to the one that comes first.
        count: Largest number of regions.

    Returns:
        The chosen regions in the order in which to label them.
    """
    left = list(regions)
    chosen: list[Region] = []
    weight: dict[str, float] = {}
    while left and len(chosen) < count:
        best = max(left, key=lambda region: region.score * weight.get(region.image, 1.0))
        left.remove(best)
        chosen.append(best)
        weight[best.image] = weight.get(best.image, 1.0) * REPEATED
    return chosen


def rank_images(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    """Pictures with their scores, the highest first; ties keep their order."""
    return sorted(scores.items(), key=lambda item: -item[1])
