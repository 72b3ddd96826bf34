import math
import re
from dataclasses import replace

import pytest
from field_samples import batch, field
from scipy import stats

from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.batches.compare import compare_batches
from grainseg.report.files.batch_rows import batch_row, budget_rows, comparison_row

SEGMENTATION = SegmentationError(0.01, 0.02, 5, "leave-one-out")


def every_kind():
    yield batch_statistics("empty", "µm", [])
    yield batch_statistics("one", "µm", batch(0, 1))
    yield batch_statistics("many", "µm", batch(0, 6), SEGMENTATION, 0.005, 0.004)


def test_all_batches_have_the_same_columns_with_units():
    rows = [batch_row(found) for found in every_kind()]
    assert len({tuple(row) for row in rows}) == 1
    assert {"mean_intercept_um", "d50_area_sampling_low_um", "astm_g", "expanded_uncertainty_percent"} <= set(
        rows[0]
    )
    in_px = batch_row(batch_statistics("x", "px", batch(0, 6)))
    assert "mean_intercept_px" in in_px
    assert not any(name.endswith("_um") for name in in_px)
    assert in_px["astm_g"] is None


def test_a_missing_number_is_none_and_never_nan():
    pairs = compare_batches({"A": batch(0, 1), "B": batch(1, 5)}, "µm")
    rows = [batch_row(found) for found in every_kind()] + [comparison_row(pair) for pair in pairs]
    rows += [row for found in every_kind() for row in budget_rows(found)]
    numbers = [value for row in rows for value in row.values() if isinstance(value, float)]
    assert all(math.isfinite(value) for value in numbers)
    assert rows[0]["mean_intercept_um"] is None
    assert rows[3]["p"] is None


def test_numbers_are_those_of_the_statistics():
    found = batch_statistics("many", "µm", batch(0, 6), SEGMENTATION, 0.005, 0.004)
    row = batch_row(found)
    assert row["mean_intercept_um"] == found.intercept.value
    assert row["d90_sampling_high_um"] == found.d90.high
    assert row["astm_g_sampling_low"] == found.g.low
    assert row["expanded_uncertainty_ln"] == found.budget.expanded
    assert row["expanded_uncertainty_percent"] == pytest.approx(100 * (math.exp(found.budget.expanded) - 1))
    assert row["combined_uncertainty_percent"] == pytest.approx(
        100 * (math.exp(found.budget.combined_ln) - 1)
    )
    assert row["mean_intercept_total_low_um"] < row["mean_intercept_sampling_low_um"]
    assert row["mean_intercept_total_high_um"] > row["mean_intercept_sampling_high_um"]


def test_the_expanded_interval_in_closed_form():
    # Two fields with crossings c1 and c2 on lines of one length: the jackknife error of ln mean intercept is
    # |ln c1 - ln c2| / 2, with one degree of freedom.
    found = batch_statistics("x", "µm", [field("a", 20), field("b", 20.2)], SEGMENTATION, 0.005, 0.004)
    row = batch_row(found)
    sampling = math.log(20.2 / 20) / 2
    segmentation = math.sqrt(0.01**2 + 0.02**2 * 4 / 5)
    combined = math.sqrt(sampling**2 + segmentation**2 + 0.005**2 + 0.004**2)
    df = combined**4 / (sampling**4 / 1 + segmentation**4 / 5)
    expanded = stats.t.ppf(0.975, 1) * sampling  # more than the 0.054 of the combined one
    assert expanded > stats.t.ppf(0.975, math.floor(df)) * combined
    value = 2 / (1 / 20 + 1 / 20.2)
    assert row["mean_intercept_um"] == pytest.approx(value)
    assert row["combined_uncertainty_ln"] == pytest.approx(combined)
    assert row["expanded_uncertainty_ln"] == pytest.approx(expanded)
    assert row["mean_intercept_total_low_um"] == pytest.approx(value / math.exp(expanded))
    assert row["mean_intercept_total_high_um"] == pytest.approx(value * math.exp(expanded))
    assert row["astm_g_total_low"] == pytest.approx(2 * math.log2(320 / (value * math.exp(expanded))))
    assert row["astm_g_total_high"] == pytest.approx(2 * math.log2(320 / (value / math.exp(expanded))))


def test_given_maps_have_no_intercept_without_closed_gaps_and_say_why():
    samples = [replace(sample, crossings_without_closed=None) for sample in batch(0, 6)]
    row = batch_row(batch_statistics("x", "µm", samples))
    assert row["mean_intercept_without_closed_um"] is None
    assert row["closed_gaps"] == "not known: the grain maps were given"
    assert batch_row(batch_statistics("x", "µm", batch(0, 6)))["closed_gaps"] == "counted"


def test_the_budget_says_what_is_unknown():
    rows = budget_rows(batch_statistics("x", "µm", batch(0, 6), None, 0.005))
    assert [(row["part"], row["known"]) for row in rows] == [
        ("field sampling", True),
        ("segmentation", False),
        ("threshold", False),
        ("pixel size", True),
        ("line width", True),
    ]
    assert rows[1]["standard_uncertainty_percent"] is None
    assert rows[1]["how"].startswith("unknown")
    assert rows[3]["standard_uncertainty_ln"] == 0.005
    assert rows[3]["standard_uncertainty_percent"] == pytest.approx(100 * (math.exp(0.005) - 1))


def test_without_a_whole_budget_there_is_no_total_interval():
    row = batch_row(batch_statistics("x", "µm", batch(0, 6), None, 0.005, 0.004))
    assert row["mean_intercept_sampling_low_um"] is not None
    assert row["mean_intercept_total_low_um"] is None
    assert row["expanded_uncertainty_percent"] is None
    assert row["budget_complete"] is False


def test_a_comparison_row():
    (pair,) = compare_batches({"A": batch(0, 5), "B": batch(1, 5, 23)}, "µm")
    row = comparison_row(pair)
    assert (row["a"], row["b"], row["verdict"]) == ("A", "B", pair.verdict)
    assert row["intercept_difference_sampling_low_um"] == pair.difference_intercept.low
    assert row["delta_g_sampling_high"] == pair.delta_g.high
    assert row["wasserstein_um"] == pair.wasserstein
    in_px = comparison_row(compare_batches({"A": batch(0, 5), "B": batch(1, 5, 23)}, "px")[0])
    assert in_px["delta_g"] is None
    assert "d50_difference_px" in in_px


def test_every_limit_says_whether_it_is_of_the_sampling_or_of_all_sources():
    rows = [batch_row(found) for found in every_kind()]
    rows += [comparison_row(pair) for pair in compare_batches({"A": batch(0, 5), "B": batch(1, 5)}, "µm")]
    limits = [name for row in rows for name in row if re.search(r"_(low|high)(_um)?$", name)]
    assert len(limits) > 60
    assert all("_sampling_" in name or "_total_" in name for name in limits)
