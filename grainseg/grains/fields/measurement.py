"""Data class for the measurement of one field of view.

G is 'computed with ASTM E112's formulas' and claims no conformity: the formulas are taken from public
literature, the standard's text was not consulted.
"""

import math
from dataclasses import dataclass

from grainseg.grains.fields.members import MemberSpread
from grainseg.grains.measuring import astm
from grainseg.grains.measuring.anisotropy import elongation
from grainseg.grains.measuring.grain_table import GrainTable
from grainseg.grains.measuring.intercepts import Intercepts, pooled
from grainseg.micrograph.image import PixelSize


@dataclass(frozen=True)
class FieldMeasurement:
    """One field; lengths in px of square pixels of `unit_um` each, nan where a quantity is not defined.

    Attributes:
        image: Name of the field.
        height_px: Height of the grain map, in its own pixels.
        width_px: Width of the grain map, likewise.
        pixel_size: Pixel size of the picture; None if unknown.
        unit_um: µm per px of all lengths here: the smaller side of a pixel. None without a pixel size.
        grains: Table of all grains.
        lines: Test lines at 0, 45, 90 and 135°.
        circles: Three concentric test circles.
        count: Number of grains, including those that the frame cuts.
        counted_area_px: Area of all pixels in grains, in px².
        n_a_saltikov: Grains per px² in the frame.
        n_a_jeffries: Grains per px² in the largest circle.
        n_a_triple: Grains per px² from the triple points.
        ala_area_px: Area of the largest grain, in px².
        closed_share: Share of the crossings of the four directions that lie at boundaries which only the
            partition closed, 0-1; the mean intercept without closed boundaries differs by this share of
            crossings. None without a partition.
        closed_length_px: Crofton length of the boundary that only the partition closed, in the whole map;
            where pixels are not square, taken to run in all directions alike. None without a partition.
        open_ends: Ends of boundary lines before closing; None without a partition.
        enlarged: How many times the map was enlarged by repeating pixels; 1 if it was not.
        flags: What limits the figures, one plain line each.
        doubt: Score of how far to doubt the boundaries, see `grainseg.grains.trust.doubt`; None where no
            network predicted them.
        doubted: Whether the boundaries are not to be trusted by that score, or by the picture's exposure.
        members: How far the networks of an ensemble differ; None where there is no ensemble.
        specimen: Specimen of the batch on which the field lies; empty if not given.
        line_width_px: Mean width of the lines between the grains; where pixels are not square, converted with
            the mean of their two sides. None where there were no lines.
    """

    image: str
    height_px: int
    width_px: int
    pixel_size: PixelSize | None
    unit_um: float | None
    grains: GrainTable
    lines: tuple[Intercepts, ...]
    circles: Intercepts
    count: int
    counted_area_px: float
    n_a_saltikov: float
    n_a_jeffries: float
    n_a_triple: float
    ala_area_px: float
    closed_share: float | None
    closed_length_px: float | None
    open_ends: int | None
    enlarged: int
    flags: tuple[str, ...]
    doubt: float | None = None
    doubted: bool = False
    members: MemberSpread | None = None
    specimen: str = ""
    line_width_px: float | None = None

    @property
    def mean_intercept_px(self) -> float:
        """Mean intercept pooled over the four directions."""
        return pooled(self.lines).mean

    @property
    def mean_intercept_px_without_closed(self) -> float | None:
        """The same without the boundaries that only the partition closed; None without a partition."""
        return None if self.closed_share is None else pooled(self.lines).mean_without_closed

    @property
    def diagonal_deg(self) -> float:
        """Angle of the lines "45" to the row, anticlockwise; that of the lines "135" is 180° less this angle.

        Both are diagonals of a pixel: at 45° and 135° only where pixels are square.
        """
        size = self.pixel_size
        return 45.0 if size is None else math.degrees(math.atan2(size.row_um, size.column_um))

    @property
    def angles_deg(self) -> dict[str, float]:
        """True angle to the row, anticlockwise, by name of the set of lines."""
        return {"0": 0.0, "45": self.diagonal_deg, "90": 90.0, "135": 180 - self.diagonal_deg}

    @property
    def elongation(self) -> float:
        """Stretch of an isotropic structure that explains the crossings in the four directions, at least 1.

        See ``grainseg.grains.measuring.anisotropy``; nan if a direction has no test line.
        """
        if not all(lines.length > 0 for lines in self.lines):
            return math.nan
        crossed = [lines.crossings / lines.length for lines in self.lines]
        return elongation([self.angles_deg[lines.name] for lines in self.lines], crossed)

    @property
    def anisotropy(self) -> float:
        """Largest over smallest mean intercept of the four directions.

        It is below the elongation where the axis of the grains lies between these directions.
        """
        means = [lines.mean for lines in self.lines]
        return max(means) / min(means) if all(map(math.isfinite, means)) else math.nan

    @property
    def open_ends_per_mm(self) -> float | None:
        """Open ends per mm of boundary, whose length is π/2 · area / mean intercept.

        None without partition or pixel size.
        """
        if self.open_ends is None or self.unit_um is None:
            return None
        boundary_px = math.pi / 2 * self.counted_area_px / self.mean_intercept_px
        return self.open_ends / (boundary_px * self.unit_um / 1000)

    @property
    def g_intercept(self) -> float | None:
        """G from the mean intercept of the lines; None without a pixel size, as for every G."""
        return self._g_of_length(self.mean_intercept_px)

    @property
    def g_circles(self) -> float | None:
        """G from the mean intercept of the circles."""
        return self._g_of_length(self.circles.mean)

    @property
    def g_saltikov(self) -> float | None:
        """G from Saltikov's count."""
        return self._g_of_density(self.n_a_saltikov)

    @property
    def g_jeffries(self) -> float | None:
        """G from Jeffries' count."""
        return self._g_of_density(self.n_a_jeffries)

    @property
    def g_triple(self) -> float | None:
        """G from the triple points."""
        return self._g_of_density(self.n_a_triple)

    @property
    def g_ala(self) -> float | None:
        """G of the largest grain ('as large as'); an upper bound where the frame cuts it."""
        return (
            None if self.unit_um is None else astm.g_from_area(self.ala_area_px * (self.unit_um / 1000) ** 2)
        )

    def _g_of_length(self, length_px: float) -> float | None:
        return None if self.unit_um is None else astm.g_from_mean_intercept(length_px * self.unit_um / 1000)

    def _g_of_density(self, per_px2: float) -> float | None:
        return (
            None if self.unit_um is None else astm.g_from_grain_density(per_px2 / (self.unit_um / 1000) ** 2)
        )
