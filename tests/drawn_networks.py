"""Networks of boundaries: drawn whole, with gaps, and as a network would see them."""

from functools import cache

import cv2
import numpy as np

from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import BOUNDARY
from grainseg.micrograph.plain.polycrystal import polycrystal

SIDE = 448


@cache
def network(width, seed=0):
    grains = polycrystal(seed, (SIDE, SIDE), 36, 0.42, width)
    return grains, boundary_lines(grains, width) == BOUNDARY


def middles(grains, longer_px=0.0):
    """Of each pair of neighbours the crack nearest to the centre of gravity of their boundary."""
    points = {}
    for axis in (0, 1):
        here, there = (grains[:-1], grains[1:]) if axis == 0 else (grains[:, :-1], grains[:, 1:])
        for row, column in np.argwhere(here != there):
            pair = frozenset((int(here[row, column]), int(there[row, column])))
            points.setdefault(pair, []).append((row + (axis == 0) / 2, column + (axis == 1) / 2))
    arrays = [np.array(each) for each in points.values()]
    arrays = [each for each in arrays if np.hypot(*np.ptp(each, axis=0)) >= longer_px]
    return np.array([each[((each - each.mean(axis=0)) ** 2).sum(axis=1).argmin()] for each in arrays])


def with_gaps(grains, lines, share=0.05, gap_px=7, seed=0, longer_px=0.0):
    """Gaps in a share of the boundaries, all of them longer than so much."""
    count = round(share * len(middles(grains)))
    cut = np.random.default_rng(seed).permutation(middles(grains, longer_px))
    rows, columns = np.ogrid[: lines.shape[0], : lines.shape[1]]
    gapped = lines.copy()
    for row, column in cut[:count]:
        gapped &= (rows - row) ** 2 + (columns - column) ** 2 > (gap_px / 2) ** 2
    return gapped


def soft(lines, seed=0, noise=0.25):
    """What a network would make of lines: blurred, uncertain, not quite symmetric."""
    rng = np.random.default_rng(seed)
    noisy = lines + noise * rng.standard_normal(lines.shape, np.float32)
    return np.clip(cv2.GaussianBlur(noisy.astype(np.float32), (0, 0), 1.2), 0, 1)


def frame(side=60, at=30, width=3):
    """Four square grains."""
    mask = np.zeros((side, side), np.bool_)
    mask[at - width // 2 : at - width // 2 + width] = True
    mask[:, at - width // 2 : at - width // 2 + width] = True
    return mask


def blurred(lines, sigma_px):
    return cv2.GaussianBlur(lines.astype(np.float32), (0, 0), sigma_px)
