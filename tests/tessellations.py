"""Tessellations whose truth comes from the geometry: cell areas and edges, never from pixels.

A power diagram is the projection of the lower hull of its discs lifted to z = |p|² - r² (Aurenhammer 1987,
SIAM J. Comput. 16:78); without radii it is a Voronoi diagram.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull, cKDTree

_BLOCK = 3
"""Edge of the blocks of pixels that `Tessellation.grain_map` looks at first."""


@dataclass(frozen=True)
class Tessellation:
    """Cells around points in a square of the given side, continued beyond it.

    points: (N, 2) x and y before stretching; radii (N,); edges (M, 2, 2) ends of the true boundary segments;
    centres (N, 2) and areas (N,) of the cells, nan where a cell is empty or not closed. Stretch multiplies x.
    """

    points: np.ndarray
    radii: np.ndarray
    edges: np.ndarray
    centres: np.ndarray
    areas: np.ndarray
    stretch: float
    side: float

    def grain_map(self, corner, shape, step=(1.0, 1.0), turned_deg=0.0):
        """(H, W) labels of the pixel centres of a field, row 0 at the corner's y; turned about the corner."""
        lift = np.sqrt(np.maximum(self.radii.max() ** 2 - self.radii**2, 0))
        tree = cKDTree(np.column_stack([self.points, lift]))
        turn = np.deg2rad(turned_deg)

        def cells(rows, columns):
            y, x = (rows + 0.5) * step[0], (columns + 0.5) * step[1]
            x, y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
            at = np.stack([(x + corner[0]) / self.stretch, y + corner[1], np.zeros(x.shape)], axis=-1)
            return (tree.query(at)[1] + 1).astype(np.uint32)

        # Cells are convex: a block of pixels lies in the cell that all its corners lie in, and is not asked.
        ends = [np.append(np.arange(0, length, _BLOCK), length - 1) for length in shape]
        corners = cells(*np.meshgrid(*ends, indexing="ij"))
        first = corners[:-1, :-1]
        alike = (corners[1:, :-1] == first) & (corners[:-1, 1:] == first) & (corners[1:, 1:] == first)
        block = np.ix_(
            *(np.minimum(np.arange(length) // _BLOCK, -(-length // _BLOCK) - 1) for length in shape)
        )
        grains = first[block]
        others = np.nonzero(~alike[block])
        grains[others] = cells(*others)
        return grains

    def boundary(self, corner, size):
        """Edges clipped to the rectangle (width, height) at the corner: (K, 2, 2)."""
        low = np.array(corner, float)
        return _clipped(self.edges, low, low + size)

    def mean_intercept(self, corner, size):
        """π·A / (2·L) of the rectangle (Smith and Guttman 1953, J. Metals 5:81)."""
        segments = self.boundary(corner, size)
        length = np.hypot(*(segments[:, 1] - segments[:, 0]).T).sum()
        return np.pi * size[0] * size[1] / (2 * length)

    def directional_intercept(self, corner, size, degrees):
        """A over the boundary's length projected on the normal of lines at an angle to the row."""
        segments = self.boundary(corner, size)
        normal = np.array([np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])  # y points down
        return size[0] * size[1] / np.abs((segments[:, 1] - segments[:, 0]) @ normal).sum()

    def areas_in(self, corner, size):
        """True areas of the cells whose centre lies in the rectangle."""
        inside = ((self.centres >= corner) & (self.centres < np.add(corner, size))).all(axis=1)
        return self.areas[inside]


def tessellation(points, radii, side, stretch=1.0):
    """The power diagram of discs, x multiplied by the stretch."""
    lifted = np.column_stack([points, (points**2).sum(axis=1) - radii**2])
    hull = ConvexHull(lifted)
    lower = hull.equations[:, 2] < -1e-12
    normal = hull.equations[:, :3]
    with np.errstate(divide="ignore", invalid="ignore"):
        vertices = -normal[:, :2] / normal[:, 2:] / 2
    ends, sites = _edges(hull, lower)
    edges = vertices[ends]
    centres, areas = _cells(len(points), edges, sites)
    scale = np.array([stretch, 1.0])
    return Tessellation(points, radii, edges * scale, centres * scale, areas * stretch, stretch, side)


def poisson_voronoi(rng, side, mean_area, stretch=1.0):
    margin = 4 * np.sqrt(mean_area)
    width = side / stretch + 2 * margin
    height = side + 2 * margin
    count = rng.poisson(width * height / (mean_area / stretch))
    points = rng.random((count, 2)) * [width, height] - margin
    return tessellation(points, np.zeros(count), side, stretch)


def relaxed_voronoi(rng, side, mean_area, steps=4):
    """Each point moved to the middle of its cell a few times: more even cells (Lloyd 1982)."""
    margin = 4 * np.sqrt(mean_area)
    extent = side + 2 * margin
    points = rng.random((int(extent**2 / mean_area), 2)) * extent - margin
    for _ in range(steps):
        centres = tessellation(points, np.zeros(len(points)), side).centres
        kept = np.isfinite(centres) & (centres > -margin) & (centres < side + margin)
        points = np.where(kept.all(axis=1, keepdims=True), centres, points)
    return tessellation(points, np.zeros(len(points)), side)


def hexagons(side, mean_area, angle_deg=0.0):
    spacing = np.sqrt(2 * mean_area / np.sqrt(3))
    reach = int(1.5 * side / spacing) + 8
    i, j = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    points = np.stack([i + j / 2, j * np.sqrt(3) / 2], axis=-1).reshape(-1, 2) * spacing
    angle = np.deg2rad(angle_deg)
    points = points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + side / 2
    near = (np.abs(points - side / 2) < side / 2 + 6 * spacing).all(axis=1)
    return tessellation(points[near], np.zeros(near.sum()), side)


def laguerre(rng, side, mean_area, sigma_ln=0.35, stretch=1.0):
    """Discs of log-normal radii placed at random, large ones kept apart by the diagram itself."""
    radii = np.exp(sigma_ln * rng.standard_normal(_enough(side, mean_area, stretch)))
    return _discs(rng, radii, side, mean_area, stretch)


def bimodal(rng, side, mean_area, ratio=3.0, share=0.1):
    """A share of the discs is larger by a ratio."""
    count = _enough(side, mean_area, 1.0)
    radii = np.exp(0.2 * rng.standard_normal(count)) * np.where(rng.random(count) < share, ratio, 1.0)
    return _discs(rng, radii, side, mean_area, 1.0)


def _enough(side, mean_area, stretch):
    margin = 6 * np.sqrt(mean_area)
    return int((side / stretch + 2 * margin) * (side + 2 * margin) / (mean_area / stretch))


def _discs(rng, radii, side, mean_area, stretch):
    margin = 6 * np.sqrt(mean_area)
    extent = np.array([side / stretch + 2 * margin, side + 2 * margin])
    radii = radii * np.sqrt(extent.prod() / (np.pi * (radii**2).sum()))
    points = rng.random((len(radii), 2)) * extent - margin
    return tessellation(points, radii, side, stretch)


def _edges(hull, lower):
    """Pairs of facets that share a ridge of the lower hull, and the two discs of each ridge."""
    facets = np.repeat(np.arange(len(hull.simplices)), 3)
    opposite = hull.neighbors.ravel()
    others = np.stack(
        [hull.simplices[:, [1, 2]], hull.simplices[:, [0, 2]], hull.simplices[:, [0, 1]]], axis=1
    )
    kept = (facets < opposite) & lower[facets] & lower[opposite]
    return np.stack([facets[kept], opposite[kept]], axis=1), others.reshape(-1, 2)[kept]


def _cells(count, edges, sites):
    """Centroid and area of each cell as a fan of triangles from the mean of its edges' ends."""
    owner = sites.T.ravel()
    both = np.concatenate([edges, edges])
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.stack([np.bincount(owner, both[:, :, k].mean(axis=1), count) for k in (0, 1)], axis=1)
        middle /= np.bincount(owner, minlength=count)[:, None]
        a, b = both[:, 0] - middle[owner], both[:, 1] - middle[owner]
        triangle = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
        areas = np.bincount(owner, triangle, count)
        third = (a + b) / 3 * triangle[:, None]
        centroid = np.stack([np.bincount(owner, third[:, k], count) for k in (0, 1)], axis=1) / areas[:, None]
    areas[areas == 0] = np.nan
    return middle + centroid, areas


def _clipped(segments, low, high):
    """Parts of segments inside a box (Liang and Barsky 1984, ACM Trans. Graph. 3:1)."""
    start, along = segments[:, 0], segments[:, 1] - segments[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.stack([(low - start) / along, (high - start) / along])
    enter = np.fmax(t.min(axis=0).max(axis=1), 0)
    leave = np.fmin(t.max(axis=0).min(axis=1), 1)
    kept = enter < leave
    first, last = (start + along * at[:, None] for at in (enter, leave))
    return np.stack([first, last], axis=1)[kept]
