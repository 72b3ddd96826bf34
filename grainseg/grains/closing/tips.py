"""Extend the tips of grains between drawn lines: boundaries continue straight where lines overlap.

Where two boundaries meet at an angle θ, their lines of width w overlap. The drawn picture shows the grain
between them only from a distance w / (2s) on, with s = sin(θ/2). A fill gives each pixel of a line to the
nearest grain, so the three grains meet where the visible tip is as far away as the sides of the other two.
Where θ is much smaller than the other two angles, that is (w/2)·(1 - s) / [s·(1 + s)] too early: 0.7·w/2 at
60°, 2.3·w/2 at 30°. The boundary beyond is lost, and the mean intercept of Voronoi cells of 20 px, drawn with
lines of 3 px, comes out 2 % too long.

From a distance of about w from the meeting point of the fill, the boundaries are in the right place. Straight
lines fitted to them there meet at the true tip, and the pixels of the drawn lines between these two straight
lines go to the grain. Only pixels of drawn lines change, so nothing that is visible is overruled. Tips of
more than 100° stay where the fill puts them: the angles of the triple point are then about equal.

Most hidden tips measure a pixel or less, so they are restored on average, not each one exactly: lengths of
boundary are right, but single pixels of the lines are no better than before (on drawn cells of 20 px, 0.1 to
0.5 % of all pixels are worse). Grains that the lines cover completely are not restored.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from grainseg.micrograph.arrays import Floats, Ints
from grainseg.micrograph.image import BoolMask

_Points = npt.NDArray[np.complex128]  # column + i · row, relative to the point where three grains meet

_SPAN_PX = 6.0
"""Length of boundary that a straight line is fitted to: long against its pixels, short against its bends."""

_LARGEST_TIP_DEG = 100.0
"""Largest angle of a tip that is extended: at larger ones the three angles are about equal."""
_SMALLEST_SINE = 0.15
"""Smallest sine of the angle of a tip that is extended, that of 9°."""
_LONGEST_TIP = 6.0
"""Longest extension, in line widths: about the hidden length of a tip of 9°, the smallest angle."""

_WIDEST_PX = 32.0
"""Greatest mean line width. Wider lines come from an untrained network, and hide no tips."""

_CHUNK = 2000  # meeting points at a time, so that memory does not grow with the field
_CHUNK_PX = 2_000_000  # pixels around them at a time, so that memory does not grow with the line width either


@dataclass(frozen=True)
class _Lines:
    """Straight lines, one per meeting point, through the boundary between two grains.

    Attributes:
        middle: (N,) mean point of the piece of boundary.
        along: (N,) unit vector, away from the meeting point.
        good: (N,) whether there is enough boundary and it is straight.
    """

    middle: _Points
    along: _Points
    good: BoolMask


def extend_tips(
    grains: npt.NDArray[np.uint32], boundary: BoolMask, line_width_px: float
) -> npt.NDArray[np.uint32]:
    """Extend the tips of grains into the area that overlapping lines hide.

    Args:
        grains: (H, W) ids from 1 on, filled to the middle of the lines.
        boundary: (H, W), where lines are drawn or predicted. Only these pixels change.
        line_width_px: Mean width of the lines.

    Returns:
        (H, W) ids. Each grain that was 4-connected still is; no grain appears or disappears.
    """
    if line_width_px > _WIDEST_PX:
        return grains
    reach = math.ceil(max(line_width_px + _SPAN_PX, 3 * line_width_px)) + 1
    chunk = max(1, min(_CHUNK, _CHUNK_PX // (2 * reach) ** 2))
    around, lines = np.pad(grains, reach), np.pad(boundary, reach)
    parts = [_tips(around, lines, at, line_width_px, reach) for at in _meeting_points(around, chunk)]
    claims = [np.concatenate(part) for part in zip(*parts, strict=True)]
    if claims:
        _claim(around, *claims)
    return around[reach:-reach, reach:-reach]


def _meeting_points(
    grains: npt.NDArray[np.uint32], chunk: int
) -> Iterator[tuple[Ints, Ints, npt.NDArray[np.uint32]]]:
    """Upper left pixels of the 2 × 2 blocks with three grains, and (N, 3) their ids, chunk by chunk."""
    a, b, c, d = grains[:-1, :-1], grains[:-1, 1:], grains[1:, :-1], grains[1:, 1:]
    equal = [first == second for first, second in ((a, b), (a, c), (a, d), (b, c), (b, d), (c, d))]
    single = sum(each.astype(np.int8) for each in equal) == 1
    rows, columns = np.nonzero(single & (a > 0) & (b > 0) & (c > 0) & (d > 0))
    for start in range(0, rows.size, chunk):
        y, x = rows[start : start + chunk], columns[start : start + chunk]
        four = np.sort(np.stack([part[y, x] for part in (a, b, c, d)], axis=1), axis=1)
        new = np.concatenate([np.ones((y.size, 1), np.bool_), four[:, 1:] != four[:, :-1]], axis=1)
        yield y, x, four[new].reshape(-1, 3)


def _tips(
    grains: npt.NDArray[np.uint32],
    boundary: BoolMask,
    points: tuple[Ints, Ints, npt.NDArray[np.uint32]],
    width: float,
    reach: int,
) -> tuple[Ints, Ints, npt.NDArray[np.uint32]]:
    """Rows, columns and new grain ids of the pixels that belong to the tips at these points."""
    rows, columns, ids = points
    near = np.arange(1 - reach, reach + 1)
    place = (near - 0.5) + 1j * (near[:, None] - 0.5)
    window = (rows[:, None] + near)[:, :, None], (columns[:, None] + near)[:, None, :]
    owner, drawn = grains[window], boundary[window]
    between = _lines_between(owner, place, ids, width)
    found = []
    for tip, one, other in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
        first, second = between[tip, one], between[tip, other]
        end, hidden, good = _ends(first, second, width)
        wedge, apart = _between_rays(place, end, first, second)
        # Most visible pixels between the two lines must belong to the grain whose tip it is.
        seen = wedge & ~drawn
        own = np.count_nonzero(seen & (owner == ids[:, tip, None, None]), axis=(1, 2))
        good &= 2 * own > np.count_nonzero(seen, axis=(1, 2))
        beside = (owner == ids[:, one, None, None]) | (owner == ids[:, other, None, None])
        close = apart <= (hidden + width)[:, None, None]
        which, y, x = np.nonzero(wedge & close & drawn & beside & good[:, None, None])
        found.append((rows[which] + near[y], columns[which] + near[x], ids[which, tip]))
    y, x, new = (np.concatenate(part) for part in zip(*found, strict=True))
    return y, x, new


def _ends(first: _Lines, second: _Lines, width: float) -> tuple[_Points, Floats, BoolMask]:
    """Where two lines meet, how far beyond the meeting point of the fill, and whether that is plausible."""
    sine, cosine = _cross(first.along, second.along), _dot(first.along, second.along)
    good = first.good & second.good & (np.abs(sine) > _SMALLEST_SINE)
    good &= cosine > math.cos(math.radians(_LARGEST_TIP_DEG))
    sine = np.where(good, sine, 1.0)
    end = first.middle + first.along * _cross(second.middle - first.middle, second.along) / sine
    inward = first.along + second.along
    inward = np.where(good, inward / np.maximum(np.abs(inward), 1e-9), 1.0)
    hidden = -_dot(end, inward)
    good &= (hidden > 0) & (hidden < _LONGEST_TIP * width)
    good &= np.abs(_cross(end, inward)) < 1 + hidden / 2
    return end, hidden, good


def _between_rays(place: _Points, end: _Points, first: _Lines, second: _Lines) -> tuple[BoolMask, Floats]:
    """(N, h, w): whether a pixel lies between the two lines, and its distance from their crossing."""
    apart = place - end[:, None, None]
    one, other = first.along[:, None, None], second.along[:, None, None]
    turn = np.sign(_cross(first.along, second.along))[:, None, None]
    return (_cross(apart, other) * turn >= 0) & (_cross(one, apart) * turn >= 0), np.abs(apart)


def _lines_between(
    owner: npt.NDArray[np.uint32], place: _Points, ids: npt.NDArray[np.uint32], width: float
) -> dict[tuple[int, int], _Lines]:
    """Total least squares lines through the middles of the pixel sides between each two of three grains."""
    count = owner.shape[0]
    sides = [(np.s_[:, :, :-1], np.s_[:, :, 1:]), (np.s_[:, :-1], np.s_[:, 1:])]
    middle = np.concatenate([((place[None][a] + place[None][b]) / 2).ravel() for a, b in sides])
    used = (np.abs(middle) >= width) & (np.abs(middle) <= width + _SPAN_PX)
    middle = middle[used]
    first, second = (
        np.concatenate([owner[side[k]].reshape(count, -1) for side in sides], axis=1)[:, used] for k in (0, 1)
    )
    found: dict[tuple[int, int], _Lines] = {}
    for one, other in permutations(range(3), 2):
        if one > other:
            found[one, other] = found[other, one]
            continue
        a, b = ids[:, one, None], ids[:, other, None]
        on = (((first == a) & (second == b)) | ((first == b) & (second == a))).astype(np.float64)
        points = np.maximum(on.sum(axis=1), 1)
        mean = on @ middle / points
        spread = on @ np.abs(middle) ** 2 / points - np.abs(mean) ** 2
        turned = on @ middle**2 / points - mean**2  # its angle is twice that of the line
        along = np.exp(0.5j * np.angle(turned))
        along = np.where(_dot(mean, along) < 0, -along, along)
        # Points spread evenly over a length L have the variance L²/12 along the line; across it, the steps of
        # a straight line of pixels have less than 1/2.
        length = np.sqrt(6 * (spread + np.abs(turned)))
        thick = (spread - np.abs(turned)) / 2
        found[one, other] = _Lines(mean, along, (on.sum(axis=1) >= 3) & (length >= 1.5) & (thick < 0.6))
    return found


def _claim(grains: npt.NDArray[np.uint32], rows: Ints, columns: Ints, ids: npt.NDArray[np.uint32]) -> None:
    """Give pixels to grains in place, from the grain outwards, without cutting the grain that loses them.

    A pixel changes if it touches its new grain, and if those of its four neighbours that lie in its old grain
    stay connected around it. Pixels of one parity of row and column change at a time, so that no two
    neighbours change at once.
    """
    while rows.size:
        moved = np.zeros(rows.size, np.bool_)
        for parity in range(4):
            turn = np.flatnonzero(~moved & ((rows % 2) * 2 + columns % 2 == parity))
            y, x, new = rows[turn], columns[turn], ids[turn]
            ring = [grains[y + dy, x + dx] for dy, dx in _RING]
            old = grains[y, x]
            within = [each == old for each in ring]
            sides = sum(within[k].astype(np.int8) for k in (0, 2, 4, 6))
            joined = sum(
                (within[k] & within[k + 1] & within[(k + 2) % 8]).astype(np.int8) for k in (0, 2, 4, 6)
            )
            touches = (ring[0] == new) | (ring[2] == new) | (ring[4] == new) | (ring[6] == new)
            goes = touches & (old != new) & (sides >= 1) & (sides - joined <= 1)
            grains[y[goes], x[goes]] = new[goes]
            moved[turn[goes]] = True
        if not moved.any():
            return
        rows, columns, ids = rows[~moved], columns[~moved], ids[~moved]


_RING = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""Offsets (row, column) of the eight neighbours in order around a pixel; side neighbours at even indices."""


def _cross(first: _Points, second: _Points) -> Floats:
    return np.asarray((np.conj(first) * second).imag)


def _dot(first: _Points, second: _Points) -> Floats:
    return np.asarray((np.conj(first) * second).real)
