"""Grains per area of a field, counted by three procedures that share no step.

All three use a frame through the centres of the outermost pixels, since the grain is known only at pixel
centres: a field of H × W pixels has a frame of (H - 1) × (W - 1).
"""

import math

import numpy as np
import numpy.typing as npt

from grainseg.grains.measuring.astm import density_jeffries, density_saltikov, density_triple_points
from grainseg.grains.measuring.grain_table import GrainTable
from grainseg.grains.measuring.intercepts import SQUARE, GrainIds, Step
from grainseg.micrograph.image import BoolMask


def saltikov(grains: GrainIds, table: GrainTable, step: Step = SQUARE) -> float:
    """Saltikov's count: grains inside the frame, half of those it cuts, a quarter per corner in a grain.

    Args:
        grains: (H, W) grain ids; 0 = no grain.
        table: Table of these grains.
        step: Height and width of a pixel.

    Returns:
        N_A, grains per px² of the area that grains cover; nan without such area.
    """
    corners = grains[[0, 0, -1, -1], [0, -1, 0, -1]]
    in_corner = np.isin(table.id, corners)
    on_edge = int(np.count_nonzero(table.touches_border & ~in_corner))
    inside = int(np.count_nonzero(~table.touches_border))
    area = _block_area(grains > 0, step)
    return density_saltikov(inside, on_edge, int(np.count_nonzero(corners)), area)


def jeffries(grains: GrainIds, table: GrainTable, step: Step = SQUARE) -> float:
    """Jeffries' count: grains inside the largest circle of the frame, and half of those that it cuts.

    The count is too high by about one grain in the whole circle, since a curved line meets more grains than a
    straight one does.

    Args:
        grains: (H, W) grain ids; 0 = no grain.
        table: Table of these grains.
        step: Height and width of a pixel.

    Returns:
        N_A, grains per px² of the area that grains cover in the circle; nan without such area.
    """
    rows, columns = (np.arange(side) - (side - 1) / 2 for side in grains.shape)
    radius = min(-rows[0] * step[0], -columns[0] * step[1])
    within = np.hypot(rows[:, None] * step[0], columns * step[1]) <= radius + 1e-9
    found = grains[within]
    counts = np.bincount(np.searchsorted(table.id, found[found > 0]), minlength=len(table))
    whole = (counts == np.rint(table.area_px / (step[0] * step[1]))) & ~table.touches_border
    inside = int(np.count_nonzero(whole))
    intercepted = int(np.count_nonzero(counts)) - inside
    share = np.count_nonzero(found) / found.size if found.size else 0.0
    return density_jeffries(inside, intercepted, math.pi * radius**2 * share)


def triple_points(grains: GrainIds, ignored: BoolMask | None = None, step: Step = SQUARE) -> float:
    """Count by triple points, where three boundaries meet: half their number, and one.

    A triple point is a block of 2 × 2 pixels with three grains; a block with four grains counts as two. A
    block with one grain in two opposite corners does not count: there the raster pinches the sharp tip of a
    grain. (On Voronoi and Laguerre cells, counting such blocks gives 1-3 % too many; without them the count
    is right within 0.6 %.)

    Where something other than grains is part of the network (label 0), its corners are not points of grain
    boundaries alone, and the count is not defined.

    Args:
        grains: (H, W) grain ids; 0 = no grain.
        ignored: (H, W), true where the map is not judged; left out of the count.
        step: Height and width of a pixel.

    Returns:
        (P/2 + 1) / A, grains per px², which is too high by one grain in the whole field; nan without area, or
        with label 0 in the judged area.
    """
    judged = np.ones(grains.shape, np.bool_) if ignored is None else ~ignored
    if np.any((grains == 0) & judged):
        return math.nan
    a, b, c, d = grains[:-1, :-1], grains[:-1, 1:], grains[1:, :-1], grains[1:, 1:]
    # Number of distinct ids among the four, less one: each that differs from all before it adds one.
    more = (b != a).astype(np.int8)
    more += (c != a) & (c != b)
    more += (d != a) & (d != b) & (d != c)
    more[(a == d) | (b == c)] = 0
    whole = judged[:-1, :-1] & judged[:-1, 1:] & judged[1:, :-1] & judged[1:, 1:]
    points = int(np.maximum(more - 1, 0)[whole].sum())
    return density_triple_points(points, int(np.count_nonzero(whole)) * step[0] * step[1])


def _block_area(mask: npt.NDArray[np.bool_], step: Step) -> float:
    """Area of a mask inside the frame: pixels at a side count half, pixels in a corner a quarter."""
    rows, columns = (np.ones(side) for side in mask.shape)
    for weights in (rows, columns):
        weights[0] -= 0.5
        weights[-1] -= 0.5  # a field one pixel wide has no area
    return float(rows @ mask @ columns) * step[0] * step[1]
