"""Fast Laguerre tessellations with curved, lobed, elongated or ragged cells, in floating point."""

import math

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from grainseg.micrograph.drawing import GrainMap
from grainseg.micrograph.wide.draw import Drawn
from grainseg.micrograph.wide.noise import as_float32, fractal_noise, smooth_noise

_Floats = npt.NDArray[np.float32]

_CANDIDATES = 10  # discs that compete for the pixels of one block
_LOBES = np.array([0.8, 0.65, 0.65], np.float32)  # relative radii of a grain's discs, as in `polycrystal`
_FINEST_PX = 6.0  # smallest mean diameter of the fine population


def cells(drawn: Drawn, shape: tuple[int, int], rng: np.random.Generator) -> GrainMap:
    """Fill a field with cells.

    A Laguerre tessellation (power diagram; F. Aurenhammer, SIAM J. Comput. 16 (1987) 78-96) of discs, three
    per cell. The pixels look it up at displaced positions, which makes the sides curved or ragged. The discs
    that can own a pixel are found with a k-d tree: with one more coordinate √(R² - r²) per disc, the power
    distance becomes the Euclidean one.

    Args:
        drawn: Topology and its properties.
        shape: Height and width in px.
        rng: Random generator.

    Returns:
        (H, W) int32 cell numbers from 1 up, with gaps; a cell may be in pieces.
    """
    points = _displaced_pixels(drawn, shape, rng)
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    centres, radii = _discs(drawn, low, high, rng)
    offsets = rng.uniform(-0.85, 0.85, (radii.size, 3, 2)).astype(np.float32) * np.float32(drawn["lobing"])
    offsets[:, 0] = 0
    lobes = (centres[:, None] + offsets * radii[:, None, None]).reshape(-1, 2)
    # Well below the size of a grain.
    block = 8 if drawn.finest_px > 40 and drawn["ragged"] == 0 else 4
    nearest = _power_cells(points, lobes, (radii[:, None] * _LOBES).ravel(), block)
    return (nearest // 3 + 1).astype(np.int32)


def _displaced_pixels(drawn: Drawn, shape: tuple[int, int], rng: np.random.Generator) -> _Floats:
    """Displace the pixels: (H, W, 2) positions (x, y) in the diagram, in the frame of the elongation."""
    size = drawn["grain_px"]
    points = np.stack(np.meshgrid(*(np.arange(s, dtype=np.float32) for s in shape[::-1])), axis=-1)
    for axis in range(2):
        if drawn["curvature"] > 0:
            wave = 0.5 * drawn["curvature"] * size
            points[..., axis] += np.float32(wave) * smooth_noise(shape, 0.4 * size, rng)
            points[..., axis] += np.float32(0.2 * wave) * smooth_noise(shape, 0.15 * size, rng)
        if drawn["ragged"] > 0:
            tatter = drawn["ragged"] * min(size, 60.0)
            points[..., axis] += np.float32(tatter) * fractal_noise(shape, min(size, 60.0) / 6, 3, rng)
    angle = rng.uniform(0, math.pi)
    if drawn.topology != "elongated":
        return points
    stretch = math.sqrt(drawn["elongation"])
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return as_float32(points @ (np.diag([1 / stretch, stretch]) @ turn).T)


def _discs(drawn: Drawn, low: _Floats, high: _Floats, rng: np.random.Generator) -> tuple[_Floats, _Floats]:
    """Draw centres (N, 2) and radii (N,) of discs over a box and one grain size beyond each side."""
    coarse, sigma = drawn["grain_px"], drawn["sigma_ln"]
    fine = (
        max(coarse / drawn["duplex_ratio"], min(_FINEST_PX, coarse)) if drawn.topology == "duplex" else coarse
    )
    # The share of coarse discs by number that gives them their share of the area.
    odds = drawn["duplex_share"] / (1 - drawn["duplex_share"]) * (fine / coarse) ** 2
    coarse_share = odds / (1 + odds)
    # The mean area of a log-normal diameter of mean d is π/4·d²·exp(σ²).
    mean_square = coarse_share * coarse**2 + (1 - coarse_share) * fine**2
    span = high - low + 2 * coarse
    count = math.ceil(float(span.prod()) / (math.pi / 4 * mean_square * math.exp(sigma**2)))
    size = np.where(rng.random(count) < coarse_share, coarse, fine)
    radii = (size / 2 * np.exp(sigma * rng.standard_normal(count) - sigma**2 / 2)).astype(np.float32)
    centres = (low - coarse + rng.random((count, 2)) * span).astype(np.float32)
    return _relaxed(centres, radii, 0.4 * fine, drawn["relaxation"]), radii


def _relaxed(centres: _Floats, radii: _Floats, step_px: float, amount: float) -> _Floats:
    """Move each disc by a fraction of the way to the centroid of its cell (S. Lloyd's step)."""
    axes = (np.arange(a, b, step_px) for a, b in zip(centres.min(axis=0), centres.max(axis=0), strict=True))
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    if amount == 0 or points.size == 0:
        return centres
    owner = _lifted_tree(centres, radii).query(_at_height_zero(points))[1]
    area = np.bincount(owner, minlength=radii.size)
    moved = centres.copy()
    for axis in range(2):
        total = np.bincount(owner, points[:, axis], minlength=radii.size)
        centroid = np.where(area > 0, total / np.maximum(area, 1), centres[:, axis])
        moved[:, axis] += amount * (centroid - centres[:, axis])
    return moved


def _power_cells(points: _Floats, centres: _Floats, radii: _Floats, block: int) -> npt.NDArray[np.int64]:
    """Find the disc with the least power |p - c|² - r² at each point, among the likely ones of its block."""
    height, width = points.shape[:2]
    middles = points[min(block // 2, height - 1) :: block, min(block // 2, width - 1) :: block]
    count = min(_CANDIDATES, radii.size)
    able = _lifted_tree(centres, radii).query(
        _at_height_zero(middles.reshape(-1, 2)), k=[*range(1, count + 1)]
    )[1]
    able = able.reshape(*middles.shape[:2], count)
    rows = np.minimum(np.arange(height) // block, middles.shape[0] - 1)
    columns = np.minimum(np.arange(width) // block, middles.shape[1] - 1)
    least = np.full((height, width), np.inf, np.float32)
    nearest = np.zeros((height, width), np.int64)
    x, y = np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1])
    for candidate in range(count):
        disc = able[..., candidate]
        of_pixel = np.ix_(rows, columns)
        power = (x - centres[disc, 0][of_pixel]) ** 2 + (y - centres[disc, 1][of_pixel]) ** 2
        power -= (radii[disc] ** 2)[of_pixel]
        closer = power < least
        least[closer], nearest[closer] = power[closer], disc[of_pixel][closer]
    return nearest


def _lifted_tree(centres: _Floats, radii: _Floats) -> KDTree:
    """Build a tree of discs at height √(R² - r²): from height 0 the squared distance is power + R²."""
    squared = radii**2
    # Use the largest square: the square of the largest radius may be rounded differently, and be smaller.
    return KDTree(np.column_stack([centres, np.sqrt(squared.max() - squared)]))


def _at_height_zero(points: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.column_stack([points, np.zeros(len(points))])
