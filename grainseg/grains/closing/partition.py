"""Turn a boundary map into closed grains: every pixel belongs to one, up to the middle of the boundary.

The field is cut into the basins of the distance to the predicted boundary (``basins``). Basins close every
gap at its narrowest place, but also cut grains at their waists. Three rounds of joining (``regions``) then
remove false borders: shallow necks, borders along which little boundary was predicted, and those of grains
that are too small. A gap in a boundary stays closed, since the rest of the same border is supported; a waist
does not, since nothing was predicted along it. Sharp tips, which overlapping lines hide, are extended at the
end (``tips``). All lengths are relative to the grains or lines beside them.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.errors import GrainsegError
from grainseg.grains.closing.basins import find_basins, relief
from grainseg.grains.closing.cracks import beside_closed_cracks, crack_lengths
from grainseg.grains.closing.open_ends import count_open_ends
from grainseg.grains.closing.regions import (
    Lines,
    RegionGraph,
    join_shallow,
    join_small,
    join_unsupported,
    region_graph,
)
from grainseg.grains.closing.tips import extend_tips
from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import BoolMask, FloatImage


@dataclass(frozen=True)
class PartitionSettings:
    """How a boundary map becomes grains.

    Attributes:
        threshold: A pixel is boundary where its probability exceeds this, in (0, 1).
        depth: A neck parts two grains only if it is narrower than the narrower of them by more than this
            share, in [0, 1].
        support: Borders with a mean boundary probability below this are removed, in [0, 1].
        min_size: Smallest grain kept, as share of the area-weighted median grain area (half of the field
            lies in larger grains; unlike the plain median, specks do not move it), in [0, 1].

    Raises:
        ValueError: A value outside its range.
    """

    threshold: float
    depth: float
    support: float
    min_size: float

    def __post_init__(self) -> None:
        """Check the ranges; a comparison with NaN fails them."""
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold {self.threshold} outside (0, 1)")
        for name in ("depth", "support", "min_size"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} outside [0, 1]")


DEFAULT_SETTINGS = PartitionSettings(threshold=0.5, depth=0.2, support=0.15, min_size=0.002)
"""For maps without a label. These settings count the grains of drawn closed networks within 2 % and of gapped
ones within 5 %. Of such settings, they lie in the flat middle of the error on the validation images of three
kinds of micrograph together (``benchmarks/partition.py``). The minimum size removes specks; 0.01 removed 3 %
of the grains of drawn networks.
"""


PINHOLE_PX = 4
"""Largest area of a hole in a line. Of 1044 places that the lines of 15 masks drawn by hand enclose (tbm), 75
have 1 to 4 pixels, 7 have 5 to 9 and 24 have 10 to 19: the 75 are holes in the lines. They still count as
grains, since thick lines may leave no more than that of a small grain."""

FEW_PINHOLES = 0.03
"""Share of the grains that may be pinholes without a warning. Lines of 2 to 4 px leave at most `PINHOLE_PX`
pixels of 1 % of Poisson-Voronoi cells of 20 to 40 px, and of 3.4 % in the worst of 72 fields."""

_BESIDE_LINE, _IN_DOUBT, _DOUBTFUL = 0.25, 0.6, 6e-4
"""How `as_drawn` tells drawings. A pixel belongs to a line above `_BESIDE_LINE` of the span of the map's
values. It is in doubt where the greatest value within 2 px is below `_IN_DOUBT` of the median of these
greatest values. A map is drawn if at most `_DOUBTFUL` of the line pixels are in doubt. They are at most 2e-4
in drawings (also of lines of 2 to 5 px blurred by up to 1 px), 1.4e-3 and more in networks' maps of etched
lines, and 0.07 in those of texture (``docs/measuring.md``).
"""


_ENDS_OF_HOLES = 0.003
"""Open ends per basin above which drawn lines have holes; up to it, a narrow neck is a waist. Closed networks
have at most 0.0011, networks with gaps of 7 px in 5 % of their boundaries 0.0089 and more.
"""


@dataclass(frozen=True)
class Partition:
    """The grains of a field, and what had to be added to the boundary map to close them.

    Attributes:
        grains: (H, W) uint32, 1..N; every pixel belongs to a grain, every grain is 4-connected.
        closed: (H, W), pixels beside a crack between two grains where no boundary was predicted.
        settings: Settings with which the grains were made.
        closed_length_px: Crofton length of these cracks.
        boundary_length_px: Crofton length of all cracks between grains.
        open_ends: Dangling ends of the predicted lines.
        line_width_px: Mean width of these lines; 0 where there is none.
        pinholes: Grains of which the lines leave at most `PINHOLE_PX` pixels: most likely holes in the lines,
            or specks that a network outlined.
        drawn: Whether the boundaries were given as a drawn mask; else a network, or a filter, predicted them.
    """

    grains: npt.NDArray[np.uint32]
    closed: BoolMask
    settings: PartitionSettings
    closed_length_px: float
    boundary_length_px: float
    open_ends: int
    line_width_px: float
    pinholes: int
    drawn: bool

    @property
    def count(self) -> int:
        """Number of grains, those at the field's border included."""
        return int(self.grains.max())


@dataclass(frozen=True)
class OverSegmentation:
    """A field cut into more pieces than it has grains: the part that depends on the threshold alone.

    Attributes:
        ids: (H, W) int32 basin of each pixel.
        graph: The basins and their borders.
        boundary: (H, W), where the probability exceeds the threshold.
    """

    ids: npt.NDArray[np.int32]
    graph: RegionGraph
    boundary: BoolMask


def partition_probability(
    probability: FloatImage,
    settings: PartitionSettings = DEFAULT_SETTINGS,
    left_out: BoolMask | None = None,
) -> Partition:
    """Close a boundary map to grains.

    Args:
        probability: (H, W) boundary probability, float, in [0, 1]. An empty map is one grain. A map whose
            lines are nowhere in doubt (`as_drawn`) is closed as drawn lines are, see `partition_mask`.
        settings: Settings of the partition.
        left_out: (H, W), pixels that are not measured: grains lie there, too, but neither closed lengths nor
            open ends are counted there.

    Raises:
        ValueError: Not two-dimensional, empty, NaN or outside [0, 1].
        GrainsegError: The whole field is boundary.
    """
    drawn = as_drawn(probability, left_out)
    return _partition(over_segment(probability, settings.threshold, drawn, left_out), settings, left_out)


def partition_or_none(
    probability: FloatImage, settings: PartitionSettings, left_out: BoolMask | None = None
) -> Partition | None:
    """The partition of a boundary map; None where everything is boundary (an untrained network)."""
    try:
        return partition_probability(probability, settings, left_out)
    except GrainsegError:
        return None


def grains_or_zeros(probability: FloatImage, settings: PartitionSettings) -> npt.NDArray[np.uint32]:
    """The grains of a boundary map; all 0, no grain, where there is no partition."""
    partition = partition_or_none(probability, settings)
    return np.zeros(probability.shape, np.uint32) if partition is None else partition.grains


def as_drawn(probability: FloatImage, left_out: BoolMask | None = None) -> bool:
    """Whether a map holds no more than drawn lines: two values, or a smoothed or blurred drawing.

    The lines of a drawing are equally strong everywhere; a network doubts some places more than others.

    Args:
        probability: (H, W) float, of any range; a flat or empty one is drawn.
        left_out: (H, W), pixels that are ignored, unless they are the whole map.
    """
    if probability.ndim != 2 or probability.size == 0:
        return True
    if left_out is not None and not left_out.all():  # the least value outside, so that no line is left there
        probability = np.where(left_out, probability[~left_out].min(), probability)
    low, high = float(probability.min()), float(probability.max())
    if not 0 < high - low < np.inf:
        return True
    share = ((probability - low) / (high - low)).astype(np.float32)
    strength = cv2.dilate(share, np.ones((5, 5), np.uint8))[share > _BESIDE_LINE]
    return bool((strength < _IN_DOUBT * np.median(strength)).mean() <= _DOUBTFUL)


def _partition(
    pieces: OverSegmentation, settings: PartitionSettings, left_out: BoolMask | None, drawn: bool = False
) -> Partition:
    judged = None if left_out is None or left_out.all() else ~left_out
    grains = closed_grains(pieces, settings, judged)
    whole, closed = crack_lengths(grains, pieces.boundary, left_out)
    beside = beside_closed_cracks(grains, pieces.boundary)
    return Partition(
        grains=grains,
        closed=beside if left_out is None else beside & ~left_out,
        settings=settings,
        closed_length_px=closed,
        boundary_length_px=whole,
        open_ends=count_open_ends(pieces.boundary, pieces.graph.line_width_px, left_out),
        line_width_px=pieces.graph.line_width_px,
        pinholes=_pinholes(grains, pieces.boundary, left_out),
        drawn=drawn,
    )


def _pinholes(grains: npt.NDArray[np.uint32], boundary: BoolMask, left_out: BoolMask | None) -> int:
    within = ~boundary if left_out is None else ~(boundary | left_out)
    visible_px = np.bincount(grains[within])
    return int(np.count_nonzero((visible_px > 0) & (visible_px <= PINHOLE_PX)))


def partition_mask(
    mask: BoolMask, settings: PartitionSettings = DEFAULT_SETTINGS, left_out: BoolMask | None = None
) -> Partition:
    """Close drawn boundaries to grains: a label, or the mask of another program.

    The threshold plays no role; the support of a border is the share of it that is drawn. A mask holds no
    information between two ends of a line. So where lines have open ends, a neck between grains of the usual
    size is more readily taken for a gap than in a probability map.

    Args:
        mask: (H, W) bool, true on boundaries. Lines may have open ends.
        settings: Settings of the partition.
        left_out: As for `partition_probability`.

    Raises:
        ValueError: Not two-dimensional, empty, or not bool.
        GrainsegError: The whole field is boundary.
    """
    if mask.dtype != np.bool_:
        raise ValueError(f"mask of {mask.dtype}: bool expected")
    pieces = over_segment(mask.astype(np.float32), settings.threshold, drawn=True, left_out=left_out)
    return _partition(pieces, settings, left_out, drawn=True)


def over_segment(
    probability: FloatImage, threshold: float, drawn: bool = False, left_out: BoolMask | None = None
) -> OverSegmentation:
    """Cut a field into basins.

    Args:
        probability: (H, W) float, in [0, 1].
        threshold: A pixel is boundary where its probability exceeds this.
        drawn: Whether its boundaries were drawn, not predicted; the support of a border is the share drawn.
        left_out: (H, W), pixels that count neither for the line width nor for open ends.

    Raises:
        ValueError: Not two-dimensional, empty, NaN or outside [0, 1].
        GrainsegError: The whole field is boundary.
    """
    if probability.ndim != 2 or probability.size == 0:
        raise ValueError(f"boundary map of shape {probability.shape}: two dimensions expected")
    low, high = float(probability.min()), float(probability.max())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"boundary probabilities from {low} to {high}: [0, 1] expected, without NaN")
    probability = probability.astype(np.float32, copy=False)
    boundary = probability > np.float32(threshold)
    if boundary.all():
        raise GrainsegError(
            f"the whole field is boundary at partition threshold {threshold:g}, there is no grain; "
            "raise the threshold, or swap the values if grains and boundaries were taken for each other"
        )
    height, line_width = relief(probability, boundary, left_out)
    basins = find_basins(height)
    evidence = boundary.astype(np.float32) if drawn else probability
    lines = Lines.PREDICTED
    if drawn:
        seen = basins.summits.size if left_out is None else int((~left_out.ravel()[basins.summits]).sum())
        holed = count_open_ends(boundary, line_width, left_out) > _ENDS_OF_HOLES * seen
        lines = Lines.HOLED if holed else Lines.CLOSED
    graph = region_graph(basins, height, evidence, line_width, lines)
    return OverSegmentation(basins.ids, graph, boundary)


def closed_grains(
    pieces: OverSegmentation, settings: PartitionSettings, judged: BoolMask | None = None
) -> npt.NDArray[np.uint32]:
    """Join the pieces of a field to grains, and extend the tips of the grains.

    Args:
        pieces: Over-segmentation of the field.
        settings: Settings of the partition; the threshold is not used.
        judged: (H, W), pixels from which the typical grain area is taken, of which the smallest grain is a
            share; None is all of them.

    Returns:
        (H, W) ids, 1..N.
    """
    count = pieces.graph.area_px.size
    seen_px = None if judged is None else np.bincount(pieces.ids[judged], minlength=count).astype(np.float64)
    grains = (joined(pieces.graph, settings, seen_px) + 1).astype(np.uint32)[pieces.ids]
    return extend_tips(grains, pieces.boundary, pieces.graph.line_width_px)


def joined(graph: RegionGraph, settings: PartitionSettings, seen_px: Floats | None = None) -> Ints:
    """Join basins to grains.

    Args:
        graph: N basins.
        settings: Settings of the partition; the threshold is not used.
        seen_px: (N,) area of each basin that counts towards the typical grain area; None is all of it.

    Returns:
        (N,) grain of each basin, 0..K-1 without gaps.
    """
    counted_px = graph.area_px if seen_px is None else seen_px

    def typical_area_px(into: Ints) -> float:
        return median_area_px(np.bincount(into, counted_px).astype(np.float64))

    graph, shallow = join_shallow(graph, settings.depth)
    graph = graph.crediting_deep_necks(typical_area_px(shallow))
    graph, unsupported = join_unsupported(graph, settings.support)
    into = unsupported[shallow]
    _, small = join_small(graph, settings.min_size * typical_area_px(into))
    return small[into]


def median_area_px(area_px: Floats) -> float:
    """Area-weighted median of N areas: at least half of the field lies in regions of this area or more."""
    area = np.sort(area_px)
    return float(area[np.searchsorted(np.cumsum(area), area.sum() / 2)])
