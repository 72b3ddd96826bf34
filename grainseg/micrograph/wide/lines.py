"""`boundary_lines` many times as fast, and grain maps that their drawn lines show exactly."""

import cv2
import numpy as np
import numpy.typing as npt
from skimage import measure

from grainseg.micrograph.image import BOUNDARY, GRAIN, Label
from grainseg.micrograph.polycrystal import GrainMap

_Mask = npt.NDArray[np.bool_]

_ROUNDS = 4


def fast_boundary_lines(grains: GrainMap, width_px: int = 3) -> Label:
    """Draw the boundaries just as `boundary_lines` does, with whole-array steps instead of lists of edges.

    Args:
        grains: (H, W) int32 grain numbers from 0 up; differing 4-neighbours are a boundary.
        width_px: Width of the lines in px, at least 1.

    Returns:
        (H, W) uint8 codes, GRAIN or BOUNDARY, equal to those of `boundary_lines`.
    """
    lines = np.full(grains.shape, GRAIN, np.uint8)
    draw_between_columns(lines, grains, _favoured(grains), width_px)
    draw_between_columns(lines.T, grains.T, _favoured(grains.T), width_px)
    paint_specks(lines, grains, width_px)
    return lines


def favoured_by_number(left: GrainMap, right: GrainMap) -> GrainMap:
    """Of two neighbours the lower number if that is even, else the higher: `boundary_lines` says why."""
    lower = np.minimum(left, right)
    return np.where(lower % 2 == 0, lower, np.maximum(left, right))


def draw_between_columns(lines: Label, grains: GrainMap, favoured: GrainMap, width_px: int) -> None:
    """Draw the part of the lines that pixel edges between columns x and x + 1 give, in place.

    Args:
        lines: (H, W) uint8 codes.
        grains: (H, W) numbers from 0 up.
        favoured: (H, W - 1), which of the two grains beside an edge gets the pixels exactly half a width
            away; -1 where no line is drawn.
        width_px: Width of the lines in px.
    """
    edge = favoured >= 0
    reach = width_px // 2 + 1
    for down in range(-reach, reach + 1):
        for across in range(-reach, reach + 1):
            excess = (2 * down) ** 2 + (2 * across - 1) ** 2 - width_px**2
            if excess > 0:
                continue
            to_y, from_y = _shifted(grains.shape[0], grains.shape[0], down)
            to_x, from_x = _shifted(grains.shape[1], grains.shape[1] - 1, across)
            drawn = edge[from_y, from_x]
            if excess == 0:
                drawn = grains[to_y, to_x] == favoured[from_y, from_x]
            lines[to_y, to_x] |= drawn


def paint_specks(lines: Label, grains: GrainMap, width_px: int) -> None:
    """Give to the lines every piece of a grain, but its largest, that is smaller than the width squared.

    Args:
        lines: (H, W) uint8 codes, changed in place. No 4-connected piece of GRAIN reaches into two grains.
        grains: (H, W) numbers from 0 up.
        width_px: Width of the lines in px.
    """
    pieces, owner, size = _pieces(lines, grains)
    largest = np.zeros(int(grains.max()) + 1, np.int64)
    np.maximum.at(largest, owner[1:], size[1:])
    speck = (size < width_px**2) & (size < largest[owner])
    speck[0] = False
    if speck.any():
        lines[speck[pieces]] = BOUNDARY


def _favoured(grains: GrainMap) -> GrainMap:
    left, right = grains[:, :-1], grains[:, 1:]
    return np.where(left != right, favoured_by_number(left, right), np.int32(-1))


def _shifted(length: int, source: int, shift: int) -> tuple[slice, slice]:
    """Where positions 0..source-1 land in 0..length-1 after a shift: the places, and which positions."""
    first, last = max(0, shift), max(0, min(length, source + shift))
    return slice(first, max(first, last)), slice(first - shift, max(first, last) - shift)


def _pieces(
    lines: Label, grains: GrainMap
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """4-connected pieces of GRAIN: their map (0 elsewhere), and by piece its grain and its size in px."""
    count, pieces, statistics, _ = cv2.connectedComponentsWithStats(
        (lines == GRAIN).view(np.uint8), connectivity=4, ltype=cv2.CV_32S
    )
    owner = np.zeros(count, np.int32)
    owner[pieces.ravel()] = grains.ravel()  # any pixel of a piece tells its grain
    return pieces, owner, statistics[:, cv2.CC_STAT_AREA]


def grains_that_show(cells: GrainMap, width_px: int, smallest_px2: int) -> GrainMap:
    """Make every grain one piece that its drawn lines leave visible.

    What the lines swallow, or leave smaller than the least area, goes to the nearest grain; what they cut
    in two becomes two grains. After a few rounds a handful of specks may still differ.

    Args:
        cells: (H, W) int32 numbers; a cell may be in pieces, which become grains of their own.
        width_px: Width of the lines that are going to be drawn.
        smallest_px2: Least area, in px², of what is left of a grain between its lines.

    Returns:
        (H, W) int32 grain numbers 1..N.
    """
    grains = _pieces_of_cells(cells)
    for _ in range(_ROUNDS):
        pieces, owner, size = _pieces(fast_boundary_lines(grains, width_px), grains)
        shows = size >= smallest_px2
        shows[0] = False
        if not shows.any():
            return np.ones_like(grains)
        pieces_of = np.bincount(owner[shows], minlength=int(grains.max()) + 1)
        piece_of = np.zeros(pieces_of.size, np.int32)
        piece_of[owner[shows]] = np.flatnonzero(shows)
        if (pieces_of[1:] == 1).all():
            break
        # A grain with one piece keeps its sides as they are; the others grow back from their pieces.
        kept = np.where(pieces_of == 1, piece_of, 0)[grains]
        kept = np.where(kept == 0, np.where(shows[pieces], pieces, 0), kept)
        grains = _pieces_of_cells(nearest_number(kept))
    return grains


def _pieces_of_cells(cells: GrainMap) -> GrainMap:
    """Number the 4-connected pieces of equal numbers, from 1 up."""
    pieces: GrainMap = measure.label(cells, background=-1, connectivity=1).astype(np.int32)  # type: ignore[no-untyped-call]
    return pieces


def crack_pixels(grains: GrainMap) -> _Mask:
    """(H, W) bool: the pixels above or left of a crack."""
    cracks = np.zeros(grains.shape, np.bool_)
    cracks[:, :-1] = grains[:, :-1] != grains[:, 1:]
    cracks[:-1] |= grains[:-1] != grains[1:]
    return cracks


def without_slivers(cells: GrainMap, reach_px: float) -> GrainMap:
    """Round the cells: all that is nearer to their sides is grown back from what is left of them.

    Sharp tips and slivers, which surface tension forbids, go to the cells beside them.

    Args:
        cells: (H, W) int32 numbers from 1 up.
        reach_px: Half the width of the narrowest part that stays.

    Returns:
        (H, W) int32, the same numbers less those of cells that are narrow everywhere.
    """
    away = cv2.distanceTransform((~crack_pixels(cells)).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return nearest_number(np.where(away > reach_px, cells, 0).astype(np.int32))


def pieces_between(lines: Label, smallest_px2: int) -> GrainMap:
    """Grains from a drawn label: its pieces, grown to the middle of the lines.

    Args:
        lines: (H, W) uint8 codes; pieces smaller than the least area become lines, in place.
        smallest_px2: Least area in px².

    Returns:
        (H, W) int32 numbers 1..N; 0 everywhere where there is no piece.
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
    """Give each pixel that has the number 0 the number of the nearest pixel that has another."""
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
