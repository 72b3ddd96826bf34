"""Lines of a label at a declared width, from what has no width of its own: cracks and thin drawings."""

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.drawing import GrainMap, draw_between_columns, favoured_by_number, paint_specks
from grainseg.micrograph.image import BOUNDARY, GRAIN, IGNORE, BoolMask, FloatImage, Label
from grainseg.micrograph.morphology import near, skeleton

_SEGMENTS = ((0, 0), (0, 1), (1, 0), (1, 1), (1, -1))
"""A pixel of a thin line alone, and with each neighbour: rows and columns from one end to the other."""

_SHIFT_PX = (0.25, 1 / 64)
"""Rows and columns by which a redrawn line lies off the drawn one.

A band of length L across a row of points one step apart, whose middle lies a quarter of a step from a point,
holds the whole number of points nearest to L. Horizontal lines have steps of 1 px, diagonal ones of √½ px,
whichever way they go: a quarter of a px downwards is a quarter of a step to the first and (as half a step
changes nothing) to the others. Vertical lines have whole widths as soon as no tie is left.
"""


def redrawn_lines(drawing: BoolMask, width_px: int) -> BoolMask:
    """Draw thin lines anew at another width.

    The drawing is thinned to 1 px; a pixel is line if it is nearer than half the width to the chain of the
    thinned pixels' centres. An odd width lies evenly about horizontal and vertical lines, an even one has its
    extra pixel below or to the right. Along rows and columns the width is exact, along diagonals the nearest
    that the raster has (whole multiples of √½ px, so within 0.4 px), and networks that run in all directions
    come out up to 11 % too wide (3 px: 6 %) up to 6 px, as `line_width_px` measures them.

    Args:
        drawing: (H, W), true on lines of about 1 px. They may end openly.
        width_px: Width in px, at least 1.

    Returns:
        (H, W), true on the lines.
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
    """Pixels that a segment from the middle of a square makes line, turned about as cv2.dilate takes them."""
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

    Cracks run between pixels, so an even width lies evenly about them. An odd one has one pixel more on one
    side: where the map had a line of its own, on the side on which that line's middle lay, so that the drawn
    line has the same middle; else by the grains' numbers, now this way and now that, so that the lines as a
    whole are not shifted. Along rows and columns the width is exact, along diagonals within 0.6 px (2 px
    become 1.4, which is as near as an even number of rows of pixels gets), and networks that run in all
    directions come out within 14 % (3 px: 6 % too wide) up to 6 px, as `line_width_px` measures them.

    Where a grain meets ignored pixels nobody knows whether its boundary runs there: what such a line could
    cover is ignored, too, unless a known one covers it.

    Args:
        grains: (H, W) int32 numbers from 0 up, without gaps.
        width_px: Width in px, at least 1.
        ignored: (H, W), true where nobody judged.
        depth: (H, W) float, how deep in a line of its own the map had a pixel; 0 where it had none.

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
    """Where a line may lie whose middle lies among ignored pixels or on their edge.

    Args:
        ignored: (H, W), some of them true.
        width_px: Width of the lines in px.

    Returns:
        (H, W), the ignored pixels included.
    """
    return near(ignored, (width_px + 1) / 2)


def _favoured(grains: GrainMap, ignored: BoolMask, depth: FloatImage) -> GrainMap:
    """(H, W - 1), which grain gets the odd pixel of the line between columns x and x + 1; -1: no line."""
    left, right = grains[:, :-1], grains[:, 1:]
    favoured = favoured_by_number(left, right)
    favoured = np.where(depth[:, :-1] > depth[:, 1:], left, favoured)
    favoured = np.where(depth[:, :-1] < depth[:, 1:], right, favoured)
    edge = (left != right) & ~(ignored[:, :-1] | ignored[:, 1:])
    return np.where(edge, favoured, np.int32(-1))
