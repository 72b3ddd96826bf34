"""Regions of a field and the borders between them as a graph, and how regions are joined.

All steps are array operations over all borders at once. Regions are joined in rounds. Up to ties, the result
is the same as joining one pair at a time, the pair with the weakest border first.
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

_ROWS = 512  # per strip; borders are collected strip by strip, so that memory does not grow with all cracks

_ENDS = 1.5
"""Pixel edges in the two ends of a border across a neck together, in line widths. A border that met the lines
squarely would have half a width in each; pixel edges count 4/π times that; the rest allows for oblique
borders. With 1.0, lines of 9 px cause false splits of 10 % of the grains; with 1.5, of 2 %."""

_WAIST = 0.35
"""Relative depth from which a neck is evidence of a boundary; the excess over it is credited as support."""
_DOUBT_PX = 0.5
"""Added to the half width of a neck before its depth is compared with its waist value. A neck of one or
two pixels tells little: lines on a pixel grid leave such necks within thin grains."""

_CLOSED_WAIST = 0.6
"""Replaces `_WAIST` in drawn lines without open ends. There a neck is the waist of a thin grain, not a hole,
unless it is as narrow as a pinhole. With `_WAIST`, one of 120 closed networks gained 4.0 % of its grains and
two more at least 2.0 %, by waists taken for holes; with this value these three gain less than 1 %, and 120
other networks at most 1.2 %.
"""

_HOLE_WAIST = 0.15
"""Replaces `_WAIST` for a neck in drawn lines with holes that is narrow (`_HOLE`) and lies between two roomy
regions (`_ROOMY`): a region as large as the grains around it is a grain rather than a lobe of one. Not used
where there is a probability, which comes from the picture across the neck and decides instead.

With the default support of 0.15, a neck alone parts two grains if it is less than 0.5 times as wide as the
narrower grain, or 0.7 times where it may be a hole. Between small grains a gap takes most of a boundary, and
the neck is the better evidence. Twelve drawn networks of grains of 20 px had 1257 necks of 7 px gaps in 5 %
of their boundaries: `_WAIST` and `_DOUBT_PX` keep 772 of them, and the hole constants 85 more, at the cost of
3 grains of 8477 cut in two; for grains of 30 to 60 px, 6 more gaps and 3 more cut grains.
"""
_HOLE = 2.0
"""Largest half width, in line widths, of a neck that may be a hole."""
_ROOMY = 0.2
"""Least peak of both regions beside a hole, in square roots of the area-weighted median area."""


class Lines(Enum):
    """Where the boundaries of a map come from, and hence what is known about the gaps in them."""

    PREDICTED = "predicted"
    """Predicted from a picture: there is a boundary probability in the gaps, too."""
    CLOSED = "closed"
    """Drawn, without open ends: no boundary is missing."""
    HOLED = "holed"
    """Drawn, with holes, across which nothing is known."""


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
        lines: Where the lines come from.
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
        """(M,) in [0, 1]: mean boundary probability along each border, without the ends of necks.

        Where a border crosses a neck, its ends lie within the lines on either side. Those lines are evidence
        of a boundary along the neck, not across it, so the ends are subtracted.
        """
        return np.maximum(self.evidence - self._ends, 0) / self.length_px

    @property
    def _ends(self) -> Floats:
        """(M,) evidence in the two ends of each neck."""
        return np.where(self.saddle > 0, _ENDS * self.line_width_px, 0.0)

    def crediting_deep_necks(self, typical_area_px: float) -> "RegionGraph":
        """Raise the evidence of deep necks, across which little boundary was predicted.

        Call it on a graph without shallow necks, before its first unsupported border is removed: the credit
        counts as evidence from then on.

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
        basins: Basins of the field.
        height: (H, W) relief from which the basins were found.
        probability: (H, W) float32 in [0, 1]; an edge between two pixels has the greater of their two values.
        line_width_px: Mean width of the predicted lines.
        lines: Where the lines come from.

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
    """Join regions that only shallow necks part, the widest neck first (dynamics).

    Afterwards every neck has a relative depth greater than this. Dynamics: Grimaud 1992, Proc. SPIE 1769:292.

    Args:
        graph: N regions.
        depth: In [0, 1], relative to the lower peak, hence to the local grain size.

    Returns:
        The joined graph and (N,) the region of it that each region went into.
    """
    into = np.arange(graph.peak.size)
    while True:
        # A region whose widest neck is shallow relative to its own peak is joined there in any order.
        widest = _best_border(graph, np.argsort(-graph.saddle, kind="stable"))
        has = np.flatnonzero(widest >= 0)
        shallow = graph.saddle[widest[has]] >= (1 - depth) * graph.peak[has]
        if not shallow.any():
            return graph, into
        graph, into = _joined(graph, into, np.unique(widest[has[shallow]]))


def join_unsupported(graph: RegionGraph, support: float) -> tuple[RegionGraph, Ints]:
    """Join neighbours along whose common border little boundary was predicted, the least supported first.

    This is average linkage: the borders of a joined region get the mean support of the borders that they
    replace, so joining never makes a border weaker than the removed one. Hence all borders that are the
    weakest of both their regions can be removed at once, and continuing with a greater support gives the same
    result as starting with it.

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
    """Join each region that is too small across its least supported border.

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
    """Borders within a strip and to the first row of the next strip, which is the last row given."""
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
    """One entry per pair: the highest saddle, and the sums of length and evidence."""
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
    """Borders in order of their support; among equal ones the shallowest neck first."""
    return np.lexsort((graph.relative_depth, graph.support))


def _best_border(graph: RegionGraph, order: Ints) -> Ints:
    """(N,) the first border of each region in this order; -1 for a region without one."""
    best = np.full(graph.peak.size, -1, np.int64)
    backwards = order[::-1]  # if one place is assigned several times, the last value stays
    best[np.stack([graph.first[backwards], graph.second[backwards]], axis=1).ravel()] = np.repeat(
        backwards, 2
    )
    return best


def _joined(graph: RegionGraph, into: Ints, borders: Ints) -> tuple[RegionGraph, Ints]:
    """Remove borders, and update which region each original region went into."""
    groups = components(graph.peak.size, graph.first[borders], graph.second[borders])
    return contract(graph, groups), groups[into]
