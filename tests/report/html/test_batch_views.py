"""What the tables of the report make of a batch: intervals of the whole budget, never the sampling's."""

import math
from dataclasses import replace

import pytest
from field_samples import batch, field

from grainseg.grains.batches.batch import batch_statistics
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.batches.compare import compare_batches
from grainseg.grains.batches.other_procedures import OtherProcedures
from grainseg.grains.measuring.astm import g_from_mean_intercept
from grainseg.report.html.batch_views import (
    batch_sentences,
    budget_table,
    comparison_table,
    estimate_table,
    sampled_sentences,
    summary_table,
)
from grainseg.report.html.cells import MISSING, Number, number_text

LARGE = batch_statistics("x", "µm", batch(0, 6), SegmentationError(0.3, 0.2, 5, "test"), 0.01, 0.1)
INCOMPLETE = batch_statistics("x", "µm", batch(0, 6), None, 0.01, 0.1)


def numbers(cell):
    return {part.key: float(part.value) for part in cell.parts if isinstance(part, Number)}


def cell_of(table, title):
    (index,) = (i for i, column in enumerate(table.columns) if column.title == title)
    return table.lines[0].cells[index]


def test_the_whole_interval_is_the_value_over_and_times_a_factor():
    value, factor = LARGE.intercept.value, math.exp(LARGE.budget.expanded)
    assert factor > 2  # plus or minus a percentage would reach below 0 here
    shown = numbers(cell_of(summary_table([LARGE], {}), "Expanded interval"))
    assert shown == {
        "mean_intercept_total_low_um": pytest.approx(value / factor),
        "mean_intercept_total_high_um": pytest.approx(value * factor),
    }
    assert numbers(cell_of(estimate_table(LARGE), "Expanded interval")) == shown


def test_g_carries_the_expanded_uncertainty_of_the_intercept():
    cell = cell_of(summary_table([LARGE], {}), "G")
    factor = math.exp(LARGE.budget.expanded)
    fine, coarse = (
        g_from_mean_intercept(LARGE.intercept.value / 1000 * ratio) for ratio in (1 / factor, factor)
    )
    assert LARGE.g.value == pytest.approx((fine + coarse) / 2)
    assert cell.parts[-1] == f" ± {number_text((fine - coarse) / 2, places=1)}"
    whole = numbers(estimate_table(LARGE).lines[2].cells[-1])
    assert whole == {"astm_g_total_low": pytest.approx(coarse), "astm_g_total_high": pytest.approx(fine)}


def test_without_a_complete_budget_there_is_no_such_interval():
    cell = cell_of(summary_table([INCOMPLETE], {}), "Expanded interval")
    assert cell.parts == (INCOMPLETE.budget.coverage,)
    assert cell.parts[0].startswith("incomplete: segmentation unknown")
    assert len(cell_of(summary_table([INCOMPLETE], {}), "G").parts) == 1
    assert estimate_table(INCOMPLETE).lines[2].cells[-1].parts == ("follows from the intercept",)


@pytest.mark.parametrize(
    ("samples", "accuracy", "fit"),
    [
        ([], "No field has a mean intercept, so there is no %RA", "There is no log-normal fit"),
        (batch(0, 1), "One field has no %RA", "Log-normal fit by number: geometric mean"),
        (
            batch(0, 2, scatter=0.2),
            "%RA of the mean intercept over 2 fields, which count the same here, is ",
            "Log-normal fit",
        ),
        ([field("a", 20, []), field("b", 21, [])], "%RA", "There is no log-normal fit"),
    ],
)
def test_sentences_say_what_there_is_not(samples, accuracy, fit):
    found = batch_sentences(batch_statistics("x", "µm", samples))
    assert found[0].startswith(accuracy)
    assert found[1].startswith(fit)
    assert MISSING not in "".join(found)


@pytest.mark.parametrize(
    ("more", "said"), [(0, "is met"), (1, " 1 more field would"), (3, " 3 more fields would")]
)
def test_numbers_of_fields_agree_with_their_nouns(more, said):
    assert said in batch_sentences(replace(LARGE, more_for_10_percent=more))[0]


def test_the_scatter_is_that_of_the_specimens_where_they_are_named():
    said = batch_sentences(replace(LARGE, specimens=2))[0]
    assert said.startswith("%RA of the mean intercept over 2 specimens, ")


def test_a_small_probability_is_said_to_be_small():
    (pair,) = compare_batches({"A": batch(0, 5), "B": batch(1, 5, 23)}, "µm")
    cell = cell_of(comparison_table([replace(pair, p_holm=0.0004)]), "p, difference")
    assert ([part.text for part in cell.parts], cell.sort) == (["< 0.001"], "0.0004")


def test_the_budget_has_each_part_as_logarithm_and_in_percent():
    *parts, combined, expanded = budget_table(LARGE).lines
    for line, part in zip(parts, LARGE.budget.entries, strict=True):
        u = part.standard_uncertainty_ln
        assert numbers(line.cells[1]) == {"standard_uncertainty_ln": pytest.approx(u)}
        assert numbers(line.cells[2]) == {"standard_uncertainty_percent": pytest.approx(100 * math.expm1(u))}
    squares = sum(numbers(line.cells[1])["standard_uncertainty_ln"] ** 2 for line in parts)
    assert numbers(combined.cells[1])["combined_uncertainty_ln"] ** 2 == pytest.approx(squares)
    percent = numbers(expanded.cells[2])["expanded_uncertainty_percent"]
    assert 1 + percent / 100 == pytest.approx(math.exp(LARGE.budget.expanded))
    unknown = budget_table(INCOMPLETE).lines[1]
    assert unknown.cells[1].parts == ("unknown",)


def test_what_was_sampled_and_g_by_other_procedures_are_said():
    found = OtherProcedures(1.92e6, 560, 412.0, 9.6, 9.03, math.nan, 9.01, 5.0)
    sampled, others = sampled_sentences(LARGE, found)
    assert "6 fields, 1.92 mm² of grains, 560 grains, of which" in sampled
    assert "that have them: test circles 9.60, Saltikov 9.03, triple points 9.01. G of the" in others
    assert others.endswith("largest grain in any field (ALA): 5.00.")
    (in_px,) = sampled_sentences(batch_statistics("x", "px", batch(0, 6)), replace(found, area=90000.0))
    assert "90000 px² of grains" in in_px


def test_the_flags_of_a_batch_include_those_of_its_images():
    assert cell_of(summary_table([LARGE], {}), "Flags").parts == (str(len(LARGE.flags)),)
    with_images = summary_table([LARGE], {"x": 15, "y": 3})
    assert cell_of(with_images, "Flags").parts == (str(len(LARGE.flags) + 15),)


def test_few_fields_meet_no_aim():
    few = batch_sentences(batch_statistics("x", "µm", batch(0, 3)))[0]
    assert few.endswith("Below 5 fields it says little about the aim of 10 %.")
