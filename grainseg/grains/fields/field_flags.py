"""Flags on one field: sentences on what limits its figures."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from grainseg.grains.closing.partition import FEW_PINHOLES, PINHOLE_PX
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.measuring import astm
from grainseg.grains.measuring.grain_table import LARGE_SHARE, GrainTable
from grainseg.grains.wording import counted

COARSE_RASTER_PX = 6.0
"""Mean intercept below which short chords and small grains are lost: on Voronoi and Laguerre cells the error
is up to 1 % at 5 px and below 0.3 % from 8 px on."""

MANY_CLOSED = 0.15
"""Share of the crossings at boundaries that only the partition closed, above which a field is flagged.
Predictions with a boundary F1 above 0.85 had up to 0.14, those of a network trained too short 0.21; open ends
per grain told no more (docs/robustness.md)."""

_CHORD_SCATTER = 0.66
"""Standard deviation over mean of the chords of circles in Poisson-Voronoi cells. Over 40 fields the mean
intercept from 131 crossings had a relative standard deviation of 5.8 %, which is 0.66 / √131."""

_RINGED = (
    "specks such as precipitates or pits were ringed, most likely; look at the overlay, and raise "
    "partition.min_size of predict.py"
)

BLANK_EDGE = (
    "what is excluded reaches the picture's edge: if that lies outside the field of view, ignore it "
    "(zero=ignored of a label map, or a mask below ignored); grains there count as whole, so there are no "
    "grains per area by Saltikov and Jeffries"
)


@dataclass(frozen=True)
class MapLimits:
    """Limits of a field's map that its figures do not show.

    Attributes:
        not_counted: Share of the frame that is not counted, 0-1.
        cut_inside: Whether an ignored area lies inside the frame.
        in_pieces: Number of grains that consist of several separate pieces.
        pinholes: Number of grains of which the lines leave at most `PINHOLE_PX` pixels.
        blank_edge: Whether a place without grains reaches the edge over more than the length of a grain.
        drawn: Whether the lines were drawn, not predicted.
    """

    not_counted: float
    cut_inside: bool
    in_pieces: int
    pinholes: int
    blank_edge: bool
    drawn: bool


def field_flags(field: FieldMeasurement, limits: MapLimits) -> tuple[str, ...]:
    """Everything that a reader must know before trusting the figures.

    Args:
        field: Measured field; its own `flags` are not used.
        limits: Limits of its map.

    Returns:
        One line each, the gravest first; empty for a field that is large, finely resolved and consistent.
    """
    return tuple(
        itertools.chain(
            _closed(field), _nothing(field), _scale(field), _counts(field), _shape(field), _map(field, limits)
        )
    )


def too_large(tables: Sequence[GrainTable]) -> tuple[str, ...]:
    """Flag grains of one or more fields that are too large for the size distribution: one line, or none."""
    count = sum(int(np.count_nonzero(table.too_large)) for table in tables)
    if not count:
        return ()
    area = sum(float(table.area_px[table.too_large].sum()) for table in tables)
    share = area / sum(float(table.area_px.sum()) for table in tables)
    return (
        f"{counted(count, 'grain')} too large for this magnification, {100 * share:.0f} % of the area: left "
        "out of the size distribution, which is too fine without; take larger fields",
    )


def _closed(field: FieldMeasurement) -> Iterator[str]:
    """Flag a large share of closed boundaries, an absolute sign of trouble.

    The doubt, in contrast, compares a prediction with its own network's validation: a network that was bad
    there, too, is not doubted, but the share of closed boundaries still shows it.
    """
    share = field.closed_share
    if share is not None and share > MANY_CLOSED:  # nan without a crossing
        yield (
            f"{100 * share:.0f} % of the boundaries that the test lines cross were only closed by the "
            f"partition (a flag above {100 * MANY_CLOSED:.0f} %): the mean intercept rests on boundaries "
            "that no line shows; compare the overlay with the picture"
        )


def _nothing(field: FieldMeasurement) -> Iterator[str]:
    if field.count == 0:
        yield "there is no grain in the field: nothing is measured"
    elif field.count == 1:
        yield "there is one grain only: no boundary, so neither mean intercept nor grains per area"
    elif math.isnan(field.mean_intercept_px):
        yield "no test line crosses a boundary: there is no mean intercept"


def _scale(field: FieldMeasurement) -> Iterator[str]:
    size = field.pixel_size
    if size is None:
        yield (
            "the pixel size is not known: lengths are in px and no G is given; "
            "say it in µm per pixel, as in pixel_size_um=0.25"
        )
    elif size.row_um != size.column_um:
        yield (
            f"pixels are not square ({size.row_um:g} µm high, {size.column_um:g} µm wide): lengths account "
            "for it, and px stands for the smaller side"
        )


def _counts(field: FieldMeasurement) -> Iterator[str]:
    grains = field.count - np.count_nonzero(field.grains.touches_border) / 2  # as in Saltikov's count
    if field.count > 1 and grains < astm.MIN_GRAINS_PER_FIELD:
        asked = f"ASTM E112 asks for at least {astm.MIN_GRAINS_PER_FIELD} per field"
        yield f"grain count {grains:g}, cut grains as halves: {asked}"
    if field.count > 1 and field.circles.crossings < astm.ISO_MIN_INTERCEPTS_PER_FIELD:
        asked = f"ISO 643 asks for at least {astm.ISO_MIN_INTERCEPTS_PER_FIELD} per field"
        if field.circles.crossings < astm.MIN_INTERCEPTS_PER_FIELD:
            asked += f", ASTM E112 for {astm.MIN_INTERCEPTS_PER_FIELD}-{astm.MAX_INTERCEPTS_PER_FIELD}"
        yield f"the test circles cross {field.circles.crossings:.0f} boundaries: {asked}"


def _shape(field: FieldMeasurement) -> Iterator[str]:
    yield from _disagreement(field)
    table = field.grains
    if field.count > 1:
        large = int((table.span > LARGE_SHARE).sum())
        if large:
            span = "grain spans" if large == 1 else "grains span"
            yield (
                f"{large} {span} more than half of the field: the field is too small for "
                f"{'it' if large == 1 else 'them'}, and the size distribution is unsure"
            )
        yield from too_large([table])
        if not (table.weight > 0).any():
            or_large = ", or too large" if table.too_large.any() else ""
            yield f"every grain is cut by the border{or_large}: there is no size distribution"
        if table.touches_border[table.area_px.argmax()]:
            yield (
                "the largest grain is cut by the border: it is larger, and its G lower, than the figures for "
                "ALA show"
            )
    native_px = field.mean_intercept_px / field.enlarged
    if native_px < COARSE_RASTER_PX:
        before = " of the map before it was enlarged" if field.enlarged > 1 else ""
        yield (
            f"the mean intercept is {native_px:.1f} px only{before}: "
            "too few pixels per grain, take the picture at a higher magnification"
        )


def _map(field: FieldMeasurement, limits: MapLimits) -> Iterator[str]:
    if field.enlarged > 1:
        yield (
            f"the map was enlarged {field.enlarged} times by repeating pixels: it is measured at the step of "
            f"{field.enlarged} px at which it was drawn"
        )
    if limits.pinholes > FEW_PINHOLES * field.count:
        yield (
            f"the lines leave {PINHOLE_PX} pixels or fewer of {counted(limits.pinholes, 'grain')}: "
            + ("if these are holes in the lines, fill them" if limits.drawn else _RINGED)
            + "; they count in grains per area and in D10"
        )
    if limits.in_pieces:
        lie = "lies" if limits.in_pieces == 1 else "lie"
        yield (
            f"{counted(limits.in_pieces, 'grain')} {lie} in several pieces: give each piece that is a grain "
            "of its own its own number"
        )
    if limits.cut_inside and field.count > 1:
        yield (
            "areas that nobody judged lie inside the field: the grains that they cut cannot be counted, so "
            "there are no grains per area by Saltikov and Jeffries; the mean intercept is of what is left"
        )
    if limits.blank_edge:
        yield BLANK_EDGE
    if limits.not_counted > 0 and field.count:
        yield f"{100 * limits.not_counted:.1f} % of the field is not counted (excluded, or no grain)"


def _disagreement(field: FieldMeasurement) -> Iterator[str]:
    """Flag G by one procedure that differs too much from G by another, which needs no pixel size.

    Elongated grains have more crossings than equiaxed ones of the same area, so that G from lines and circles
    lies above G from counts, by `astm.elongation_disagreement_g`. The three circles cross few boundaries, so
    that G from them scatters. Only a difference beyond both is flagged.
    """
    by_length = {"mean intercept": astm.g_from_mean_intercept(field.mean_intercept_px)}
    if field.circles.crossings >= astm.ISO_MIN_INTERCEPTS_PER_FIELD:
        by_length["circles"] = astm.g_from_mean_intercept(field.circles.mean)
    by_count = {
        "Saltikov": astm.g_from_grain_density(field.n_a_saltikov),
        "Jeffries": astm.g_from_grain_density(field.n_a_jeffries),
        "triple points": astm.g_from_grain_density(field.n_a_triple),
    }
    elongation = field.elongation
    stretched = 0.0 if math.isnan(elongation) else astm.elongation_disagreement_g(elongation)
    scattered = 2 * _CHORD_SCATTER / math.sqrt(max(field.circles.crossings, 1)) * 2 / math.log(2)
    found = {name: g for name, g in (by_length | by_count).items() if math.isfinite(g)}
    beyond = {
        (fine, coarse): found[fine]
        - found[coarse]
        - (stretched if fine in by_length and coarse in by_count else 0)
        - (scattered if "circles" in (fine, coarse) else 0)
        for fine, coarse in itertools.permutations(found, 2)
    }
    if not beyond:
        return
    fine, coarse = max(beyond, key=beyond.__getitem__)
    if beyond[fine, coarse] > astm.MAX_DISAGREEMENT_G:
        elongated = ""
        if stretched >= 0.005:
            elongated = (
                f", and an elongation of {elongation:.2f} : 1, as the four directions show it, "
                f"{stretched:.2f} more"
            )
        yield (
            f"G by {fine} lies {found[fine] - found[coarse]:.2f} above G by {coarse}: the shape of equiaxed "
            f"grains explains up to {astm.STRUCTURE_DISAGREEMENT_G:.2f} in favour of the intercept"
            f"{elongated}; look at the overlay for missing or false boundaries, or for more than one "
            "population of sizes"
        )
