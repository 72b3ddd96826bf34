"""ASTM grain size numbers G from intercepts, counts and areas, with exact constants.

Definition: at grain size number G there are 2^(G-1) grains per square inch at a magnification of 100. One
square inch at 100× is 0.064516 mm² of the specimen. The intercept scale is fixed by its own anchor: a mean
lineal intercept of 0.32 mm is G = 0. (ASTM E112, as summarised in public literature; the standard's text was
not consulted.) Printed tables round the constants: -2.954 and -3.288 are off by less than 0.0003 G.

The two scales agree only where the mean intercept is 0.8909·√(mean area). For grains of other shapes they
differ, for Poisson-Voronoi cells by 0.36 G: report both, and never convert one into the other.

A count, area or length that is not positive and finite has no G: every function returns nan.
"""

import math

from scipy import special

GRAIN_DENSITY_AT_G0 = 1 / (2 * 0.064516)
"""Grains per mm² at G = 0: 2^(-1) grains per square inch at 100×."""

MEAN_INTERCEPT_AT_G0_MM = 0.32
"""Mean lineal intercept at G = 0, in mm."""

MIN_GRAINS_PER_FIELD = 50
"""Fewest grains per field in the planimetric procedure of ASTM E112, as summarised in public literature."""

MIN_INTERCEPTS_PER_FIELD = 40
MAX_INTERCEPTS_PER_FIELD = 100
"""Range of the counts that one application of the test lines should give (ASTM E112, as above)."""

ISO_MIN_INTERCEPTS_PER_FIELD = 50
"""Fewest intercepts per field, ISO 643:2003 §7.2.1, as quoted in public literature."""

MIN_FIELDS = 5
"""Fewest fields, in both standards: with fewer, an interval means little."""

TARGET_RELATIVE_ACCURACY_PERCENT = 10.0
"""Largest %RA = 100·t(0.975, n - 1)·s/(√n·mean) that ASTM E112 calls acceptable for most purposes."""

MAX_DISAGREEMENT_G = 0.5
"""Difference in G between two procedures on one field above which the field is flagged."""


def g_from_mean_intercept(mean_intercept_mm: float) -> float:
    """G = 2·log2(0.32 / ℓ), which is -6.643856·log10(ℓ) - 3.287712.

    Args:
        mean_intercept_mm: Mean lineal intercept ℓ in mm. It is no diameter: √(mean area) would be off by
            0.33 G, the diameter of the circle of that area by 0.68.

    Returns:
        G, or nan.
    """
    return (
        2 * math.log2(MEAN_INTERCEPT_AT_G0_MM / mean_intercept_mm)
        if _positive(mean_intercept_mm)
        else math.nan
    )


def g_from_grain_density(grains_per_mm2: float) -> float:
    """G = 3.321928·log10(N_A) - 2.954199.

    Args:
        grains_per_mm2: N_A in 1/mm² of the specimen (at 1×).

    Returns:
        G, or nan.
    """
    return math.log2(grains_per_mm2 / GRAIN_DENSITY_AT_G0) if _positive(grains_per_mm2) else math.nan


def g_from_area(area_mm2: float) -> float:
    """G of a mean grain area; of the largest grain's area, the 'as large as' number (ASTM E930, as above).

    Args:
        area_mm2: Mean area, or area of the largest grain, in mm².

    Returns:
        G, or nan.
    """
    return g_from_grain_density(1 / area_mm2) if _positive(area_mm2) else math.nan


def shape_disagreement_g(intercept_times_root_density: float) -> float:
    """How far the intercept G lies above the planimetric G for grains of one shape.

    Args:
        intercept_times_root_density: ℓ·√N_A, without unit: 0.8909 where both agree, π/4 for Poisson-Voronoi
            cells (Miles 1970, Math. Biosci. 6:85), 0.844 for regular hexagons.

    Returns:
        Difference in G, or nan.
    """
    if not _positive(intercept_times_root_density):
        return math.nan
    agreeing = MEAN_INTERCEPT_AT_G0_MM * math.sqrt(GRAIN_DENSITY_AT_G0)
    return 2 * math.log2(agreeing / intercept_times_root_density)


def elongation_disagreement_g(elongation: float) -> float:
    """By how much stretching a structure raises the intercept G over the planimetric G.

    A structure that is stretched to λ times its extent along one axis has 1/λ of its former grains per area.
    Its crossings per length, averaged over all directions, are (2/π)·E(1 - 1/λ²) of the former ones, with the
    complete elliptic integral E (the perimeter of an ellipse, since crossings are proportional to the length
    of the boundary). Hence the difference grows by 2·log2[(2/π)·E(1 - 1/λ²)·√λ]: 0.25 at 2:1, 0.59 at 3:1.

    Args:
        elongation: λ, at least 1.

    Returns:
        Difference in G, infinite for an infinite λ, nan for nan.
    """
    if math.isinf(elongation) or math.isnan(elongation):
        return elongation
    crossings = 2 / math.pi * float(special.ellipe(1 - 1 / elongation**2))
    return 2 * math.log2(crossings * math.sqrt(elongation))


def density_saltikov(inside: int, on_edge: int, corners: int, area: float) -> float:
    """Grains per area of a rectangle (Saltikov's count, as summarised in public literature).

    Args:
        inside: Grains that the frame does not cut.
        on_edge: Grains that the frame cuts and that hold none of its corners: one half each.
        corners: Corners of the frame that lie in grains: one quarter each.
        area: Area of the rectangle, in any unit.

    Returns:
        N_A in 1 / unit of the area, or nan without area.
    """
    return (inside + on_edge / 2 + corners / 4) / area if _positive(area) else math.nan


def density_jeffries(inside: int, intercepted: int, area: float) -> float:
    """Grains per area of a circle (Jeffries' count, as summarised in public literature).

    On the classic circle of 5000 mm² at a magnification of M the factor of this count is Jeffries' factor
    f = 0.0002·M²; with calibrated pixels f is one over the circle's own area.

    Args:
        inside: Grains that lie wholly in the circle.
        intercepted: Grains that its line cuts: one half each.
        area: Area of the circle, in any unit.

    Returns:
        N_A in 1 / unit of the area, or nan without area.
    """
    return (inside + intercepted / 2) / area if _positive(area) else math.nan


def density_triple_points(points: float, area: float) -> float:
    """Grains per area from the triple points, where three boundaries meet: (P/2 + 1) / A.

    Van der Voort's count, as summarised in public literature, from Euler's relation for a network
    whose points join three lines each.

    Args:
        points: Triple points P in the area; a point where four grains meet counts as two.
        area: The area A, in any unit.

    Returns:
        N_A in 1 / unit of the area, or nan without area.
    """
    return (points / 2 + 1) / area if _positive(area) else math.nan


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


STRUCTURE_DISAGREEMENT_G = shape_disagreement_g(math.pi / 4)
"""Largest difference in G between the two scales that the shape of equiaxed grains explains: that of
Poisson-Voronoi cells."""
