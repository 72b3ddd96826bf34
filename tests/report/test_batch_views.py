"""The uncertainty of G is that of the mean intercept, on G's scale."""

import pytest

from grainseg.grains.astm import g_from_mean_intercept
from grainseg.report.batch_views import _g_cell


def test_g_carries_the_expanded_uncertainty_of_the_intercept() -> None:
    """5 % of the intercept on either side are ±0.14 in G."""
    cell = _g_cell({"astm_g": 8.0, "expanded_uncertainty_percent": 5.0})
    half = (g_from_mean_intercept(0.02 * 0.95) - g_from_mean_intercept(0.02 * 1.05)) / 2
    assert half == pytest.approx(0.144, abs=0.001)
    assert cell.parts[-1] == " ± 0.14"


def test_without_a_complete_budget_g_stands_alone() -> None:
    row = {"astm_g": 8.0, "astm_g_low": 7.9, "astm_g_high": 8.1, "expanded_uncertainty_percent": None}
    assert len(_g_cell(row).parts) == 1
