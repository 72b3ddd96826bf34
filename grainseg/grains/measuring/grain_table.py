"""Size, shape, neighbours and sampling weight of every grain of a map, as arrays.

All sums are over runs, the pieces of one row that lie in one grain. The number of runs is about that of the
pixels over the mean intercept in px, and no step loops over grains.
"""

import math
from dataclasses import dataclass

import numpy as np
from skimage import measure

from grainseg.grains.measuring.intercepts import DIRECTIONS, SQUARE, GrainIds, Step, direction_weights, shifts
from grainseg.grains.measuring.whole_grains import share_beside
from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import BoolMask

_FERET_DIRECTIONS = 90
"""Number of directions for widths, every 2°: the largest width found is at most 1 - cos(1°) = 0.015 % below
the largest of all directions."""

LARGE_SHARE = 0.5
"""Share of the frame's height or width above which a grain's box makes its weight unsure."""

_MOST_WEIGHT = 16.0
"""Largest weight by the frame, that of a grain that spans 0.75 of it in both directions. A grain that spans
0.98 would stand for 2500 and dominate the distribution. In fields of five bimodal or elongated grains across,
weights reach 15 and are needed: without those above 4 the mean area is up to 18 % smaller."""

_LEAST_PLACE = 0.1
"""Smallest share of the positions in the frame that ignored areas may leave to a grain, relative to that left
to a point. Ten scratches across 15 grains leave a third to the usual grain."""

_TORN_OFF_PX = 4
"""Largest separate piece of a grain that may be a tip torn off by the raster, in pixels."""


@dataclass(frozen=True)
class GrainTable:
    """One entry per grain, in the order of the ids; lengths in px of square pixels.

    Attributes:
        id: Id of the grain in the map.
        area_px: Area in px² of the part inside the field.
        ecd_px: Equivalent circular diameter: that of the circle of this area.
        feret_px: Largest distance between two parallel tangents.
        major_px: Major axis of the ellipse with the same second moments; 0 for a single pixel.
        minor_px: Minor axis of that ellipse; 0 for a row of pixels.
        orientation_deg: Angle of the major axis in [0, 180), anticlockwise from the row in the displayed
            picture; nan where both axes are equally long.
        perimeter_px: Crofton perimeter in four directions, with the part along the frame.
        neighbours: Number of grains that share a pixel side with it.
        touches_border: Whether the frame or an ignored area may have cut it.
        weight: Miles-Lantuéjoul weight, 0 for grains that touch the border or are too large.
        span: Share of the frame's height or of its width that the box takes, the larger of both, 0-1.
        too_large: Whether the grain is whole, but too large for the frame, or for the part of it that is not
            ignored, to have a weight.
    """

    id: Ints
    area_px: Floats
    ecd_px: Floats
    feret_px: Floats
    major_px: Floats
    minor_px: Floats
    orientation_deg: Floats
    perimeter_px: Floats
    neighbours: Ints
    touches_border: BoolMask
    weight: Floats
    span: Floats
    too_large: BoolMask

    def __len__(self) -> int:
        return self.id.size


@dataclass(frozen=True)
class _Runs:
    """Runs (pieces of one row that lie in one grain), sorted by the grain."""

    id: Ints  # (N,) ids of the grains
    first_of: Ints  # (N,) index of each grain's first run
    grain: Ints  # (R,) index of the run's grain, 0 to N - 1
    row: Ints  # (R,)
    left: Ints  # (R,) first column
    right: Ints  # (R,) last column


def grain_table(grains: GrainIds, ignored: BoolMask | None = None, step: Step = SQUARE) -> GrainTable:
    """Measure every grain.

    Small grains lie wholly inside the frame more often than large ones. A grain whose box is w × h would be
    whole in a share (1 - w/W)·(1 - h/H) of the positions of a W × H frame, so with the weight
    1 / [(1 - w/W)·(1 - h/H)] the whole grains stand for all (Miles 1974, in Harding and Kendall, Stochastic
    Geometry, 228-247; Lantuéjoul 1978). The frame is the map less half a pixel on each side. Ignored areas
    inside the frame also cut large grains more often: where there are some, the share is multiplied by that
    of `share_beside`.

    The scatter of the weights grows without bound as grains come to fill the frame, or its part that is not
    ignored. Grains whose weight by the frame exceeds 16, or that find hardly a place beside ignored areas,
    have weight 0.

    Args:
        grains: (H, W) grain ids, 0 = no grain.
        ignored: (H, W), true where the map is not judged. Grains there do not count, and a grain beside such
            a pixel counts as cut.
        step: Height and width of a pixel, in units of the square px that all lengths are given in.

    Returns:
        The table; empty if there is no grain.

    Raises:
        ValueError: If the mask has another shape than the map.
    """
    if ignored is not None:
        if ignored.shape != grains.shape:
            raise ValueError(f"mask of shape {ignored.shape} for a grain map of shape {grains.shape}")
        grains = np.where(ignored, 0, grains)
    runs = _runs(grains)
    area = np.add.reduceat(runs.right - runs.left + 1, runs.first_of) * (step[0] * step[1])
    major, minor, orientation = _axes(runs, step)
    height, width = _spans(runs, grains.shape)
    cut = _touches(grains, ignored, runs.id)
    feret, mean_width = _widths(runs, step)
    weight, too_large = _weights(height, width, cut, mean_width, ignored, step)
    return GrainTable(
        id=runs.id,
        area_px=area,
        ecd_px=np.sqrt(4 / math.pi * area),
        feret_px=feret,
        major_px=major,
        minor_px=minor,
        orientation_deg=orientation,
        perimeter_px=_perimeter(grains, runs.id, step),
        neighbours=_neighbours(grains, runs.id),
        touches_border=cut,
        weight=weight,
        span=np.maximum(height, width),
        too_large=too_large,
    )


def in_pieces(grains: GrainIds, table: GrainTable, ignored: BoolMask | None = None) -> int:
    """Count the grains that consist of several separate pieces.

    A few pixels do not count as a piece, since the raster tears off the tip of a thin grain. Where there are
    ignored areas, grains that they cut into parts are not counted, nor are those that the frame cuts.

    Args:
        grains: (H, W) grain ids; 0 where there is no grain or the map is not judged.
        table: Table of these grains.
        ignored: (H, W), true where the map is not judged.

    Returns:
        Number of grains with two or more pieces; pixels that touch at a corner are in one piece.
    """
    pieces = measure.label(grains, background=0, connectivity=2)
    size = np.bincount(pieces.ravel())
    owner = np.zeros(size.size, np.int64)
    owner[pieces] = grains  # all pixels of a piece have the same grain
    large = owner[1:][size[1:] > _TORN_OFF_PX]
    ids, count = np.unique(large, return_counts=True)
    several = ids[count > 1]
    if ignored is not None:
        several = np.setdiff1d(several, table.id[table.touches_border])
    return int(several.size)


def _runs(grains: GrainIds) -> _Runs:
    width = grains.shape[1]
    starts = np.ones(grains.shape, np.bool_)
    np.not_equal(grains[:, 1:], grains[:, :-1], out=starts[:, 1:])
    begin = np.flatnonzero(starts)
    ids = grains.ravel()[begin].astype(np.int64)
    end = np.append(begin[1:], grains.size) - 1
    kept = ids > 0
    found, grain = np.unique(ids[kept], return_inverse=True)
    order = np.argsort(grain, kind="stable")
    row, left = np.divmod(begin[kept][order], width)
    counts = np.bincount(grain, minlength=found.size)
    return _Runs(found, np.cumsum(counts) - counts, grain[order], row, left, end[kept][order] - row * width)


def _spans(runs: _Runs, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Height and width of each grain's box as shares of the frame, at most 1.

    A grain on an outermost pixel counts as cut. So a side of n px has a frame of n - 1: a box of w px is
    whole at n - 1 - w places.
    """
    rows = np.maximum.reduceat(runs.row, runs.first_of) - np.minimum.reduceat(runs.row, runs.first_of) + 1
    columns = (
        np.maximum.reduceat(runs.right, runs.first_of) - np.minimum.reduceat(runs.left, runs.first_of) + 1
    )
    return np.minimum(rows / max(shape[0] - 1, 1), 1), np.minimum(columns / max(shape[1] - 1, 1), 1)


def _axes(runs: _Runs, step: Step) -> tuple[Floats, Floats, Floats]:
    """Major and minor axis of the ellipse with the second moments of the pixel centres, angle in degrees."""
    length = (runs.right - runs.left + 1).astype(np.float64)
    count = np.add.reduceat(length, runs.first_of)
    middle = (runs.left + runs.right) / 2
    mean_x = np.add.reduceat(length * middle, runs.first_of) / count
    mean_y = np.add.reduceat(length * runs.row, runs.first_of) / count
    x, y = (middle - mean_x[runs.grain]) * step[1], (mean_y[runs.grain] - runs.row) * step[0]
    # n equidistant points have the variance (n² - 1)/12 about their middle.
    own = length * (length**2 - 1) / 12 * step[1] ** 2
    xx = np.add.reduceat(length * x**2 + own, runs.first_of) / count
    yy = np.add.reduceat(length * y**2, runs.first_of) / count
    xy = np.add.reduceat(length * x * y, runs.first_of) / count
    mean, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    angle = np.degrees(np.arctan2(2 * xy, xx - yy) / 2) % 180
    round_one = half <= 1e-9 * mean
    return (
        4 * np.sqrt(mean + half),
        4 * np.sqrt(np.maximum(mean - half, 0)),
        np.where(round_one, np.nan, np.where(angle >= 180, 0.0, angle)),
    )


def _weights(
    height: Floats, width: Floats, cut: BoolMask, mean_width: Floats, ignored: BoolMask | None, step: Step
) -> tuple[Floats, BoolMask]:
    """Weight of each grain, and which whole grains are too large to have one."""
    whole = ~cut
    room = ((1 - height) * (1 - width))[whole]
    fits = room * _MOST_WEIGHT >= 1
    if ignored is not None and ignored.any() and whole.any():
        beside = share_beside(ignored, height[whole], width[whole], mean_width[whole], step)
        fits &= beside >= _LEAST_PLACE * (1 - np.count_nonzero(ignored) / ignored.size)
        room *= beside
    weight, too_large = np.zeros(cut.size), np.zeros(cut.size, np.bool_)
    weight[whole] = np.divide(1, room, out=np.zeros_like(room), where=fits)
    too_large[whole] = ~fits
    return weight, too_large


def _widths(runs: _Runs, step: Step) -> tuple[Floats, Floats]:
    """Largest and mean width of each grain over directions; a pixel extends to the middles of its sides.

    Taking the pixel's corners would make every slanting width too large, its centre every width too small.
    """
    largest, total = np.zeros(runs.id.size), np.zeros(runs.id.size)
    y = runs.row * step[0]
    for angle in np.arange(_FERET_DIRECTIONS) * (math.pi / _FERET_DIRECTIONS):
        across, down = math.cos(angle) * step[1], math.sin(angle)
        low, high = (runs.left, runs.right) if across >= 0 else (runs.right, runs.left)
        far = np.maximum.reduceat(high * across + y * down, runs.first_of)
        near = np.minimum.reduceat(low * across + y * down, runs.first_of)
        found = far - near + max(abs(across), abs(down) * step[0])
        np.maximum(largest, found, out=largest)
        total += found
    return largest, total / _FERET_DIRECTIONS


def _perimeter(grains: GrainIds, ids: Ints, step: Step) -> Floats:
    """Crofton perimeter: ½ ∫ (ends of chords per line) × (spacing of the lines) over the half-turn."""
    around = np.pad(grains, 1)
    weights = direction_weights(step)
    perimeter = np.zeros(ids.size)
    for name, (down, right) in DIRECTIONS.items():
        first, second = (around[cut] for cut in shifts(around.shape, down, right, 2))
        differ = first != second
        for side in (first, second):
            perimeter += weights[name] * math.pi / 8 * _counts(side[differ], ids)
    return perimeter


def _neighbours(grains: GrainIds, ids: Ints) -> Ints:
    pairs = []
    for cut_first, cut_second in (shifts(grains.shape, 0, 1, 2), shifts(grains.shape, 1, 0, 2)):
        first, second = grains[cut_first], grains[cut_second]
        met = (first != second) & (first > 0) & (second > 0)
        one, other = (np.searchsorted(ids, side[met]) for side in (first, second))
        pairs.append(np.unique(np.minimum(one, other) * ids.size + np.maximum(one, other)))
    both = np.unique(np.concatenate(pairs))
    return np.bincount(np.concatenate(np.divmod(both, max(ids.size, 1))), minlength=ids.size)


def _touches(grains: GrainIds, ignored: BoolMask | None, ids: Ints) -> BoolMask:
    """Whether each grain has a pixel at the edge of the map or beside (also diagonally) an ignored one."""
    cut = [grains[0], grains[-1], grains[:, 0], grains[:, -1]]
    if ignored is not None:
        for down, right in DIRECTIONS.values():
            one, other = shifts(grains.shape, down, right, 2)
            cut += [grains[one][ignored[other]], grains[other][ignored[one]]]
    return np.isin(ids, np.concatenate(cut))


def _counts(values: GrainIds, ids: Ints) -> Ints:
    """How often each id occurs."""
    kept = values[values > 0]
    return np.bincount(np.searchsorted(ids, kept), minlength=ids.size)
