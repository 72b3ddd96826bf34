"""What limits the figures of one field, in plain words."""

import itertools
import math
from collections.abc import Iterator

from grainseg.grains import astm
from grainseg.grains.grain_table import LARGE_SHARE
from grainseg.grains.measurement import FieldMeasurement

COARSE_RASTER_PX = 6.0
"""Mean intercept below which short chords and small grains are lost: on Voronoi and Laguerre cells the error
is up to 1 % at 5 px and below 0.3 % from 8 px on."""

_PER_FIELD = "ASTM E112 asks for"


def field_flags(field: FieldMeasurement, excluded_share: float) -> tuple[str, ...]:
    """Everything that a reader must know before trusting the figures.

    Args:
        field: Measured; its own flags are not looked at.
        excluded_share: Share of the frame that is not counted, 0-1.

    Returns:
        One line each, the gravest first; none for a field that is large, fine and consistent.
    """
    return tuple(
        itertools.chain(_nothing(field), _scale(field), _counts(field), _shape(field, excluded_share))
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
    if 1 < field.count < astm.MIN_GRAINS_PER_FIELD:
        yield f"{field.count} grains: {_PER_FIELD} at least {astm.MIN_GRAINS_PER_FIELD} per field"
    if field.count > 1 and field.circles.crossings < astm.ISO_MIN_INTERCEPTS_PER_FIELD:
        yield (
            f"the test circles cross {field.circles.crossings:.0f} boundaries: {_PER_FIELD} "
            f"{astm.MIN_INTERCEPTS_PER_FIELD}-{astm.MAX_INTERCEPTS_PER_FIELD} per field, "
            f"ISO 643 for at least {astm.ISO_MIN_INTERCEPTS_PER_FIELD}"
        )


def _shape(field: FieldMeasurement, excluded_share: float) -> Iterator[str]:
    yield from _disagreement(field)
    table = field.grains
    if field.count > 1:
        large = int((table.span > LARGE_SHARE).sum())
        if large:
            yield (
                f"{large} of {field.count} grains span more than half of the field: it is too small for "
                "them, and the size distribution is unsure"
            )
        if not (table.weight > 0).any():
            yield "every grain is cut by the border: there is no size distribution"
        if table.touches_border[table.area_px.argmax()]:
            yield "the largest grain is cut by the border: it is larger than the figure for ALA says"
    if field.mean_intercept_px < COARSE_RASTER_PX:
        yield (
            f"the mean intercept is {field.mean_intercept_px:.1f} px only: too few pixels per grain, "
            "take the picture at a higher magnification"
        )
    if excluded_share > 0 and field.count:
        yield f"{100 * excluded_share:.1f} % of the field is not counted (excluded, or no grain)"


def _disagreement(field: FieldMeasurement) -> Iterator[str]:
    """G by the procedures relative to each other, which needs no pixel size."""
    found = {
        "mean intercept": astm.g_from_mean_intercept(field.mean_intercept_px),
        "Saltikov": astm.g_from_grain_density(field.n_a_saltikov),
        "Jeffries": astm.g_from_grain_density(field.n_a_jeffries),
        "triple points": astm.g_from_grain_density(field.n_a_triple),
    }
    if field.circles.crossings >= astm.ISO_MIN_INTERCEPTS_PER_FIELD:
        found["circles"] = astm.g_from_mean_intercept(field.circles.mean)
    defined = {name: g for name, g in found.items() if not math.isnan(g)}
    if len(defined) < 2:
        return
    coarse, fine = min(defined, key=defined.__getitem__), max(defined, key=defined.__getitem__)
    gap = defined[fine] - defined[coarse]
    if gap > astm.MAX_DISAGREEMENT_G:
        yield (
            f"G by {fine} lies {gap:.2f} above G by {coarse}: more than {astm.MAX_DISAGREEMENT_G:g}, where "
            f"the shape of the grains alone explains up to {astm.STRUCTURE_DISAGREEMENT_G:g}; look at the "
            "overlay for missing or false boundaries, or for more than one population of sizes"
        )
