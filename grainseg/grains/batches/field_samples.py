"""Convert measured fields to the samples that batch statistics are computed from."""

import math
from collections.abc import Sequence

import numpy as np

from grainseg.grains.batches.samples import FieldSample
from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.measuring.anisotropy import elongation

_SAME_SCALE = 1.02
"""Largest ratio of pixel sizes that count as two readings of one magnification."""


def common_unit(fields: Sequence[FieldMeasurement]) -> str:
    """The unit of a batch: µm as soon as one field has a pixel size (those without one cannot be used)."""
    return "µm" if any(field.unit_um is not None for field in fields) else "px"


def field_sample(field: FieldMeasurement, unit: str) -> FieldSample:
    """Convert a measured field to its contribution to a batch.

    Args:
        field: Measured field; with a pixel size if the unit is µm.
        unit: "µm" or "px".

    Returns:
        Test lines of all four directions together, and the grains that have a sampling weight. Without a
        partition the closed boundaries are unknown.

    Raises:
        ValueError: The unit is µm and the field has no pixel size.
    """
    scale = _unit_per_px(field, unit)
    crossings = sum(lines.crossings for lines in field.lines)
    closed = sum(lines.closed_crossings for lines in field.lines)
    weighted = field.grains.weight > 0
    return FieldSample(
        name=field.image,
        line_length=sum(lines.length for lines in field.lines) * scale,
        crossings=crossings,
        crossings_without_closed=None if field.closed_share is None else max(crossings - closed, 0.0),
        diameters=np.asarray(field.grains.ecd_px[weighted] * scale, np.float64),
        weights=np.asarray(field.grains.weight[weighted], np.float64),
        specimen=field.specimen,
        line_width=(field.line_width_px or 0.0) * scale,
        doubted=field.doubted,
        predicted=field.doubt is not None,
    )


def pooled_elongation(fields: Sequence[FieldMeasurement], unit: str) -> float:
    """Elongation of the grains from the crossings of all fields, which are not aligned; see `anisotropy`.

    Args:
        fields: Measured fields; with a pixel size if the unit is µm.
        unit: "µm" or "px", the unit in which crossings per length are compared.

    Returns:
        At least 1; nan without crossings.

    Raises:
        ValueError: The unit is µm and a field has no pixel size.
    """
    angles_deg, crossed = [], []
    for field in fields:
        scale = _unit_per_px(field, unit)
        for lines in field.lines:
            if lines.length > 0:
                angles_deg.append(field.angles_deg[lines.name])
                crossed.append(lines.crossings / (lines.length * scale))
    return elongation(angles_deg, crossed) if crossed else math.nan


def scale_flags(fields: Sequence[FieldMeasurement]) -> tuple[str, ...]:
    """Flag a batch whose pixel sizes differ: one flag, or none.

    A picture at half the magnification with a wrong pixel size looks like a field with other grain sizes.
    """
    sizes = [(field.unit_um, field.image) for field in fields if field.unit_um is not None]
    if not sizes:
        return ()
    (least, fine), (most, coarse) = min(sizes), max(sizes)
    if most <= _SAME_SCALE * least:
        return ()
    return (
        f"pixel sizes differ, from {least:.4g} µm ({fine}) to {most:.4g} µm ({coarse}): if one of them is "
        "wrong, so is the mean intercept",
    )


def _unit_per_px(field: FieldMeasurement, unit: str) -> float:
    if unit == "px":
        return 1.0
    if field.unit_um is None:
        raise ValueError(f"{field.image} has no pixel size")
    return field.unit_um
