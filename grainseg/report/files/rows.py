"""Flat rows of named numbers for grains and fields, for the CSV files and the report."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.fields.members import MemberSpread
from grainseg.grains.measuring.intercepts import Intercepts
from grainseg.report.files.batch_rows import Row

BatchedFields = Mapping[str, Sequence[FieldMeasurement]]
"""The fields of each batch, by its name."""

_GRAIN_LENGTHS = ("ecd", "feret", "major", "minor", "perimeter")

GRAIN_COLUMNS = (
    "batch",
    "image",
    "id",
    "area_px",
    "area_um2",
    *(f"{name}_{unit}" for name in _GRAIN_LENGTHS for unit in ("px", "um")),
    "orientation_deg",
    "neighbours",
    "touches_border",
    "weight",
)


def grain_rows(batches: BatchedFields) -> Iterator[Row]:
    """Yield one row per grain, see `GrainTable`; keys are GRAIN_COLUMNS, µm are None without a pixel size."""
    for batch, fields in batches.items():
        for field in fields:
            yield from _grains_of(batch, field)


def _grains_of(batch: str, field: FieldMeasurement) -> Iterator[Row]:
    table, unit_um = field.grains, field.unit_um
    nothing = [None] * len(table)
    columns: dict[str, list[Any]] = {
        "id": table.id.tolist(),
        "area_px": table.area_px.tolist(),
        "area_um2": nothing if unit_um is None else (table.area_px * unit_um**2).tolist(),
    }
    for name in _GRAIN_LENGTHS:
        length_px = getattr(table, f"{name}_px")
        columns[f"{name}_px"] = length_px.tolist()
        columns[f"{name}_um"] = nothing if unit_um is None else (length_px * unit_um).tolist()
    for name in ("orientation_deg", "neighbours", "touches_border", "weight"):
        columns[name] = getattr(table, name).tolist()
    for values in zip(*columns.values(), strict=True):
        yield {"batch": batch, "image": field.image, **dict(zip(columns, values, strict=True))}


def field_rows(batches: BatchedFields) -> Iterator[Row]:
    """Yield one row per field, see `field_row`."""
    for batch, fields in batches.items():
        for field in fields:
            yield field_row(batch, field)


def field_row(batch: str, field: FieldMeasurement) -> Row:
    """Return the row of a field: intercepts by direction and circle, grains per area, G of each, gaps, flags.

    For an ensemble, the row also holds the smallest and the largest value of its members.

    Lengths are in px of the square raster on which the field was measured and, if the pixel size is known,
    in µm.
    """
    unit_um = field.unit_um
    size = field.pixel_size
    row: Row = {
        "batch": batch,
        "image": field.image,
        "specimen": field.specimen,
        "height_px": field.height_px,
        "width_px": field.width_px,
        "pixel_size_row_um": None if size is None else size.row_um,
        "pixel_size_column_um": None if size is None else size.column_um,
        "pixel_size_source": None if size is None else size.source,
        "raster_um": unit_um,
        "count": field.count,
        "counted_area_px": field.counted_area_px,
        "counted_area_um2": _scaled(field.counted_area_px, unit_um, 2),
        **_length("mean_intercept", field.mean_intercept_px, unit_um),
        **_length("mean_intercept_without_closed", field.mean_intercept_px_without_closed, unit_um),
    }
    row |= _member_columns(field.members, unit_um)
    # "deg45" and "deg135" are the diagonals of a pixel; this is their angle, also for non-square pixels.
    row["diagonal_deg"] = field.diagonal_deg
    for lines in field.lines:
        row |= _intercept_columns(f"deg{lines.name}", lines, unit_um)
    row |= _intercept_columns("circles", field.circles, unit_um)
    if field.closed_share is None:  # a grain map does not show which boundaries were closed
        row |= {name: None for name in row if name.startswith("closed_crossings_")}
    row["anisotropy"] = field.anisotropy
    row["elongation"] = field.elongation
    for name in ("saltikov", "jeffries", "triple"):
        per_px2 = getattr(field, f"n_a_{name}")
        row[f"n_a_{name}_per_px2"] = per_px2
        row[f"n_a_{name}_per_mm2"] = _scaled(per_px2 * 1e6, unit_um, -2)
    for name in ("intercept", "circles", "saltikov", "jeffries", "triple", "ala"):
        row[f"g_{name}"] = getattr(field, f"g_{name}")
    row |= {
        "ala_area_px": field.ala_area_px,
        "ala_area_um2": _scaled(field.ala_area_px, unit_um, 2),
        "closed_share": field.closed_share,
        **_length("closed_length", field.closed_length_px, unit_um),
        **_length("line_width", field.line_width_px, unit_um),
        "open_ends": field.open_ends,
        "open_ends_per_mm": field.open_ends_per_mm,
        "doubt": field.doubt,
        "doubted": field.doubted,
        "map_enlarged": field.enlarged,
        "flags": "; ".join(field.flags),
    }
    return row


def _intercept_columns(name: str, lines: Intercepts, unit_um: float | None) -> Row:
    return {
        **_length(f"intercept_{name}", lines.mean, unit_um),
        **_length(f"line_length_{name}", lines.length, unit_um),
        f"crossings_{name}": lines.crossings,
        f"closed_crossings_{name}": lines.closed_crossings,
    }


def _member_columns(members: MemberSpread | None, unit_um: float | None) -> Row:
    """Return smallest and largest value of an ensemble's networks, and the SD of the logarithm."""
    if members is None:
        return {}
    row: Row = {"members": members.count}
    for name, spread in (("mean_intercept", members.mean_intercept), ("d50", members.d50)):
        row |= _length(f"{name}_members_low", None if spread is None else spread.low_px, unit_um)
        row |= _length(f"{name}_members_high", None if spread is None else spread.high_px, unit_um)
        row[f"{name}_members_sd_ln"] = None if spread is None else spread.sd_ln
    return row


def _length(name: str, length_px: float | None, unit_um: float | None) -> Row:
    return {f"{name}_px": length_px, f"{name}_um": _scaled(length_px, unit_um, 1)}


def _scaled(value: float | None, unit_um: float | None, power: int) -> float | None:
    return None if unit_um is None or value is None else value * unit_um**power
