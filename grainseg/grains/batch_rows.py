"""Batches, their budgets and their comparisons as flat rows, with the unit in the names of lengths."""

import math

from grainseg.grains.batch import BatchStatistics
from grainseg.grains.compare import Comparison
from grainseg.grains.samples import Estimate

Value = str | float | int | bool | None
Row = dict[str, Value]

_SUFFIX = {"µm": "um", "px": "px"}
CLOSED_UNKNOWN = "not known: the grain maps were given"
"""Where the mean intercept without closed gaps would stand."""
_LENGTHS = ("d10", "d50", "d90", "d10_area", "d50_area", "d90_area", "mean_diameter")


def batch_row(stats: BatchStatistics) -> Row:
    """One batch.

    `…_low` and `…_high` are the 95 % interval of the sampling of fields alone; the uncertainty of the mean
    intercept is `expanded_uncertainty_percent`, missing where the budget is incomplete, and the interval that
    it gives stands in `mean_intercept_total_low_…` and `…_high_…`.

    Args:
        stats: The batch; lengths get the suffix `_um` or `_px`.

    Returns:
        The row; None where there is no number.
    """
    unit, budget = _SUFFIX[stats.unit], stats.budget
    factor = None if budget.expanded is None else math.exp(budget.expanded)
    row: Row = {
        "batch": stats.name,
        "fields": stats.fields,
        "grains": stats.grains,
        **_estimate("mean_intercept", unit, stats.intercept),
        f"mean_intercept_total_low_{unit}": factor and stats.intercept.value / factor,
        f"mean_intercept_total_high_{unit}": factor and stats.intercept.value * factor,
        f"mean_intercept_without_closed_{unit}": _finite(stats.intercept_without_closed),
        "closed_gaps": "counted" if stats.closed_known else CLOSED_UNKNOWN,
        **_estimate("astm_g", "", stats.g),
        "relative_accuracy_percent": _finite(stats.relative_accuracy_percent),
        "more_fields_for_10_percent": stats.more_fields_for_10_percent,
    }
    for name in _LENGTHS:
        row |= _estimate(name, unit, getattr(stats, name))
    row |= {
        f"geometric_mean_diameter_{unit}": _finite(math.exp(stats.lognormal_mean_ln)),
        "lognormal_sd_ln": _finite(stats.lognormal_sd_ln),
        "lognormal_distance": _finite(stats.lognormal_distance),
        "bimodal": stats.bimodal,
        "bimodality": stats.bimodality,
        "combined_uncertainty_percent": _percent(budget.combined_ln),
        "expanded_uncertainty_percent": _percent(budget.expanded),
        "budget_complete": budget.complete,
        "coverage": budget.coverage,
        "flags": "; ".join(stats.flags),
    }
    return row


def budget_rows(stats: BatchStatistics) -> list[Row]:
    """One row per part of a batch's uncertainty budget; percent of the mean intercept, "unknown" in words."""
    return [
        {
            "batch": stats.name,
            "part": part.name,
            "known": part.complete and part.standard_uncertainty_ln is not None,
            "standard_uncertainty_percent": _percent(part.standard_uncertainty_ln),
            "degrees_of_freedom": _finite(part.df),
            "how": part.how,
        }
        for part in stats.budget.entries
    ]


def comparison_row(comparison: Comparison) -> Row:
    """One pair of batches: ratios b over a, differences b minus a, 95 % intervals for this pair alone."""
    unit = _SUFFIX[comparison.unit]
    return {
        "a": comparison.a,
        "b": comparison.b,
        "fields_a": comparison.fields_a,
        "fields_b": comparison.fields_b,
        "verdict": comparison.verdict,
        **_estimate("intercept_ratio", "", comparison.ratio),
        **_estimate("intercept_difference", unit, comparison.difference_intercept),
        **_estimate("d50_difference", unit, comparison.difference_d50),
        **_estimate("delta_g", "", comparison.delta_g),
        "p": _finite(comparison.p),
        "p_holm": _finite(comparison.p_holm),
        "margin_g": comparison.margin_g,
        "p_equivalence": _finite(comparison.p_equivalence),
        "p_equivalence_holm": _finite(comparison.p_equivalence_holm),
        f"wasserstein_{unit}": _finite(comparison.wasserstein),
        "fields_needed": comparison.fields_needed,
        "sentence": comparison.sentence,
        "systematic": comparison.systematic,
    }


def _estimate(name: str, unit: str, estimate: Estimate | None) -> Row:
    numbers = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    names = (name, f"{name}_low", f"{name}_high")
    return {
        "_".join(filter(None, (key, unit))): _finite(number)
        for key, number in zip(names, numbers, strict=True)
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _percent(ln: float | None) -> float | None:
    return None if ln is None else _finite(100 * ln)
