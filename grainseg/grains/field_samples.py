"""From measured fields to what batches are made of."""

from collections.abc import Sequence

import numpy as np

from grainseg.grains.field import FieldMeasurement
from grainseg.grains.samples import FieldSample


def common_unit(fields: Sequence[FieldMeasurement]) -> str:
    """The unit of a batch: µm as soon as one field has a pixel size (those without one cannot be used)."""
    return "µm" if any(field.unit_um is not None for field in fields) else "px"


def field_sample(field: FieldMeasurement, unit: str) -> FieldSample:
    """What a field contributes to its batch.

    Args:
        field: Measured; with a pixel size if the unit is µm.
        unit: "µm" or "px".

    Returns:
        Test lines of all four directions together, and the grains that have a sampling weight. Without a
        partition nothing is known of closed boundary.

    Raises:
        ValueError: The unit is µm and the field has no pixel size.
    """
    if unit == "µm" and field.unit_um is None:
        raise ValueError(f"{field.image} has no pixel size")
    scale = field.unit_um if unit == "µm" and field.unit_um is not None else 1.0
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
        doubted=field.doubted,
    )
