"""Count open ends of a boundary map: the cheapest sign of missed boundaries, and it needs no label."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from grainseg.micrograph.image import BoolMask
from grainseg.micrograph.morphology import near, skeleton

_BIT_OF_NEIGHBOUR = np.array([[1, 2, 4], [128, 0, 8], [64, 32, 16]], np.float32)  # clockwise


def count_open_ends(boundary: BoolMask, line_width_px: float, left_out: BoolMask | None = None) -> int:
    """Count the ends of lines within the field. A closed network has none; each gap in it makes two.

    The thinned lines are shortened by the line width from every end. Short branches, which come from ragged
    edges of lines, vanish; longer dangling lines keep one end. Ends within two line widths of the field's
    border do not count, since those lines run out of the field; nor do ends that close to left-out pixels.

    Args:
        boundary: (H, W), true on boundaries.
        line_width_px: Mean width of the lines.
        left_out: (H, W), where ends do not count.
    """
    rounds = math.ceil(line_width_px)
    lines = skeleton(boundary).astype(np.uint8)
    for _ in range(rounds):
        ends = _ends(lines)
        if not ends.any():
            break
        lines[ends] = 0
    ends = _ends(lines)
    if left_out is not None:
        ends &= ~near(left_out, 2 * rounds)
    within = slice(2 * rounds, -2 * rounds or None)
    return int(np.count_nonzero(ends[within, within]))


def _ends(lines: npt.NDArray[np.uint8]) -> BoolMask:
    """Line pixels with at most one neighbour, or two that touch each other."""
    neighbours = cv2.filter2D(lines, -1, _BIT_OF_NEIGHBOUR, borderType=cv2.BORDER_CONSTANT)
    is_end = np.asarray(_IS_END[neighbours], np.bool_)
    is_end &= lines > 0
    return is_end


def _end_table() -> BoolMask:
    """(256,) for each code of the neighbours: whether there are at most two, in one run around the pixel."""
    table = np.zeros(256, np.bool_)
    for code in range(256):
        ring = [code >> bit & 1 for bit in range(8)]
        runs = sum(ring[bit] > ring[bit - 1] for bit in range(8))
        table[code] = sum(ring) <= 2 and runs <= 1
    return table


_IS_END = _end_table()
