"""Check grain maps of another program or a person, and bring them to the form that is measured."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage import measure

from grainseg.errors import GrainsegError
from grainseg.grains.closing.basins import mean_width_px
from grainseg.grains.closing.tips import extend_tips
from grainseg.grains.measuring.enlargement import enlargement
from grainseg.micrograph.files import require_exact
from grainseg.micrograph.image import BoolMask

ZeroMeaning = Literal["boundary", "excluded"]


@dataclass(frozen=True)
class LabelMap:
    """A label map in the form that is measured.

    Attributes:
        grains: (H, W) uint32 grain ids, 0 only where excluded.
        line_width_px: Mean width of the lines of zeros that were filled; 0 where none were.
    """

    grains: npt.NDArray[np.uint32]
    line_width_px: float


_LARGEST_ID = np.iinfo(np.uint32).max

_LINE_SHARE = 0.25
"""Zeros further from the nearest grain than this share of the typical grain diameter are too broad for lines,
if they are also further than `_LINE_PX`."""

_LINE_PX = 8.0
"""Distance in px from the nearest grain up to which zeros are always narrow enough for lines; also the mean
width that the lines of a boundary mask stay below."""

_PIECES, _PIECES_PER_GRAIN = 100, 4
"""A map with more separate places than `_PIECES` + `_PIECES_PER_GRAIN` · (number of ids) is a picture; even a
map that a person has edited has fewer."""

_ENCLOSED = 3
"""Least number of places that the lines of a boundary mask enclose: a twin across a grain leaves only two."""


def read_label_map(values: npt.NDArray[Any], source: str, zero_is: ZeroMeaning = "boundary") -> LabelMap:
    """Check a label map and return its grains, without lines of zeros between them.

    Ids and gaps between them are kept, and no grain is split or joined. The caller decides what 0 means: many
    programs write the boundary itself as a line of zeros, while a map of `grainseg` has 0 only where there is
    no grain.

    Args:
        values: (H, W) numbers of the grains; whole numbers of any type.
        source: Name of the file or the argument, for error messages.
        zero_is: "boundary": zeros are lines between grains, and each zero goes to the nearest grain, so that
            grains reach to the middle of the line. "excluded": zeros are no grain and stay.

    Returns:
        The grains, and the mean width of the lines between them.

    Raises:
        GrainsegError: Not two-dimensional, not whole numbers, negative, without a grain, a mask of two values
            instead of a map, or zeros that are too broad for lines.
    """
    labels = _whole_numbers(values, source)
    if not labels.any():
        raise GrainsegError(f"{source}: holds no grain, every pixel is 0; number the grains from 1 on")
    _refuse_masks(labels, source)
    if zero_is == "excluded" or labels.all():
        return LabelMap(labels, 0.0)
    return _filled_at_native_step(labels, source)


def zeros_are_lines(values: npt.NDArray[Any]) -> bool:
    """Whether the zeros of a label map are boundary lines; an enlarged map is checked at its original size.

    Args:
        values: (H, W) numbers of the grains.
    """
    return _draw_network(np.asarray(enlargement(values).native(values) == 0, np.bool_))


def _whole_numbers(values: npt.NDArray[Any], source: str) -> npt.NDArray[np.uint32]:
    if values.ndim != 2 or values.size == 0:
        raise GrainsegError(
            f"{source}: has the shape {values.shape}; a label map has one number per pixel, save it as one "
            "page of one channel"
        )
    if values.dtype == np.bool_:
        raise GrainsegError(f"{source}: is a mask of true and false; number the grains from 1 on")
    if not np.issubdtype(values.dtype, np.integer) and not np.issubdtype(values.dtype, np.floating):
        raise GrainsegError(f"{source}: holds {values.dtype} values; save the grain numbers as integers")
    if np.issubdtype(values.dtype, np.floating):
        if not np.isfinite(values).all():
            raise GrainsegError(f"{source}: holds NaN or infinite values; use 0 where there is no grain")
        fractions = values[values != np.floor(values)]
        if fractions.size:
            raise GrainsegError(
                f"{source}: holds fractions such as {fractions[0]:g}; a label map has whole numbers, save it "
                "without scaling or smoothing"
            )
        require_exact(values, source, "the grain numbers")
    lowest, highest = values.min(), values.max()
    if lowest < 0:
        raise GrainsegError(f"{source}: holds the negative number {lowest:.0f}; number the grains from 1 on")
    if highest > _LARGEST_ID:
        raise GrainsegError(f"{source}: holds the number {highest:.0f}; the largest is {_LARGEST_ID}")
    return values.astype(np.uint32)


def _refuse_masks(labels: npt.NDArray[np.uint32], source: str) -> None:
    """Refuse pictures, and boundary masks, whose 0 and 255 would be read as one grain in many pieces."""
    _refuse_networks(labels, source)
    only = labels.max()
    if np.all((labels == 0) | (labels == only)):
        pieces = ndimage.label(labels)[1]
        if pieces > 1:
            raise GrainsegError(
                f"{source}: has one number ({only}) in {pieces} separate places: that is a mask, not a label "
                "map; number the grains from 1 on, or give it as a boundary mask"
            )
    pieces = int(measure.label(labels, background=0, connectivity=1).max())
    ids = np.unique(labels[labels > 0]).size
    if pieces > _PIECES + _PIECES_PER_GRAIN * ids:
        raise GrainsegError(
            f"{source}: its {ids} numbers lie in {pieces} separate places: that is a picture, not a label "
            "map; give the map of the grains"
        )


def _filled_at_native_step(labels: npt.NDArray[np.uint32], source: str) -> LabelMap:
    """Fill lines; if the map was enlarged by repeating pixels, fill them at its original size."""
    enlarged = enlargement(labels)
    filled = _filled(enlarged.native(labels), source)
    return LabelMap(enlarged.again(filled.grains, labels.shape), filled.line_width_px * enlarged.factor)


def _filled(labels: npt.NDArray[np.uint32], source: str) -> LabelMap:
    distance, nearest = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    _, counts = np.unique(labels[labels > 0], return_counts=True)
    typical = float(np.sqrt(4 / np.pi * np.median(counts)))
    reach = float(distance.max())
    if reach > max(_LINE_PX, _LINE_SHARE * typical):
        raise GrainsegError(
            f"{source}: has zeros up to {reach:.0f} px from the nearest grain, too broad for boundary lines; "
            "say that zeros are excluded, or number these areas"
        )
    lines = labels == 0
    width = mean_width_px(distance[lines])
    return LabelMap(extend_tips(labels[tuple(nearest)], lines, width), width)


def _refuse_networks(labels: npt.NDArray[np.uint32], source: str) -> None:
    """Refuse boundary masks: of two values, one forms connected thin lines around many places of the other.

    A grain with pores is not refused: between its pores it is thicker than they are, or than lines are.
    """
    values = np.unique(labels)
    if values.size != 2:
        return
    for line, place in ((values[0], values[1]), (values[1], values[0])):
        lines = np.asarray(labels == line, np.bool_)
        if _draw_network(lines):
            enclosed = ndimage.label(~lines)[1]
            raise GrainsegError(
                f"{source}: holds {place} in {enclosed} places and {line} as thin lines between them: that "
                "is a boundary mask, not a label map; give it as boundaries (kind=boundary "
                f"boundary_value={line}), or number the grains from 1 on"
            )


def _draw_network(lines: BoolMask) -> bool:
    """Whether lines are connected and thin, and enclose at least `_ENCLOSED` places."""
    if ndimage.label(~lines)[1] < _ENCLOSED or np.count_nonzero(lines) > lines.size / 2:
        return False
    pieces = ndimage.label(lines, np.ones((3, 3)))[0]
    connected = np.bincount(pieces.ravel())[1:].max(initial=0) > np.count_nonzero(lines) / 2
    width = mean_width_px(ndimage.distance_transform_edt(lines)[lines]) if connected else np.inf
    return bool(width < min(_LINE_PX, 2 * float(ndimage.distance_transform_edt(~lines).max())))
