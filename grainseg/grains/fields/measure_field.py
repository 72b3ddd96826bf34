"""Measure a field of view from its grain map."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from grainseg.grains.closing.partition import Partition
from grainseg.grains.fields.field_flags import MapLimits, field_flags
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.measuring.enlargement import AS_DRAWN, enlargement
from grainseg.grains.measuring.grain_table import GrainTable, grain_table, in_pieces
from grainseg.grains.measuring.intercepts import (
    SQUARE,
    GrainIds,
    Intercepts,
    Step,
    circle_intercepts,
    line_intercepts,
    pooled,
)
from grainseg.grains.measuring.planimetric import jeffries, saltikov, triple_points
from grainseg.micrograph.image import BoolMask, PixelSize


def measure_field(
    image: str,
    grains: GrainIds,
    pixel_size: PixelSize | None,
    partition: Partition | None = None,
    ignored: BoolMask | None = None,
    line_width_px: float = 0.0,
) -> FieldMeasurement:
    """Measure a grain map.

    Pixels that are not square need no resampling: every step of a test line, every area and every moment uses
    the true sides of the pixel, and all lengths are in units of the smaller side. (Repeating rows instead
    would turn slanting boundaries into stairs, which the diagonals cross more than once.)

    The frame is the smallest rectangle that holds all counted pixels: empty strips around it, such as a
    masked data bar, cut grains like the picture's own border.

    A map that was enlarged by repeating pixels is measured at its own, coarser step; the lengths stay in px
    of the given map.

    Args:
        image: Name of the field, for tables.
        grains: (H, W) grain ids, integers, not negative; 0 where grains end without a neighbour (pores,
            second phase, outside): no area and no test line, half a crossing where a line reaches it.
        pixel_size: Size of a pixel of the map; None if unknown, and then there is no G.
        partition: Partition that the map comes from, for the boundaries that were only closed.
        ignored: (H, W), true where the map is not judged (a scratch, a scale bar). Grains continue behind
            such an area: they count as cut, and test lines are interrupted without a crossing. Areas that a
            configuration excludes (a phase, pores), where grains end, are label 0 instead. Ignored areas
            inside the frame leave Saltikov's and Jeffries' counts undefined.
        line_width_px: Mean width of the lines between the grains, in pixels of the map; 0 if there were none.

    Returns:
        The measurement; with flags instead of figures where there is nothing to measure.

    Raises:
        ValueError: If the map is not two-dimensional, not of integers or negative, a mask has another shape,
            or a pixel size is not positive and finite.
    """
    _check(grains, pixel_size, ignored)
    step, unit_um = _step(pixel_size)
    # A partition makes its grains at the raster's own step, so it is never enlarged.
    enlarged = enlargement(grains) if partition is None else AS_DRAWN
    native, step = enlarged.native(grains), (step[0] * enlarged.factor, step[1] * enlarged.factor)
    hidden = None if ignored is None else enlarged.blocks(ignored)
    counted, hidden, closed = _in_frame(native, hidden, None if partition is None else partition.closed)
    visible = counted if hidden is None else np.where(hidden, 0, counted)
    table = grain_table(visible, hidden, step)
    # With a single grain the density would be that of the frame, the intercept that of the frame or pores.
    enough = len(table) > 1
    lines = line_intercepts(counted, closed, hidden, step)
    circles = circle_intercepts(counted, closed, hidden, step)
    if not enough:
        lines, circles = tuple(map(_uncrossed, lines)), _uncrossed(circles)
    # The planimetric rules are for cuts at the frame's sides and corners, not for cuts inside the frame.
    blank_edge = enough and _has_blank_edge(counted, hidden, table, step)
    cut_inside = hidden is not None and bool(hidden.any())
    whole = enough and not cut_inside and not blank_edge
    field = FieldMeasurement(
        image=image,
        height_px=grains.shape[0],
        width_px=grains.shape[1],
        pixel_size=pixel_size,
        unit_um=unit_um,
        grains=table,
        lines=lines,
        circles=circles,
        count=len(table),
        counted_area_px=float(table.area_px.sum()),
        n_a_saltikov=saltikov(visible, table, step) if whole else math.nan,
        n_a_jeffries=jeffries(visible, table, step) if whole else math.nan,
        n_a_triple=triple_points(visible, hidden, step) if enough else math.nan,
        ala_area_px=float(table.area_px.max()) if len(table) else math.nan,
        closed_share=None if partition is None else _closed_share(pooled(lines)),
        closed_length_px=None
        if partition is None
        else partition.closed_length_px * math.sqrt(math.prod(step)),
        open_ends=None if partition is None else partition.open_ends,
        enlarged=enlarged.factor,
        flags=(),
        # The lines are taken as equally wide, in pixels, in all directions of the raster.
        line_width_px=line_width_px / enlarged.factor * sum(step) / 2 or None,
    )
    limits = MapLimits(
        not_counted=1 - np.count_nonzero(visible) / visible.size,
        cut_inside=cut_inside,
        in_pieces=in_pieces(visible, table, hidden) if partition is None else 0,
        pinholes=0 if partition is None else partition.pinholes,
        blank_edge=blank_edge,
        drawn=partition is not None and partition.drawn,
    )
    return replace(field, flags=field_flags(field, limits))


def _uncrossed(lines: Intercepts) -> Intercepts:
    return replace(lines, crossings=0.0, closed_crossings=0.0)


def _check(grains: GrainIds, pixel_size: PixelSize | None, ignored: BoolMask | None) -> None:
    if grains.ndim != 2 or not np.issubdtype(grains.dtype, np.integer):
        raise ValueError(f"grain map of shape {grains.shape} and type {grains.dtype}")
    if grains.size and grains.min() < 0:
        raise ValueError("negative grain ids")
    if ignored is not None and ignored.shape != grains.shape:
        raise ValueError(f"mask of shape {ignored.shape} for a grain map of shape {grains.shape}")
    if pixel_size is not None:
        for side in (pixel_size.row_um, pixel_size.column_um):
            if not (math.isfinite(side) and side > 0):
                raise ValueError(f"pixel of {pixel_size.row_um} × {pixel_size.column_um} µm")


def _step(pixel_size: PixelSize | None) -> tuple[Step, float | None]:
    if pixel_size is None:
        return SQUARE, None
    unit_um = min(pixel_size.row_um, pixel_size.column_um)
    return (pixel_size.row_um / unit_um, pixel_size.column_um / unit_um), unit_um


def _in_frame(
    grains: GrainIds, ignored: BoolMask | None, closed: BoolMask | None
) -> tuple[GrainIds, BoolMask | None, BoolMask | None]:
    """Crop all three to the smallest rectangle with all counted pixels; one pixel of label 0 without any."""
    counted = grains > 0 if ignored is None else (grains > 0) & ~ignored
    rows, columns = (np.flatnonzero(counted.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return np.zeros((1, 1), np.uint32), None, None
    frame = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return (
        grains[frame],
        ignored if ignored is None else ignored[frame],
        closed if closed is None else closed[frame],
    )


def _has_blank_edge(grains: GrainIds, ignored: BoolMask | None, table: GrainTable, step: Step) -> bool:
    """Whether a place without grains touches the frame over more than the median grain diameter.

    That is hardly a pore. The true edge of the field of view may lie further in, and grains that it cuts
    would count as whole.
    """
    blank = grains == 0 if ignored is None else (grains == 0) & ~ignored
    sides = (blank[:, 0], step[0]), (blank[:, -1], step[0]), (blank[0], step[1]), (blank[-1], step[1])
    longest = max(_longest_run(side) * length for side, length in sides)
    return longest > float(np.median(table.ecd_px))


def _longest_run(line: npt.NDArray[np.bool_]) -> int:
    ends = np.flatnonzero(np.diff(np.pad(line, 1).astype(np.int8)))
    return int(np.max(ends[1::2] - ends[::2], initial=0))


def _closed_share(lines: Intercepts) -> float:
    return lines.closed_crossings / lines.crossings if lines.crossings > 0 else math.nan
