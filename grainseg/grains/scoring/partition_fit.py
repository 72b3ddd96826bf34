"""Fit the partition to labelled grains, as the threshold is fitted to labelled boundaries (``agreement``).

Distance transforms and basins depend on the threshold alone. All later steps join regions, and are scored
from the table of the regions' overlaps with the labelled grains, without reading pixels again. The extension
of tips at the end of a partition is omitted: it does not change the count, and changes errors little.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, field, fields, replace
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Self

import numpy as np
from scipy.ndimage import uniform_filter

from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import (
    DEFAULT_SETTINGS,
    PartitionSettings,
    as_drawn,
    median_area_px,
    over_segment,
)
from grainseg.grains.closing.regions import RegionGraph, join_shallow, join_small, join_unsupported
from grainseg.grains.labels.labelled_grains import hidden_part, rim
from grainseg.grains.measuring.intercepts import GrainIds
from grainseg.grains.scoring.agreement_regions import counted_pixels, judged_grains, judged_pixels
from grainseg.grains.scoring.overlaps import Overlaps, OverlapSums, overlap_sums, overlaps
from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import BoolMask, FloatImage

Grid = tuple[list[float], ...]
"""Values of threshold, depth, support and min_size to try, each sorted."""

GRID: Grid = (
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    [0.1, 0.2, 0.3, 0.4, 0.5],
    [0.0, 0.1, 0.15, 0.2, 0.3, 0.4],
    [0.0, 0.002, 0.01, 0.02, 0.05],
)

NOTHING_GIVEN: Mapping[str, float] = MappingProxyType({})

_WIDENINGS = 4  # each halves the distance of an axis to its limit; more than four have no effect


@dataclass(frozen=True)
class FitScore:
    """Score of one choice of settings; for several images `a + b`.

    Attributes:
        overlap: Sums over the overlaps of grains.
        predicted: Number of predicted grains; a grain that ignored pixels cut counts in part.
        label: Number of labelled grains, counted in the same way.
    """

    overlap: OverlapSums = field(default_factory=OverlapSums)
    predicted: float = 0.0
    label: float = 0.0

    def __add__(self, other: Self) -> "FitScore":
        return FitScore(
            self.overlap + other.overlap, self.predicted + other.predicted, self.label + other.label
        )

    @property
    def adapted_rand_error(self) -> float:
        """See `OverlapSums`."""
        return self.overlap.adapted_rand_error

    @property
    def grain_count_error(self) -> float:
        """Magnitude of the relative error of the number of grains."""
        return abs(self.predicted / self.label - 1)

    @property
    def error(self) -> float:
        """Error that a fit minimises: adapted Rand error (which pixels belong together) + grain count error.

        It is infinite for settings that leave no grain in any image.
        """
        return self.adapted_rand_error + self.grain_count_error if self.predicted else math.inf


_TOLERANCE = 1.0
"""Error above the least one that counts as equal, times the square root of the number of labelled grains: 1.0
gives the relative standard error of a number of grains. With 0.4, that of a rate of 15 %, the grains of eight
networks were off by 3.5 % in number and 3.0 % in mean intercept on pictures of iron that the fit had not
seen; with 1.0 by 2.9 % and 2.2 %."""


def fit_partition(
    probabilities: Iterable[FloatImage],
    labels: Iterable[GrainIds],
    ignores: Iterable[BoolMask | None],
    given: Mapping[str, float] = NOTHING_GIVEN,
) -> PartitionSettings:
    """Find settings whose error over all images together is about the least, but not overfitted.

    With one image of a hundred grains, the error jumps by chance from one value of a setting to the next, and
    the exact minimum is overfitted. So errors are averaged over neighbours in the grid (3 values of each
    setting), and of all settings within about one standard error of the least, the nearest to
    `DEFAULT_SETTINGS` is taken: the one-standard-error rule of Breiman, Friedman, Olshen and Stone (1984,
    Classification and Regression Trees, 3.4.3). If the choice lies at the end of an axis of the grid, the
    axis is widened. The defaults are kept if their error on the images, without averaging, is smaller.

    Args:
        probabilities: One (H, W) float32 in [0, 1] per image.
        labels: Their (H, W) grain ids, as from `label_grains`; 0 = no grain, not judged.
        ignores: Their (H, W) masks of ignored pixels, which nobody judged, or None.
        given: Fixed settings by name; the others are fitted with these fixed.

    Raises:
        ValueError: A setting outside its range, no images, not as many labels and masks, shapes that differ,
            or a label without a judged grain.
    """
    images = [LabelledMap(*each) for each in zip(probabilities, labels, ignores, strict=True)]
    if not images:
        raise ValueError("fit_partition needs at least one image")

    @cache
    def error(*values: float) -> float:
        return sum((image.score(*values) for image in images), FitScore()).error

    base = replace(DEFAULT_SETTINGS, **given)
    names = [item.name for item in fields(PartitionSettings)]
    said = {name: [value] for name, value in given.items()}
    grid: Grid = tuple(said.get(name, axis) for name, axis in zip(names, GRID, strict=True))
    tolerance = _TOLERANCE / np.sqrt(sum(image.grains for image in images))
    for _ in range(_WIDENINGS + 1):
        chosen = _choose(grid, error, tolerance)
        wider = _widened(grid, chosen)
        if wider == grid:
            break
        grid = wider
    defaults = astuple(base)
    if error(*defaults) < error(*chosen):
        chosen = defaults  # the mean over neighbours can mislead where errors jump, as with a bad network
    return PartitionSettings(*chosen)


def _choose(grid: Grid, error: Callable[..., float], tolerance: float) -> tuple[float, ...]:
    shape = tuple(len(axis) for axis in grid)
    errors = np.array([error(*values) for values in product(*grid)]).reshape(shape)
    usable = np.isfinite(errors)
    total = uniform_filter(np.where(usable, errors, 0), size=3, mode="nearest")
    share = uniform_filter(usable.astype(np.float64), size=3, mode="nearest")
    around = np.divide(total, share, out=np.full(shape, np.inf), where=usable)
    away = np.zeros(shape)
    defaults = astuple(DEFAULT_SETTINGS)
    for number, (axis, default, usual) in enumerate(zip(grid, defaults, GRID, strict=True)):
        share = np.abs(np.array(axis) - default) / (usual[-1] - usual[0])
        away += np.expand_dims(share, tuple({0, 1, 2, 3} - {number}))
    good = around <= around.min() + tolerance
    index = np.unravel_index(np.where(good, away, np.inf).argmin(), shape)
    return tuple(axis[each] for axis, each in zip(grid, index, strict=True))


def _widened(grid: Grid, chosen: tuple[float, ...]) -> Grid:
    """Add a value, halfway to the limit 0 or 1, to each end of an axis at which the choice lies."""
    wider = []
    for axis, value in zip(grid, chosen, strict=True):
        if len(axis) == 1:  # a given setting
            wider.append(axis)
            continue
        below = [axis[0] / 2] if value == axis[0] > 0 else []
        above = [(axis[-1] + 1) / 2] if value == axis[-1] < 1 else []
        wider.append(below + axis + above)
    return tuple(wider)


@dataclass(frozen=True)
class _Stage:
    """Regions of an image at some stage of joining.

    Attributes:
        graph: N regions and their borders.
        table: Judged pixels that the regions share with labelled grains.
        counted: (N,) pixels of each region in labelled grains that count in number.
    """

    graph: RegionGraph
    table: Overlaps
    counted: Floats

    def after(self, joined: tuple[RegionGraph, Ints]) -> "_Stage":
        graph, into = joined
        counted = np.bincount(into, self.counted).astype(np.float64)
        return _Stage(graph, self.table.joined(into), counted)

    def score(self, label: float) -> FitScore:
        count = float(np.sum(self.counted / self.graph.area_px))
        return FitScore(overlap_sums(self.table), count, label)


class LabelledMap:
    """A boundary map with its labelled grains; caches the result of each stage of joining.

    Args:
        probability: (H, W) float32 in [0, 1].
        label: (H, W) grain ids, 0 = no grain, not judged.
        ignore: (H, W), true on ignored pixels, which nobody judged; None if there are none.

    Attributes:
        grains: Number of labelled grains; a grain that ignored pixels cut counts in part.

    Raises:
        ValueError: Shapes that differ, or a label without a judged grain.
    """

    def __init__(self, probability: FloatImage, label: GrainIds, ignore: BoolMask | None) -> None:
        if probability.shape != label.shape:
            raise ValueError(f"probability of shape {probability.shape} for a label of shape {label.shape}")
        self._judged = judged_pixels(label, ignore)
        hidden = hidden_part(label, ignore)
        self._drawn = as_drawn(probability)
        # Regions end where the labelled grains end, so joining beyond that edge causes no error.
        self._probability = np.where(rim(hidden), np.float32(1), probability)
        self._counted = counted_pixels(label, self._judged, hidden)
        self._label = label[self._judged]
        self.grains = float(judged_grains(label, self._counted)[1].sum())
        self._pieces = cache(self._cut)
        self._shallow = cache(self._without_shallow)
        self._supported = cache(self._without_unsupported)

    def score(self, threshold: float, depth: float, support: float, min_size: float) -> FitScore:
        """Score the grains that these settings give, without extension of tips.

        A field that is all boundary counts as one region, but not as a grain.
        """
        stage = self._supported(threshold, depth, support)
        if stage is None:
            alone = overlap_sums(overlaps(np.zeros_like(self._label), self._label))
            return FitScore(alone, 0.0, self.grains)
        smallest = min_size * median_area_px(stage.graph.area_px)
        return stage.after(join_small(stage.graph, smallest)).score(self.grains)

    def _cut(self, threshold: float) -> _Stage | None:
        try:
            pieces = over_segment(self._probability, threshold, self._drawn)
        except GrainsegError:
            return None
        counted = np.bincount(pieces.ids[self._counted], minlength=pieces.graph.area_px.size)
        table = overlaps(pieces.ids[self._judged], self._label)
        return _Stage(pieces.graph, table, counted.astype(np.float64))

    def _without_shallow(self, threshold: float, depth: float) -> _Stage | None:
        stage = self._pieces(threshold)
        if stage is None:
            return None
        graph, into = join_shallow(stage.graph, depth)
        return stage.after((graph.crediting_deep_necks(median_area_px(graph.area_px)), into))

    def _without_unsupported(self, threshold: float, depth: float, support: float) -> _Stage | None:
        stage = self._shallow(threshold, depth)
        return stage and stage.after(join_unsupported(stage.graph, support))
