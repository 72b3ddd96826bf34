"""Draw label lines at a set width, from sources without a width: cracks between grains, and thin drawings."""

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.drawing import GrainMap, draw_between_columns, paint_specks, preferred_neighbour
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, BoolMask, FloatImage, Label
from grainseg.micrograph.morphology import near, skeleton

_SEGMENTS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1))
"""Parts of a thin line: a single pixel, and the segments to its right, lower, lower right and lower left
neighbour, as rows and columns from one end to the other."""

_SHIFT_PX = (0.25, 1 / 64)
"""Shift of a redrawn line against the drawn one, in px: rows down, columns right.

The shift gives each line the width nearest to the wanted one. Rows of pixels parallel to a line lie one step
apart: 1 px for horizontal lines, √½ px for diagonal lines in either direction. A line whose middle lies a
quarter of a step from a row of pixels covers the whole number of rows nearest to its width in steps. A shift
of 0.25 px down is a quarter of a step for horizontal lines; across diagonal lines it is 0.25 · √½ px, also a
quarter of a step. Vertical lines have the exact width as soon as no pixel centre lies exactly on their edge,
for which 1/64 px to the right is enough.
"""


def redrawn_lines(drawing: BoolMask, width_px: int) -> BoolMask:
    """Redraw thin lines at another width.

    The drawing is thinned to 1 px. A pixel belongs to a line if it is nearer than half the width to the chain
    of the thinned pixels' centres. An odd width is centred on horizontal and vertical lines; an even width
    has its extra pixel below or to the right. Along rows and columns the width is exact. Along diagonals it
    is the nearest that the raster has (whole multiples of √½ px, so within 0.4 px). Networks that run in all
    directions come out up to 11 % too wide (3 px: 6 %) for widths up to 6 px, as `line_width_px` measures
    them.

    Args:
        drawing: (H, W) bool, true on lines of about 1 px. Lines may have open ends.
        width_px: Width in px, at least 1.

    Returns:
        (H, W) bool, true on the lines.
    """
    line = skeleton(drawing)
    height, width = line.shape
    around = np.pad(line, 1)
    drawn = np.zeros(line.shape, np.uint8)
    for down, right in _SEGMENTS:
        other_end = around[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        segments = (line & other_end).view(np.uint8)
        drawn |= np.asarray(cv2.dilate(segments, _brush(down, right, width_px)), np.uint8)
    return drawn.view(np.bool_)


def _brush(down: int, right: int, width_px: int) -> npt.NDArray[np.uint8]:
    """Kernel for cv2.dilate: the pixels covered by a segment that starts at its centre, turned by 180°."""
    reach = width_px // 2 + 2
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float64)
    rows, columns = rows - _SHIFT_PX[0], columns - _SHIFT_PX[1]
    along = np.clip((rows * down + columns * right) / max(down**2 + right**2, 1), 0, 1)
    covered = np.hypot(rows - along * down, columns - along * right) < width_px / 2
    return np.ascontiguousarray(covered[::-1, ::-1]).view(np.uint8)


def crack_lines(
    grains: GrainMap,
    width_px: int,
    ignored: BoolMask,
    depth: FloatImage,
) -> Label:
    """Draw lines on the cracks between grains, as `boundary_lines` does, where both sides are known.

    Cracks run between pixels, so an even width is centred on them. An odd width has one pixel more on one
    side. Where the map had a line of its own, this is the side on which that line's middle lay, so that the
    drawn line has the same middle. Elsewhere the grains' numbers decide, so that the side varies and the
    lines as a whole are not shifted. Along rows and columns the width is exact, along diagonals within 0.6 px
    (2 px become 1.4, the nearest that an even number of pixel rows gets). Networks that run in all directions
    come out within 14 % (3 px: 6 % too wide) for widths up to 6 px, as `line_width_px` measures them.

    Where a grain meets ignored pixels, it is unknown whether a boundary runs there. The pixels that such a
    line could cover are ignored, too, unless a known line covers them.

    Args:
        grains: (H, W) int32 numbers from 0 up, without gaps.
        width_px: Width in px, at least 1.
        ignored: (H, W) bool, true on pixels that were not judged.
        depth: (H, W) float, how deep a pixel lies within a line of the map's own; 0 outside such lines.

    Returns:
        (H, W) uint8 codes.
    """
    lines = np.full(grains.shape, GRAIN, np.uint8)
    draw_between_columns(lines, grains, _favoured(grains, ignored, depth), width_px)
    draw_between_columns(lines.T, grains.T, _favoured(grains.T, ignored.T, depth.T), width_px)
    lines[ignored] = IGNORE
    known = lines == BOUNDARY
    paint_specks(lines, grains, width_px)
    if ignored.any():
        lines[within_reach(ignored, width_px) & ~known] = IGNORE
    return lines


def within_reach(ignored: BoolMask, width_px: int) -> BoolMask:
    """Find the pixels that a line could cover whose middle lies among ignored pixels or on their edge.

    Args:
        ignored: (H, W) bool, at least one true.
        width_px: Width of the lines in px.

    Returns:
        (H, W) bool, the ignored pixels included.
    """
    return near(ignored, (width_px + 1) / 2)


def _favoured(grains: GrainMap, ignored: BoolMask, depth: FloatImage) -> GrainMap:
    """(H, W - 1), the grain that gets the odd pixel of the line between columns x and x + 1; -1: no line."""
    left, right = grains[:, :-1], grains[:, 1:]
    favoured = preferred_neighbour(left, right)
    favoured = np.where(depth[:, :-1] > depth[:, 1:], left, favoured)
    favoured = np.where(depth[:, :-1] < depth[:, 1:], right, favoured)
    edge = (left != right) & ~(ignored[:, :-1] | ignored[:, 1:])
    return np.where(edge, favoured, np.int32(-1))
