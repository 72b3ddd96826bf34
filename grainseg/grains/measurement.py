"""What is known of one field of view once it is measured.

G is 'computed with ASTM E112's formulas' and claims no conformity: the formulas are taken from public
literature, the standard's text was not consulted.
"""

import math
from dataclasses import dataclass

from grainseg.grains import astm
from grainseg.grains.grain_table import GrainTable
from grainseg.grains.intercepts import Intercepts, pooled
from grainseg.micrograph.image import PixelSize


@dataclass(frozen=True)
class FieldMeasurement:
    """One field; lengths in px of square pixels of `unit_um` each, nan where a quantity is not defined.

    Attributes:
        image: Name of the field.
        height_px: Of the grain map, in its own pixels.
        width_px: Of the grain map.
        pixel_size: Of the picture; None if nobody said it.
        unit_um: µm per px of all lengths here: the smaller side of a pixel. None without a pixel size.
        grains: Every grain.
        lines: Test lines at 0, 45, 90 and 135°.
        circles: Three concentric test circles.
        count: Grains, those that the frame cuts too.
        counted_area_px: In px², of all pixels in grains.
        n_a_saltikov: Grains per px² in the frame.
        n_a_jeffries: Grains per px² in the largest circle.
        n_a_triple: Grains per px² from the triple points.
        ala_area_px: In px², of the largest grain.
        closed_share: Share of the boundary that the partition closed, by crossings; None without a partition.
        open_ends: Ends of boundary lines before closing; None without a partition.
        flags: What limits the figures, one plain line each.
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
    open_ends: int | None
    flags: tuple[str, ...]

    @property
    def mean_intercept_px(self) -> float:
        """Pooled over the four directions."""
        return pooled(self.lines).mean

    @property
    def mean_intercept_px_without_closed(self) -> float:
        """The same as if the boundaries that the partition closed were not there."""
        return pooled(self.lines).mean_without_closed

    @property
    def anisotropy(self) -> float:
        """Largest over smallest mean intercept of the four directions."""
        means = [lines.mean for lines in self.lines]
        return max(means) / min(means) if all(map(math.isfinite, means)) else math.nan

    @property
    def open_ends_per_mm(self) -> float | None:
        """Per mm of boundary, of length π/2 · area / mean intercept; None without partition or pixel size."""
        if self.open_ends is None or self.unit_um is None:
            return None
        boundary_px = math.pi / 2 * self.counted_area_px / self.mean_intercept_px
        return self.open_ends / (boundary_px * self.unit_um / 1000)

    @property
    def g_intercept(self) -> float | None:
        """G from the mean intercept of the lines; None without a pixel size, as for all of these."""
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
        return self._g_of_density(1 / self.ala_area_px)

    def _g_of_length(self, length_px: float) -> float | None:
        return None if self.unit_um is None else astm.g_from_mean_intercept(length_px * self.unit_um / 1000)

    def _g_of_density(self, per_px2: float) -> float | None:
        return (
            None if self.unit_um is None else astm.g_from_grain_density(per_px2 / (self.unit_um / 1000) ** 2)
        )
