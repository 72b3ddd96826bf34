"""What the fields of a batch sample, and G by procedures that check the mean intercept."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grainseg.grains.fields.measurement import FieldMeasurement
from grainseg.grains.measuring import astm


@dataclass(frozen=True)
class OtherProcedures:
    """What the fields of a batch give together, by procedures other than the four directions of lines.

    G is nan in px, and where no field has the count. Sampling and uncertainty of these values are not known.

    Attributes:
        area: Area in grains, in µm² or px².
        grains: Number of grains, including those that a frame cuts.
        circle_crossings: Boundaries that the test circles cross.
        g_circles: G of the mean intercept on the test circles: total length over total crossings.
        g_saltikov: G of Saltikov's counts, weighted by the area of their fields, as for the next two.
        g_jeffries: G of Jeffries' counts.
        g_triple: G of the counts of triple points.
        g_ala: G of the largest grain; an upper bound where a frame cuts it.
    """

    area: float
    grains: int
    circle_crossings: float
    g_circles: float
    g_saltikov: float
    g_jeffries: float
    g_triple: float
    g_ala: float


def other_procedures(fields: Sequence[FieldMeasurement], unit: str) -> OtherProcedures:
    """Pool the counts of the fields of a batch.

    Args:
        fields: Measured fields; with a pixel size if the unit is µm.
        unit: "µm" or "px".
    """
    steps = [1.0 if unit == "px" else field.unit_um or math.nan for field in fields]
    areas = [field.counted_area_px * step**2 for field, step in zip(fields, steps, strict=True)]
    largest = [field.ala_area_px * step**2 for field, step in zip(fields, steps, strict=True)]
    crossings = sum(field.circles.crossings for field in fields)
    length = sum(field.circles.length * step for field, step in zip(fields, steps, strict=True))
    mm = 1e-3 if unit == "µm" else math.nan  # a px has no length

    def g_of(per_px2: Sequence[float]) -> float:
        counted = [each for each in zip(per_px2, fields, areas, strict=True) if math.isfinite(each[0])]
        grains = sum(density * field.counted_area_px for density, field, _ in counted)
        total = sum(area for *_, area in counted)
        return astm.g_from_grain_density(grains / (total * mm**2)) if total > 0 else math.nan

    return OtherProcedures(
        area=sum(areas),
        grains=sum(field.count for field in fields),
        circle_crossings=crossings,
        g_circles=astm.g_from_mean_intercept(mm * length / crossings) if crossings else math.nan,
        g_saltikov=g_of([field.n_a_saltikov for field in fields]),
        g_jeffries=g_of([field.n_a_jeffries for field in fields]),
        g_triple=g_of([field.n_a_triple for field in fields]),
        g_ala=astm.g_from_area(max(largest, default=math.nan) * mm**2),
    )
