"""Grain maps whose grains all remain visible, in one piece, between the drawn boundary lines."""

import cv2
import numpy as np
from skimage import measure

from grainseg.micrograph.drawing import GrainMap, boundary_lines, crack_pixels, pieces_of_grains
from grainseg.micrograph.image import BOUNDARY, GRAIN, Label

_ROUNDS = 4


def visible_grains(cells: GrainMap, width_px: int, smallest_px2: int) -> GrainMap:
    """Make every grain one piece that stays visible between its drawn lines.

    A grain that the lines cover, or of which they leave less than ``smallest_px2``, goes to the nearest
    grain; a grain that they cut in two becomes two grains. After a few rounds some specks may still differ.

    Args:
        cells: (H, W) int32 numbers; a cell may be in pieces, which become grains of their own.
        width_px: Width in px of the lines that are going to be drawn.
        smallest_px2: Smallest area in px² that must be left of a grain between its lines.

    Returns:
        (H, W) int32 grain numbers 1..N.
    """
    grains = _pieces_of_cells(cells)
    for _ in range(_ROUNDS):
        pieces, owner, size = pieces_of_grains(boundary_lines(grains, width_px), grains)
        shows = size >= smallest_px2
        shows[0] = False
        if not shows.any():
            return np.ones_like(grains)
        pieces_of = np.bincount(owner[shows], minlength=int(grains.max()) + 1)
        piece_of = np.zeros(pieces_of.size, np.int32)
        piece_of[owner[shows]] = np.flatnonzero(shows)
        if (pieces_of[1:] == 1).all():
            break
        # A grain with one visible piece keeps its shape; the others grow back from their visible pieces.
        kept = np.where(pieces_of == 1, piece_of, 0)[grains]
        kept = np.where(kept == 0, np.where(shows[pieces], pieces, 0), kept)
        grains = _pieces_of_cells(nearest_number(kept))
    return grains


def _pieces_of_cells(cells: GrainMap) -> GrainMap:
    """Number the 4-connected pieces of equal numbers, from 1 up."""
    pieces: GrainMap = measure.label(cells, background=-1, connectivity=1).astype(np.int32)
    return pieces


def without_slivers(cells: GrainMap, reach_px: float) -> GrainMap:
    """Round the cells: remove all pixels within a distance of their sides and regrow the cells from the rest.

    Sharp tips and slivers, which surface tension forbids, go to the neighbouring cells.

    Args:
        cells: (H, W) int32 numbers from 1 up.
        reach_px: That distance in px: half the width of the narrowest part that stays.

    Returns:
        (H, W) int32, the same numbers without those of cells that are narrow everywhere.
    """
    away = cv2.distanceTransform((~crack_pixels(cells)).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return nearest_number(np.where(away > reach_px, cells, 0).astype(np.int32))


def pieces_between(lines: Label, smallest_px2: int) -> GrainMap:
    """Derive the grains of a drawn label: its pieces, grown to the middle of the lines.

    Args:
        lines: (H, W) uint8 codes; pieces smaller than ``smallest_px2`` become lines, in place.
        smallest_px2: Smallest area of a grain in px².

    Returns:
        (H, W) int32 numbers 1..N; 0 everywhere if there is no piece.
    """
    _, pieces, statistics, _ = cv2.connectedComponentsWithStats(
        (lines == GRAIN).view(np.uint8), connectivity=4
    )
    shows = statistics[:, cv2.CC_STAT_AREA] >= smallest_px2
    shows[0] = False
    lines[~shows[pieces]] = BOUNDARY
    number = np.where(shows, np.cumsum(shows), 0).astype(np.int32)
    return nearest_number(number[pieces])


def nearest_number(numbers: GrainMap) -> GrainMap:
    """Give each pixel with the number 0 the number of the nearest pixel with another number."""
    empty = (numbers == 0).view(np.uint8)
    if not empty.any() or empty.all():
        return numbers
    _, nearest = cv2.distanceTransformWithLabels(
        empty, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number_of = np.zeros(int(nearest.max()) + 1, np.int32)
    there = numbers != 0
    number_of[nearest[there]] = numbers[there]
    return number_of[nearest]
