"""Grain structures with known ground truth: a power diagram in integers, and its boundaries as drawn lines.

Everything here is computed in 64-bit integers on a grid of 1/64 px, from the raw output of PCG64 (which stays
the same in all versions of numpy) and, for the radii, with single IEEE operations. A seed therefore gives the
same grains, to the pixel, on every machine.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grainseg.micrograph.arrays import Ints
from grainseg.micrograph.drawing import GrainMap, boundary_lines, pieces_of_grains

_STEPS = 64  # grid steps per px
_TILE_PX = 32  # tiles small enough that few discs can own a pixel of one
_CANDIDATES = 5  # positions tried per disc: few enough to keep the arrangement irregular
_RELAX_PX = 2  # raster of the relaxation
_WARPS_PX = ((28, 10), (9, 2))  # (knot spacing, largest shift of a knot): curved sides, and slight waves


def polycrystal(
    seed: int, shape: tuple[int, int], mean_grain_px: float, sigma_ln: float, line_width_px: int
) -> GrainMap:
    """Fill a field with grains whose sizes are about log-normal.

    A Laguerre tessellation (power diagram; F. Aurenhammer, SIAM J. Comput. 16 (1987) 78-96) of discs with
    log-normal radii, placed the largest first and relaxed once. Each grain is the union of the cells of
    its disc and of two smaller ones beside it, which makes it lobed and oblong as real grains are. The
    pixels look up the diagram at smoothly displaced positions, which bends its straight sides.

    A grain that is not one piece once its boundary lines are drawn (too thin for the lines) is removed, and
    its area goes to its neighbours, so that the drawn label shows exactly the grains of the map.

    Args:
        seed: Not negative. The same seed gives the same map on every machine.
        shape: Height and width in px.
        mean_grain_px: Mean equivalent circle diameter of the discs in px; that of the whole grains is the
            same within 10 %.
        sigma_ln: Standard deviation of the logarithm of the discs' diameters, 0-0.6. That of the grains
            differs, since their shapes increase it and the loss of the smallest grains reduces it: 0.2, 0.3,
            0.42, 0.6 give 0.28, 0.36, 0.44, 0.51.
        line_width_px: Width of the lines that `boundary_lines` is going to draw.

    Returns:
        (H, W) grain numbers 1..N, in the order of the grains' first pixels, row by row.
    """
    draws = np.random.PCG64([seed, 0])
    points = _warped_pixels(draws, shape)
    centres, radii = _lobes(draws, *_discs(draws, shape, mean_grain_px, sigma_ln))
    while True:
        disc = _power_cells(points, centres.reshape(-1, 2), radii.ravel()) // radii.shape[1]
        grains, disc_of = _number(_join_fragments(disc + 1))
        broken = _not_one_piece(grains, line_width_px)
        if broken.size == 0:
            return grains
        # Remove only the smaller half at a time: their neighbours grow, and may then be wide enough.
        dropped = disc_of[broken[: math.ceil(broken.size / 2)] - 1] - 1
        centres, radii = np.delete(centres, dropped, axis=0), np.delete(radii, dropped, axis=0)


def _not_one_piece(grains: GrainMap, line_width_px: int) -> Ints:
    """List the grains that the drawn lines cover entirely or cut into pieces, the smallest first."""
    _, owner, _ = pieces_of_grains(boundary_lines(grains, line_width_px), grains)
    area = np.bincount(grains.ravel())
    broken = np.flatnonzero(np.bincount(owner[1:], minlength=area.size) != 1)[1:]  # [1:]: there is no grain 0
    return broken[np.argsort(area[broken], kind="stable")]


def _join_fragments(grains: GrainMap) -> GrainMap:
    """Give stray pixels of a grain's sharp tip to a neighbour, so that every grain is 4-connected."""
    joined = grains.copy()
    boxes = ndimage.find_objects(grains)
    for grain in np.unique(grains).tolist():
        box = boxes[grain - 1]
        pieces, count = ndimage.label(grains[box] == grain)
        if count > 1:
            size = np.bincount(pieces.ravel())
            size[0] = 0
            joined[box][(pieces > 0) & (pieces != size.argmax())] = 0
    while not joined.all():
        around = np.pad(joined, 1)
        for neighbour in (around[:-2, 1:-1], around[1:-1, :-2], around[1:-1, 2:], around[2:, 1:-1]):
            joined = np.where(joined == 0, neighbour, joined)
    return joined


def _number(discs: GrainMap) -> tuple[GrainMap, Ints]:
    """Number the grains 1..N in the order of their first pixels; also return the disc of each."""
    disc, first, inverse = np.unique(discs, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(disc.size, np.int32)
    number[order] = np.arange(1, disc.size + 1)
    return number[inverse].reshape(discs.shape), disc[order].astype(np.int64)


def _power_cells(points: Ints, centres: Ints, radii: Ints) -> GrainMap:
    """Find the disc with the least power |p - c|² - r² at each point; the lowest index if several have it.

    Args:
        points: (H, W, 2) positions in grid steps.
        centres: (N, 2) in grid steps.
        radii: (N,) in grid steps.

    Returns:
        (H, W) int32 indices of the discs.
    """
    cells = np.empty(points.shape[:2], np.int32)
    for y in range(0, points.shape[0], _TILE_PX):
        for x in range(0, points.shape[1], _TILE_PX):
            tile = points[y : y + _TILE_PX, x : x + _TILE_PX]
            low, high = tile.min(axis=(0, 1)), tile.max(axis=(0, 1))
            least = ((np.clip(centres, low, high) - centres) ** 2).sum(axis=1) - radii**2
            most = (np.maximum(abs(centres - low), abs(centres - high)) ** 2).sum(axis=1) - radii**2
            able = np.flatnonzero(least <= most.min())
            offset = tile[:, :, None, :] - centres[able]
            power = offset[..., 0] ** 2 + offset[..., 1] ** 2 - radii[able] ** 2
            cells[y : y + _TILE_PX, x : x + _TILE_PX] = able[power.argmin(axis=2)]
    return cells


def _discs(
    draws: np.random.PCG64, shape: tuple[int, int], mean_px: float, sigma_ln: float
) -> tuple[Ints, Ints]:
    """Draw centres (N, 2) and radii (N,) in grid steps, for the field and two grains beyond each side."""
    margin = math.ceil(2 * mean_px) * _STEPS
    spans = (shape[0] * _STEPS + 2 * margin, shape[1] * _STEPS + 2 * margin)
    # The mean area of a log-normal diameter d is π/4·<d>²·exp(σ²).
    mean_area = (
        math.pi / 4 * (mean_px * mean_px * _STEPS**2) * float(_exp(np.array([sigma_ln * sigma_ln]))[0])
    )
    count = math.ceil(spans[0] * spans[1] / mean_area)
    diameter_px = mean_px * _exp(sigma_ln * _normal(draws, count) - sigma_ln * sigma_ln / 2)
    radii = np.sort(np.rint(diameter_px * (_STEPS / 2)).astype(np.int64))[::-1]
    tried = np.stack([_below(draws, (count, _CANDIDATES), span) for span in spans], axis=-1)
    centres = _relaxed(_placed(tried, radii), radii, spans)
    return centres - margin, radii


def _placed(tried: Ints, radii: Ints) -> Ints:
    """Choose, for each disc, the candidate position at which it overlaps the discs placed before it least.

    With the largest disc placed first, cells keep about the area of their discs, and few of them vanish.

    Args:
        tried: (N, candidates, 2) positions in grid steps.
        radii: (N,) in grid steps, the largest first.
    """
    centres = tried[:, 0].copy()
    for number in range(1, radii.size):
        offset = tried[number][:, None, :] - centres[:number]
        reach = (radii[number] + radii[:number]) ** 2
        clearance = (offset[..., 0] ** 2 + offset[..., 1] ** 2 - reach).min(axis=1)
        centres[number] = tried[number, clearance.argmax()]
    return centres


def _relaxed(centres: Ints, radii: Ints, spans: tuple[int, int]) -> Ints:
    """Move each disc to the centroid of its cell once (S. Lloyd's step): fewer slivers between discs."""
    step = _RELAX_PX * _STEPS
    points = np.stack(np.meshgrid(*(np.arange(0, span, step) for span in spans), indexing="ij"), axis=-1)
    cells = _power_cells(points, centres, radii).ravel()
    area = np.bincount(cells, minlength=radii.size)
    moved = centres.copy()
    for axis in range(2):
        # Sums of integers below 2⁵³: exact, although bincount adds in float64.
        total = np.bincount(cells, points[..., axis].ravel(), minlength=radii.size).astype(np.int64)
        moved[:, axis] = np.where(area > 0, total // np.maximum(area, 1), centres[:, axis])
    return moved


def _lobes(draws: np.random.PCG64, centres: Ints, radii: Ints) -> tuple[Ints, Ints]:
    """Make three discs per grain: (N, 3, 2) centres, (N, 3) radii. Shares of the radius are chosen by eye."""
    offsets = [_below(draws, radii.shape, 2 * 1024 + 1) - 1024 for _ in range(4)]
    first, second = np.stack(offsets, axis=-1).reshape(-1, 2, 2).swapaxes(0, 1) * radii[:, None] * 85
    lobes = np.stack([centres, centres + first // (100 * 1024), centres + second // (100 * 1024)], axis=1)
    return lobes, np.stack([radii * 80, radii * 65, radii * 65], axis=1) // 100


def _warped_pixels(draws: np.random.PCG64, shape: tuple[int, int]) -> Ints:
    """Displace the pixels by uniform cubic B-splines: (H, W, 2) positions in grid steps in the diagram."""
    points = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).astype(np.int64) * _STEPS
    for spacing, largest_px in _WARPS_PX:
        rows, columns = (_spline_weights(side, spacing) for side in shape)
        largest = largest_px * _STEPS
        for axis in range(2):
            knots = _below(draws, (rows.shape[1], columns.shape[1]), 2 * largest + 1) - largest
            points[..., axis] += rows @ knots @ columns.T // (6 * spacing**3) ** 2
    return points


def _spline_weights(length: int, spacing: int) -> Ints:
    """Return (length, knots) cubic B-spline weights of the pixels, times 6·spacing³ to make them integers."""
    knot, t = np.divmod(np.arange(length, dtype=np.int64), spacing)
    s = spacing
    inner = 3 * t**3 - 6 * s * t**2 + 4 * s**3, -3 * t**3 + 3 * s * t**2 + 3 * s**2 * t + s**3
    basis = np.stack([(s - t) ** 3, *inner, t**3], axis=1)
    weights = np.zeros((length, int(knot[-1]) + 4), np.int64)
    np.put_along_axis(weights, knot[:, None] + np.arange(4), basis, axis=1)
    return weights


def _below(draws: np.random.PCG64, shape: tuple[int, ...], span: int) -> Ints:
    """Draw integers uniform in [0, span), span < 2³²."""
    words = draws.random_raw(math.prod(shape)) >> np.uint64(32)
    return (words * np.uint64(span) >> np.uint64(32)).astype(np.int64).reshape(shape)


def _normal(draws: np.random.PCG64, count: int) -> npt.NDArray[np.float64]:
    """Draw (count,) nearly standard normal values: the sum of twelve uniform numbers less six.

    The sum is exact in float64.
    """
    words = draws.random_raw(12 * count) >> np.uint64(32)
    total: npt.NDArray[np.uint64] = words.reshape(count, 12).sum(axis=1)
    return total.astype(np.float64) / 2**32 - 6


def _exp(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Compute exp(x) to 1e-5 for |x| < 4 as (1 + x/2²⁰)^(2²⁰).

    The last bit of a library's exp depends on the machine; this one does not.
    """
    power = 1 + x / 2**20
    for _ in range(20):
        power = power * power
    return power
