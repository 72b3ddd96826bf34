"""Regions of a field and the borders between them as a graph, and how regions are joined.

Everything is array operations over all borders at once. Regions are joined in rounds; the results are those
of joining one pair at a time in the order of the weakest border first, up to ties.
"""

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from grainseg.grains.closing.basins import Basins
from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import FloatImage

_ROWS = 512  # of a strip: borders are collected strip by strip, so that memory does not grow with all cracks

_ENDS = 1.5
"""Pixel edges in both ends of a cut through a neck together, in line widths: half a width each if it met the
lines squarely, 4/π more as edges are counted, and the rest as it does not. With 1.0 lines of 9 px make false
splits of 10 % of the grains, with 1.5 of 2 %."""

_WAIST = 0.35
_DOUBT_PX = 0.5
"""A neck is as good as supported by what its relative depth exceeds the first, its half width taken larger
by the second: of a neck one or two pixels wide, as lines on a pixel grid leave them within thin grains,
little can be told."""

_CLOSED_WAIST = 0.6
"""In place of the first in drawn lines that end openly nowhere: a neck there is a waist of a thin grain,
not a hole, unless it is narrow as a pinhole. Of 120 closed networks one gained 4.0 % of its grains, two more
2.0 % and more by waists taken for holes; with this these gain less than 1 %, 120 others at most 1.2 %.
"""

_HOLE_WAIST = 0.15
_HOLE = 2.0
_ROOMY = 0.2
"""In drawn lines with holes, of a neck no wider than those (half of it the second, in line widths) between
two regions that are roomy (the lower peak the third, in roots of the area-weighted median area) more can be
told: what has the size of the grains around it is a grain rather than a lobe of one. It is as good as
supported by what its relative depth exceeds the first. Where there is a probability, it has seen the picture
across the neck, and has the say.

With the default support, 0.15, a neck parts two grains by itself where it is less than half as wide as the
narrower, and 0.7 times as wide where it may be a hole. Between small grains a gap takes most of a boundary,
and the neck is the better witness of it. Of twelve drawn networks of grains of 20 px, 1257 necks of 7 px gaps
in 5 % of the boundaries, 772 are kept by the first two constants and 85 more by the others, which cut 3
grains of 8477 in two; of 30 to 60 px, 6 more gaps and 3 more grains.
"""


class Lines(Enum):
    """Where the boundaries of a map come from, hence what is known where they leave something open."""

    PREDICTED = "predicted"
    """What is open was seen in the picture, and is more or less probable."""
    CLOSED = "closed"
    """Drawn, and ending openly nowhere: nothing was left out."""
    HOLED = "holed"
    """Drawn, with holes across which nothing is known."""


@dataclass(frozen=True)
class RegionGraph:
    """N regions and the M borders between neighbours; each pair of neighbours occurs once.

    Attributes:
        area_px: (N,) pixels.
        peak: (N,) greatest height, the distance to the boundary in px: about the radius of the region.
        first: (M,) region on one side of the border, lower than `second`.
        second: (M,) region on the other side.
        saddle: (M,) greatest height on the border: half the width of the widest gap in its line; negative
            where the line has none.
        length_px: (M,) pixel edges that make up the border.
        evidence: (M,) boundary probability summed over these edges.
        line_width_px: Mean width of the predicted lines.
        lines: Where they come from.
    """

    area_px: Floats
    peak: Floats
    first: Ints
    second: Ints
    saddle: Floats
    length_px: Floats
    evidence: Floats
    line_width_px: float
    lines: Lines

    @property
    def relative_depth(self) -> Floats:
        """(M,) in [0, 1]: how far the neck between two regions falls below the lower of their peaks.

        1 is a closed line, 0.2 a neck that is 0.8 times as wide as the narrower region.
        """
        lower = np.minimum(self.peak[self.first], self.peak[self.second])
        return np.clip(1 - self.saddle / lower, 0, 1)

    @property
    def support(self) -> Floats:
        """(M,) in [0, 1]: mean boundary probability along each border, necks without their ends.

        Where a border crosses a neck its ends lie within the lines on either side, which speak for a
        boundary along the neck, not across. They are taken off.
        """
        return np.maximum(self.evidence - self._ends, 0) / self.length_px

    @property
    def _ends(self) -> Floats:
        """(M,) evidence in the two ends of each neck."""
        return np.where(self.saddle > 0, _ENDS * self.line_width_px, 0.0)

    def crediting_deep_necks(self, typical_area_px: float) -> "RegionGraph":
        """Let the depth of a neck speak for a boundary where little of it was predicted.

        Meant for a graph without shallow necks, before its first border is removed: what is credited counts
        as evidence from then on.

        Args:
            typical_area_px: Area-weighted median of the regions' areas.
        """
        lower = np.minimum(self.peak[self.first], self.peak[self.second])
        waist = _CLOSED_WAIST if self.lines is Lines.CLOSED else _WAIST
        floor = 1 - (self.saddle + _DOUBT_PX) / lower - waist
        if self.lines is Lines.HOLED:
            roomy = lower >= _ROOMY * np.sqrt(typical_area_px)
            hole = roomy & (self.saddle <= _HOLE * self.line_width_px)
            floor = np.where(hole, np.maximum(floor, self.relative_depth - _HOLE_WAIST), floor)
        credited = np.where((self.saddle > 0) & (floor > 0), floor * self.length_px + self._ends, 0)
        return replace(self, evidence=np.maximum(self.evidence, credited))


def region_graph(
    basins: Basins, height: FloatImage, probability: FloatImage, line_width_px: float, lines: Lines
) -> RegionGraph:
    """Describe basins and their borders.

    Args:
        basins: Of the field.
        height: (H, W) relief that they are basins of.
        probability: (H, W) float32 in [0, 1]; an edge between two pixels has the greater of the two.
        line_width_px: Mean width of the predicted lines.
        lines: Where these come from.

    Returns:
        One region per basin.
    """
    count = basins.summits.size
    area = np.zeros(count, np.int64)
    strips = []
    for start in range(0, height.shape[0], _ROWS):
        area += np.bincount(basins.ids[start : start + _ROWS].ravel(), minlength=count)
        rows = slice(start, start + _ROWS + 1)
        strips.append(_cracks(count, basins.ids[rows], height[rows], probability[rows]))
    pairs, saddle, length, evidence = _summed(*(np.concatenate(part) for part in zip(*strips, strict=True)))
    return RegionGraph(
        area_px=area.astype(np.float64),
        peak=height.ravel()[basins.summits].astype(np.float64),
        first=pairs // count,
        second=pairs % count,
        saddle=saddle,
        length_px=length,
        evidence=evidence,
        line_width_px=line_width_px,
        lines=lines,
    )


def contract(graph: RegionGraph, groups: Ints) -> RegionGraph:
    """Join the regions of each group.

    Args:
        graph: N regions.
        groups: (N,) number of the group of each region, 0..K-1 without gaps.

    Returns:
        K regions.
    """
    count = int(groups.max()) + 1
    first, second = groups[graph.first], groups[graph.second]
    kept = first != second
    pairs = (np.minimum(first, second) * count + np.maximum(first, second))[kept]
    pairs, saddle, length, evidence = _summed(
        pairs, graph.saddle[kept], graph.length_px[kept], graph.evidence[kept]
    )
    peak = np.full(count, -np.inf)
    np.maximum.at(peak, groups, graph.peak)
    area = np.bincount(groups, graph.area_px, count).astype(np.float64)
    first, second = pairs // count, pairs % count
    return RegionGraph(area, peak, first, second, saddle, length, evidence, graph.line_width_px, graph.lines)


def components(count: int, first: Ints, second: Ints) -> Ints:
    """Connected components of a graph.

    Args:
        count: N nodes, 0..N-1.
        first: (M,) node on one side of each edge.
        second: (M,) node on the other side.

    Returns:
        (N,) number of the component of each node, 0..K-1 in the order of their lowest nodes.
    """
    edges = coo_array((np.ones(first.size), (first, second)), shape=(count, count))
    return connected_components(edges, directed=False)[1].astype(np.int64)


def join_shallow(graph: RegionGraph, depth: float) -> tuple[RegionGraph, Ints]:
    """Join what only shallow necks part, the widest neck first (dynamics; Grimaud 1992, Proc. SPIE 1769:292).

    Afterwards no region can be left over a neck of this relative depth or less.

    Args:
        graph: N regions.
        depth: In [0, 1], relative to the lower peak, hence to the local grain size.

    Returns:
        The joined graph and (N,) the region of it that each region went into.
    """
    into = np.arange(graph.peak.size)
    while True:
        # A region whose widest neck is shallow on its own scale is joined there whatever happens elsewhere.
        widest = _best_border(graph, np.argsort(-graph.saddle, kind="stable"))
        has = np.flatnonzero(widest >= 0)
        shallow = graph.saddle[widest[has]] >= (1 - depth) * graph.peak[has]
        if not shallow.any():
            return graph, into
        graph, into = _joined(graph, into, np.unique(widest[has[shallow]]))


def join_unsupported(graph: RegionGraph, support: float) -> tuple[RegionGraph, Ints]:
    """Join neighbours along whose common border little boundary was predicted, the least supported first.

    Average linkage: a joined region's borders have the mean of the borders that it took over, so joining
    never makes a border weaker than the one removed. Hence all pairs that are each other's weakest may be
    joined at once, and continuing with a greater support is the same as starting with it.

    Args:
        graph: N regions.
        support: Borders below this are removed, in [0, 1].

    Returns:
        The joined graph and (N,) the region of it that each region went into.
    """
    into = np.arange(graph.peak.size)
    while True:
        order = _weakest_first(graph)
        order = order[graph.support[order] < support]
        if order.size == 0:
            return graph, into
        weakest = _best_border(graph, order)
        mutual = (weakest[graph.first[order]] == order) & (weakest[graph.second[order]] == order)
        graph, into = _joined(graph, into, order[mutual])


def join_small(graph: RegionGraph, min_area_px: float) -> tuple[RegionGraph, Ints]:
    """Join each region that is too small with the neighbour from which the least boundary parts it.

    Args:
        graph: N regions.
        min_area_px: Smallest area kept.

    Returns:
        The joined graph and (N,) the region of it that each region went into.
    """
    into = np.arange(graph.peak.size)
    while True:
        weakest = _best_border(graph, _weakest_first(graph))
        small = (graph.area_px < min_area_px) & (weakest >= 0)
        if not small.any():
            return graph, into
        graph, into = _joined(graph, into, np.unique(weakest[small]))


def _cracks(
    count: int, ids: npt.NDArray[np.int32], height: FloatImage, probability: FloatImage
) -> tuple[Ints, Floats, Floats, Floats]:
    """Borders within a strip, and to the first row of the next one, which it holds as its last."""
    sides = (np.s_[:_ROWS, :-1], np.s_[:_ROWS, 1:]), (np.s_[:-1, :], np.s_[1:, :])
    parts = []
    for here, there in sides:
        crack = ids[here] != ids[there]
        first, second = ids[here][crack].astype(np.int64), ids[there][crack].astype(np.int64)
        pairs = np.minimum(first, second) * count + np.maximum(first, second)
        saddle = np.minimum(height[here][crack], height[there][crack]).astype(np.float64)
        evidence = np.maximum(probability[here][crack], probability[there][crack]).astype(np.float64)
        parts.append((pairs, saddle, np.ones(pairs.size), evidence))
    pairs, saddle, length, evidence = (np.concatenate(part) for part in zip(*parts, strict=True))
    return _summed(pairs, saddle, length, evidence)


def _summed(
    pairs: Ints, saddle: Floats, length: Floats, evidence: Floats
) -> tuple[Ints, Floats, Floats, Floats]:
    """One entry per pair: the highest saddle, the sums of the rest."""
    if pairs.size == 0:
        return pairs, saddle, length, evidence
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    start = np.flatnonzero(np.r_[True, pairs[1:] != pairs[:-1]])
    highest = np.maximum.reduceat(saddle[order], start)
    return (
        pairs[start],
        highest,
        np.add.reduceat(length[order], start),
        np.add.reduceat(evidence[order], start),
    )


def _weakest_first(graph: RegionGraph) -> Ints:
    """Borders in order of their support, of equal ones the widest neck first."""
    return np.lexsort((graph.relative_depth, graph.support))


def _best_border(graph: RegionGraph, order: Ints) -> Ints:
    """(N,) the first border in this order that each region has; -1 where it has none."""
    best = np.full(graph.peak.size, -1, np.int64)
    backwards = order[::-1]  # of several assignments to one place the last one stays
    best[np.stack([graph.first[backwards], graph.second[backwards]], axis=1).ravel()] = np.repeat(
        backwards, 2
    )
    return best


def _joined(graph: RegionGraph, into: Ints, borders: Ints) -> tuple[RegionGraph, Ints]:
    """Remove borders, and say where each of the regions before went."""
    groups = components(graph.peak.size, graph.first[borders], graph.second[borders])
    return contract(graph, groups), groups[into]
