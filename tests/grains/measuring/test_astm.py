import math

import numpy as np
import pytest

from grainseg.grains.measuring import astm

# G, N_A /mm², mean area µm², √mean area µm, mean intercept µm, N_L /mm, ISO 643 G: the table of ASTM E112 as
# printed in public literature, to its digits.
TABLE = [
    (-1, 3.875, 258064, 508.0, 452.5, 2.210, -1.046),
    (0, 7.750, 129032, 359.2, 320.0, 3.125, -0.046),
    (1, 15.50, 64516, 254.0, 226.3, 4.419, 0.954),
    (2, 31.00, 32258, 179.6, 160.0, 6.250, 1.954),
    (3, 62.00, 16129, 127.0, 113.1, 8.839, 2.954),
    (4, 124.0, 8064.5, 89.80, 80.0, 12.50, 3.954),
    (5, 248.0, 4032.2, 63.50, 56.57, 17.68, 4.954),
    (6, 496.0, 2016.1, 44.90, 40.0, 25.00, 5.954),
    (7, 992.0, 1008.1, 31.75, 28.28, 35.36, 6.954),
    (8, 1984, 504.0, 22.45, 20.0, 50.00, 7.954),
    (10, 7936, 126.0, 11.23, 10.0, 100.0, 9.954),
    (12, 31744, 31.5, 5.61, 5.0, 200.0, 11.954),
    (14, 126976, 7.9, 2.81, 2.5, 400.0, 13.954),
]
TOLERANCE_G = 0.005


@pytest.mark.parametrize(("g", "density", "area", "root", "intercept", "crossings", "iso"), TABLE)
def test_every_formula_gives_the_table(g, density, area, root, intercept, crossings, iso):
    printed = 0.01 if area < 10 else TOLERANCE_G  # 7.9 µm² is printed with two digits
    assert astm.g_from_grain_density(density) == pytest.approx(g, abs=TOLERANCE_G)
    assert astm.g_from_area(area * 1e-6) == pytest.approx(g, abs=printed)
    assert astm.g_from_area((root * 1e-3) ** 2) == pytest.approx(g, abs=TOLERANCE_G)
    assert astm.g_from_mean_intercept(intercept * 1e-3) == pytest.approx(g, abs=TOLERANCE_G)
    assert astm.g_from_mean_intercept(1 / crossings) == pytest.approx(g, abs=TOLERANCE_G)
    # ISO 643 counts 8·2^G grains per mm².
    assert astm.g_from_grain_density(8 * 2**iso) == pytest.approx(g, abs=TOLERANCE_G)


@pytest.mark.parametrize("g", [-3.0, 0.0, 0.123, 7.7, 14.0])
def test_both_scales_are_exact(g):
    """2^(G-1) grains per square inch at 100×, and ℓ = 0.32 mm·2^(-G/2)."""
    assert astm.g_from_grain_density(2 ** (g - 1) / 0.254**2) == pytest.approx(g, abs=1e-12)
    assert astm.g_from_area(0.254**2 / 2 ** (g - 1)) == pytest.approx(g, abs=1e-12)
    assert astm.g_from_mean_intercept(0.32 * 2 ** (-g / 2)) == pytest.approx(g, abs=1e-12)


def test_definition_and_printed_constants():
    """One inch is 25.4 mm by definition, and one square inch at 100× 0.064516 mm² of the specimen."""
    grains_at_g1 = 2 * astm.GRAIN_DENSITY_AT_G0
    assert grains_at_g1 * (25.4 / 100) ** 2 == pytest.approx(1, rel=1e-12)
    assert astm.g_from_grain_density(1) == pytest.approx(-2.954199, abs=1e-6)
    assert astm.g_from_grain_density(1) == pytest.approx(-2.954, abs=0.0003)
    assert astm.g_from_mean_intercept(1) == pytest.approx(-3.287712, abs=1e-6)
    assert astm.g_from_mean_intercept(1) == pytest.approx(-3.288, abs=0.0003)


def test_worked_example():
    """62 crossings on 1984 µm: 32.0 µm, G = 6.64."""
    intercept_um = 1984 / 62
    assert intercept_um == 32.0
    assert astm.g_from_mean_intercept(intercept_um / 1000) == pytest.approx(6.64, abs=TOLERANCE_G)


def test_jeffries_factor_goes_with_the_square_of_the_magnification():
    """f = M²/5000 = 0.0002·M², not 0.0002·M: 50 grains on the 5000 mm² circle at 100× are 100 per mm²."""
    magnification, circle_mm2 = 100, 5000
    density = astm.density_jeffries(40, 20, circle_mm2 / magnification**2)
    assert density == pytest.approx(0.0002 * magnification**2 * 50)
    assert density != pytest.approx(0.0002 * magnification * 50)


def test_known_wrong_formulas_are_far_off():
    intercept_mm = 0.032
    g = astm.g_from_mean_intercept(intercept_mm)
    binary_for_decimal_logarithm = -6.6438 * math.log2(intercept_mm) - 3.293
    planimetric_factor_for_a_length = -3.322 * math.log10(intercept_mm) - 3.288
    assert abs(g - binary_for_decimal_logarithm) > 20
    assert abs(g - planimetric_factor_for_a_length) > 4
    # The root of the mean area in place of the mean intercept is 0.33 G off, the diameter of the circle 0.68.
    root_mm = (astm.GRAIN_DENSITY_AT_G0 * 2**g) ** -0.5
    assert g - astm.g_from_mean_intercept(root_mm) == pytest.approx(0.333, abs=0.002)
    assert g - astm.g_from_mean_intercept(root_mm * 2 / math.sqrt(math.pi)) == pytest.approx(0.682, abs=0.002)
    # The count in place of the mean intercept (62 'mm' for 0.032 mm).
    assert abs(g - astm.g_from_mean_intercept(62)) > 20


@pytest.mark.parametrize(
    ("shape", "expected"),
    [(math.pi / 4, 0.36), (0.844, 0.16), (0.8909, 0.0)],
    ids=["Poisson", "hexagon", "E112"],
)
def test_shape_alone_separates_the_scales(shape, expected):
    assert astm.shape_disagreement_g(shape) == pytest.approx(expected, abs=0.006)
    density = 400.0
    intercept = shape / math.sqrt(density)
    apart = astm.g_from_mean_intercept(intercept) - astm.g_from_grain_density(density)
    assert apart == pytest.approx(astm.shape_disagreement_g(shape), abs=1e-12)
    assert pytest.approx(0.364, abs=0.001) == astm.STRUCTURE_DISAGREEMENT_G


@pytest.mark.parametrize(("ratio", "expected"), [(1, 0), (2, 0.2495), (3, 0.5928), (100, 5.3415)])
def test_elongation_separates_the_scales_further(ratio, expected):
    """Against the perimeter of the ellipse by numbers; 100:1 nears 2·log2[(2/π)·√100]."""
    angle = (np.arange(200_000) + 0.5) * math.pi / 200_000
    crossings = np.sqrt((np.cos(angle) / ratio) ** 2 + np.sin(angle) ** 2).mean()
    apart = 2 * math.log2(crossings * math.sqrt(ratio))
    assert astm.elongation_disagreement_g(ratio) == pytest.approx(apart, abs=1e-6)
    assert astm.elongation_disagreement_g(ratio) == pytest.approx(expected, abs=0.001)


def test_counts_per_area():
    assert astm.density_saltikov(30, 16, 4, 2.0) == (30 + 8 + 1) / 2
    assert astm.density_saltikov(0, 0, 4, 5.0) == 1 / 5
    assert astm.density_jeffries(30, 16, 2.0) == 19
    assert astm.density_triple_points(98, 2.0) == 25


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_what_has_no_g_is_nan(bad):
    for function in (
        astm.g_from_mean_intercept,
        astm.g_from_grain_density,
        astm.g_from_area,
        astm.shape_disagreement_g,
    ):
        assert math.isnan(function(bad))
    assert math.isnan(astm.elongation_disagreement_g(math.nan))
    assert math.isinf(astm.elongation_disagreement_g(math.inf))
    assert math.isnan(astm.density_saltikov(1, 1, 1, bad))
    assert math.isnan(astm.density_jeffries(1, 1, bad))
    assert math.isnan(astm.density_triple_points(1, bad))
