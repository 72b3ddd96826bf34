"""Flat rows of batches, uncertainty budgets and comparisons; the names of lengths contain the unit."""

import math

from grainseg.grains.batches.batch import BatchStatistics
from grainseg.grains.batches.compare import Comparison
from grainseg.grains.batches.other_procedures import OtherProcedures
from grainseg.grains.batches.samples import FIELD, SPECIMEN, Estimate
from grainseg.grains.wording import percent

Value = str | float | int | bool | None
Row = dict[str, Value]

SUFFIX = {"µm": "um", "px": "px"}
"""Suffixes of the keys of lengths, by unit."""
CLOSED_UNKNOWN = "not known: the grain maps were given"
"""Text in place of the mean intercept without closed gaps, if that is not known."""
_LENGTHS = ("d10", "d50", "d90", "d10_area", "d50_area", "d90_area", "mean_diameter")


def batch_row(stats: BatchStatistics) -> Row:
    """Return the row of one batch.

    `…_sampling_low` and `…_sampling_high` are the 95 % interval due to the sampling of fields, or of
    specimens, alone. The uncertainty u of the mean intercept is that of its logarithm,
    `combined_uncertainty_ln` and `expanded_uncertainty_ln`; in percent it is 100 · (exp(u) - 1). The expanded
    uncertainty U gives the interval from value / exp(U) to value · exp(U), in `mean_intercept_total_low_…`
    and `…_high_…`, and as G in `astm_g_total_low` and `…_high`. If the budget is incomplete, there is no
    expanded uncertainty.

    Args:
        stats: The batch; lengths get the suffix `_um` or `_px`.

    Returns:
        The row; missing numbers are None.
    """
    unit, budget = SUFFIX[stats.unit], stats.budget
    factor = None if budget.expanded is None else math.exp(budget.expanded)
    row: Row = {
        "batch": stats.name,
        "fields": stats.fields,
        "grains": stats.grains,
        "specimens": stats.specimens,
        **_estimate("mean_intercept", unit, stats.intercept),
        f"mean_intercept_total_low_{unit}": factor and stats.intercept.value / factor,
        f"mean_intercept_total_high_{unit}": factor and stats.intercept.value * factor,
        f"mean_intercept_without_closed_{unit}": _finite(stats.intercept_without_closed),
        "closed_gaps": "counted" if stats.closed_known else CLOSED_UNKNOWN,
        **_estimate("astm_g", "", stats.g),
        **_total_g(stats),
        "relative_accuracy_percent": _finite(stats.relative_accuracy_percent),
        **_by_replicate("more_{}_for_10_percent", stats.more_for_10_percent, stats.replicate),
    }
    for name in _LENGTHS:
        row |= _estimate(name, unit, getattr(stats, name))
    row |= {
        f"geometric_mean_diameter_{unit}": _finite(math.exp(stats.lognormal_mean_ln)),
        "lognormal_sd_ln": _finite(stats.lognormal_sd_ln),
        "lognormal_distance": _finite(stats.lognormal_distance),
        "elongation": None if math.isnan(stats.elongation) else stats.elongation,
        "bimodal": stats.bimodal,
        "bimodality": stats.bimodality,
        "combined_uncertainty_ln": budget.combined_ln,
        "combined_uncertainty_percent": _percent(budget.combined_ln),
        "expanded_uncertainty_ln": budget.expanded,
        "expanded_uncertainty_percent": _percent(budget.expanded),
        "budget_complete": budget.complete,
        "coverage": budget.coverage,
        "flags": "; ".join(stats.flags),
    }
    return row


def other_procedures_row(found: OtherProcedures, unit: str) -> Row:
    """Further columns of a batch: what was sampled, and G by other procedures, None where there is none.

    Args:
        found: The counts of all fields together.
        unit: "µm" or "px", the unit of their lengths.
    """
    return {
        "count": found.grains,
        f"counted_area_{'um2' if unit == 'µm' else 'px'}": found.area,
        "crossings_circles": found.circle_crossings,
        "g_circles": _finite(found.g_circles),
        "g_saltikov": _finite(found.g_saltikov),
        "g_jeffries": _finite(found.g_jeffries),
        "g_triple": _finite(found.g_triple),
        "g_ala": _finite(found.g_ala),
    }


def budget_rows(stats: BatchStatistics) -> list[Row]:
    """Return one row per part of a batch's uncertainty budget; `how` explains its value or why it is unknown.

    `standard_uncertainty_ln` is the standard uncertainty u of the logarithm of the mean intercept; the
    squares of the parts add up. In percent it is 100 · (exp(u) - 1).
    """
    return [
        {
            "batch": stats.name,
            "part": part.name,
            "known": part.complete and part.standard_uncertainty_ln is not None,
            "standard_uncertainty_ln": part.standard_uncertainty_ln,
            "standard_uncertainty_percent": _percent(part.standard_uncertainty_ln),
            "degrees_of_freedom": _finite(part.df),
            "how": part.how,
        }
        for part in stats.budget.entries
    ]


def comparison_row(comparison: Comparison) -> Row:
    """Return the row of one pair of batches: ratios b over a, differences b minus a.

    `intercept_ratio` is the ratio of the geometric means of the fields' or specimens' mean intercepts, which
    the tests compare. `…_sampling_low` and `…_sampling_high` are 95 % intervals due to the sampling alone,
    not corrected for several pairs.
    """
    unit = SUFFIX[comparison.unit]
    return {
        "a": comparison.a,
        "b": comparison.b,
        "fields_a": comparison.fields_a,
        "fields_b": comparison.fields_b,
        "specimens_a": comparison.specimens_a,
        "specimens_b": comparison.specimens_b,
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
        **_by_replicate("{}_needed", comparison.needed, comparison.replicate),
        "sentence": comparison.sentence,
        "systematic": comparison.systematic,
    }


def _estimate(name: str, unit: str, estimate: Estimate | None) -> Row:
    numbers = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    names = (name, f"{name}_sampling_low", f"{name}_sampling_high")
    return {
        "_".join(filter(None, (key, unit))): _finite(number)
        for key, number in zip(names, numbers, strict=True)
    }


def _by_replicate(name: str, number: int | None, replicate: str) -> Row:
    """Return the number of replicates under the name of their kind; None for the other kind."""
    return {name.format(f"{kind}s"): number if kind == replicate else None for kind in (FIELD, SPECIMEN)}


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None


def _percent(ln: float | None) -> float | None:
    return None if ln is None else percent(ln)


def _total_g(stats: BatchStatistics) -> Row:
    """Compute the expanded interval of G: ΔG = 2 · Δ ln ℓ̄ / ln 2, from G = 2 · log2(0.32 mm / ℓ̄)."""
    low = high = None
    if stats.g is not None and stats.budget.expanded is not None:
        half = 2 * stats.budget.expanded / math.log(2)
        low, high = _finite(stats.g.value - half), _finite(stats.g.value + half)
    return {"astm_g_total_low": low, "astm_g_total_high": high}
