import math

import pytest
from scipy import stats

from grainseg.grains.batches.budget import (
    BudgetEntry,
    SegmentationError,
    StatedError,
    combine,
    intercept_budget,
    percent,
)
from grainseg.grains.batches.samples import Estimate

SAMPLING = Estimate(20.0, 18.5, 21.6, 0.028, 4.0)
SEGMENTATION = SegmentationError(0.01, 0.02, 5, "leave-one-out")


def test_the_gauge_block_of_the_gum():
    # JCGM 100:2008, example H.1: four parts in nm with their degrees of freedom. By hand: the squares add up
    # to 1003.06, the fourth powers over the degrees of freedom to 60015.4.
    parts = [("a", 25.0, 18.0), ("b", 9.7, 25.6), ("c", 2.9, 50.0), ("d", 16.6, 2.0)]
    budget = combine([BudgetEntry(name, value, "", df) for name, value, df in parts])
    assert budget.combined_ln == pytest.approx(31.671, abs=1e-3)
    assert budget.df == pytest.approx(16.76, abs=0.01)
    assert budget.k == pytest.approx(2.120, abs=5e-4)  # t(0.975, 16), rounded down
    assert budget.expanded == pytest.approx(2.120 * 31.671, rel=1e-3)


def test_the_whole_is_not_surer_than_the_sampling():
    # Two fields: 0.02 with one degree of freedom, t = 12.7. With 0.02 more, exactly known: four, t = 2.78.
    parts = [BudgetEntry("field sampling", 0.02, "", 1.0), BudgetEntry("segmentation", 0.02, "")]
    budget = combine(parts)
    assert budget.df == pytest.approx(4)
    assert budget.expanded == pytest.approx(12.706 * 0.02, rel=1e-4)
    assert budget.expanded == pytest.approx(budget.k * budget.combined_ln)
    assert budget.coverage == f"95 % (k = {budget.k:.2f}, widened to the interval of the sampling alone)"


def test_a_budget_by_hand():
    budget = intercept_budget(SAMPLING, "µm", SEGMENTATION, 0.005, 0.004)
    segmentation = math.sqrt(0.01**2 + 0.02**2 * 4 / 5)
    combined = math.sqrt(0.028**2 + segmentation**2 + 0.004**2 + 0.005**2)
    df = combined**4 / (0.028**4 / 4 + segmentation**4 / 5)
    assert budget.complete
    assert budget.combined_ln == pytest.approx(combined)
    assert budget.df == pytest.approx(df)
    assert budget.expanded == pytest.approx(stats.t.ppf(0.975, math.floor(df)) * combined)
    assert (
        budget.coverage
        == f"95 % (k = {budget.k:.2f} for {df:.1f} effective degrees of freedom, rounded down)"
    )
    two_fields = Estimate(20.0, 13.0, 31.0, 0.028, 1.0)
    assert intercept_budget(two_fields, "px", SEGMENTATION, None, 0.0).df < 4
    alone = combine([BudgetEntry("field sampling", 0.028, "two fields", 1.0)])
    assert alone.k == pytest.approx(12.706, abs=1e-3)


def test_fields_without_any_scatter_say_nothing_about_it():
    """They are copies of one: an interval of no width is none."""
    rounding = Estimate(20.0, 20.0, 20.0, 1e-12, 4.0)
    copies = intercept_budget(rounding, "px", SegmentationError(0.0, 0.02, 4, "x"), None, 0.0)
    assert copies.entries[0].standard_uncertainty_ln is None
    assert "copies of one picture?" in copies.entries[0].how
    assert copies.expanded is None


def test_every_part_of_a_budget_by_hand():
    # Sampling 0.04 (df 4); segmentation √(0.01² + 0.02²·3/4) = 0.02 (df 4); threshold 0.02; pixel size 0.01.
    # Squares: 16 + 4 + 4 + 1 = 25, so u = 0.05. Welch and Satterthwaite: 0.05⁴ / (0.04⁴/4 + 0.02⁴/4) =
    # 6.25e-6 / 6.8e-7 = 9.19, rounded down to 9, of which a table of Student's t has 2.262 (GUM, table G.2).
    # Lines of 0.1 of the mean intercept, at the end, hide up to 1 % of it: 0.01 / √3, a rectangle from 0 on.
    sampling = Estimate(20.0, 17.9, 22.3, 0.04, 4.0)
    budget = intercept_budget(sampling, "µm", SegmentationError(-0.01, 0.02, 4, "x"), 0.01, 0.02)
    assert [part.name for part in budget.entries] == [
        "field sampling",
        "segmentation",
        "threshold",
        "pixel size",
        "line width",
    ]
    uncertainties = [part.standard_uncertainty_ln for part in budget.entries]
    assert uncertainties == pytest.approx([0.04, 0.02, 0.02, 0.01, 0])
    assert [part.df for part in budget.entries] == [4, 4, math.inf, math.inf, math.inf]
    assert budget.combined_ln == pytest.approx(0.05)
    assert budget.df == pytest.approx(9.1912, abs=1e-4)
    assert budget.k == pytest.approx(2.262, abs=5e-4)
    assert budget.expanded == pytest.approx(0.1131, abs=5e-5)
    assert percent(budget.expanded) == pytest.approx(11.98, abs=0.01)
    assert budget.coverage == "95 % (k = 2.26 for 9.2 effective degrees of freedom, rounded down)"
    with_lines = intercept_budget(sampling, "µm", SegmentationError(-0.01, 0.02, 4, "x"), 0.01, 0.02, 0.1)
    assert with_lines.entries[4].standard_uncertainty_ln == pytest.approx(0.01 / math.sqrt(3))
    assert with_lines.combined_ln == pytest.approx(math.sqrt(0.05**2 + 0.01**2 / 3))
    assert "0 to 1.0 % too long" in with_lines.entries[4].how


@pytest.mark.parametrize(("share", "bound"), [(0.05, 0.005), (0.2, 0.02), (0.4, 0.08)])
def test_wide_lines_hide_more_than_their_share(share, bound):
    part = intercept_budget(SAMPLING, "px", None, None, None, share).entries[4]
    assert part.standard_uncertainty_ln == pytest.approx(bound / math.sqrt(3))


def test_what_lines_hide_alone_is_not_the_uncertainty():
    budget = intercept_budget(SAMPLING, "px", None, None, None, 0.2)
    assert budget.combined_ln is None
    with pytest.raises(ValueError, match="negative or no number"):
        intercept_budget(SAMPLING, "px", None, None, None, -0.1)


def test_an_uncertainty_of_the_boundaries_that_somebody_says_counts_as_it_is():
    whole = intercept_budget(SAMPLING, "µm", StatedError(0.03), 0.005, 0.004, doubted="5 of 5 fields")
    assert whole.complete
    assert whole.entries[1].standard_uncertainty_ln == 0.03
    assert whole.entries[1].df == math.inf
    assert "as given, and taken as exactly known" in whole.entries[1].how
    with pytest.raises(ValueError, match="of the segmentation is negative"):
        intercept_budget(SAMPLING, "µm", StatedError(-0.03), 0.005, 0.004)


def test_an_uncertainty_from_a_few_pictures_has_as_many_degrees_of_freedom():
    # Sampling 0.04 (df 4) and 0.03 (df 2) are 0.05: 0.05⁴ / (0.04⁴/4 + 0.03⁴/2) = 5.98, rounded down to 5.
    sampling = Estimate(20.0, 17.9, 22.3, 0.04, 4.0)
    two = intercept_budget(sampling, "px", StatedError(0.03, 2), None, 0.0)
    assert two.df == pytest.approx(6.25e-6 / (6.4e-7 + 4.05e-7))
    assert two.k == pytest.approx(stats.t.ppf(0.975, 5))
    assert "from 2 pictures" in two.entries[1].how
    one = intercept_budget(sampling, "px", StatedError(0.03, 1), None, 0.0)
    assert one.coverage.startswith("incomplete: segmentation partly unknown")


def test_an_error_of_other_pictures_is_known_in_part_only():
    budget = intercept_budget(SAMPLING, "px", SEGMENTATION, None, 0.004, doubted="2 of 5 fields")
    assert budget.expanded is None
    assert budget.coverage == (
        "incomplete: segmentation partly unknown; the sampling interval alone is not the uncertainty"
    )
    assert budget.combined_ln > 0, "a lower bound, for the table of the budget alone"
    none = combine([BudgetEntry("field sampling", None, "one field"), *budget.entries[1:]])
    assert none.coverage == "incomplete: field sampling unknown, segmentation partly unknown"
    assert "pictures unlike those that the error was found on: 2 of 5 fields doubted" in budget.entries[1].how


def test_the_rms_is_that_of_the_errors():
    errors = [0.03, -0.01, 0.02]
    mean = sum(errors) / 3
    sd = math.sqrt(sum((error - mean) ** 2 for error in errors) / 2)
    rms = SegmentationError(mean, sd, 3, "").rms_ln
    assert rms == pytest.approx(math.sqrt(sum(error**2 for error in errors) / 3))


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        ({"segmentation": None}, "segmentation unknown"),
        ({"pixel_size_rel_unc": None}, "uncertainty of the pixel size unknown"),
        ({"threshold_sd_ln": None}, "threshold unknown"),
        ({"intercept": Estimate(20.0, math.nan, math.nan, math.nan, 0.0)}, "field sampling unknown"),
        ({"segmentation": SegmentationError(0.01, 0.0, 1, "one")}, "segmentation partly unknown"),
    ],
)
def test_an_unknown_part_makes_it_incomplete(unknown, said):
    known = {
        "intercept": SAMPLING,
        "unit": "µm",
        "segmentation": SEGMENTATION,
        "pixel_size_rel_unc": 0.005,
        "threshold_sd_ln": 0.004,
    }
    whole, budget = intercept_budget(**known), intercept_budget(**(known | unknown))
    assert not budget.complete
    assert budget.expanded is None
    assert math.isnan(budget.k)
    assert budget.combined_ln < whole.combined_ln
    assert budget.coverage.startswith(f"incomplete: {said}")


def test_missing_parts_are_a_list_and_what_is_not_given_names_its_key():
    one = SegmentationError(0.01, 0.0, 1, "one")
    assert intercept_budget(SAMPLING, "µm", None, None, None).coverage.startswith(
        "incomplete: segmentation, threshold and uncertainty of the pixel size unknown; the sampling"
    )
    assert intercept_budget(SAMPLING, "µm", one, None, None).coverage.startswith(
        "incomplete: threshold and uncertainty of the pixel size unknown, segmentation partly unknown; "
    )
    _, segmentation, _, pixel_size, _ = intercept_budget(SAMPLING, "µm", None, None, 0.0).entries
    assert "the uncertainty of the pixel size is not given" in pixel_size.how
    assert "pixel_size_rel_unc" in pixel_size.how
    assert "--segmentation-rel-unc and --segmentation-images" in segmentation.how


@pytest.mark.parametrize(("unit", "threshold"), [("µm", None), ("px", None), ("px", 0.0)])
def test_the_sampling_alone_is_never_the_uncertainty(unit, threshold):
    budget = intercept_budget(SAMPLING, unit, None, None, threshold)
    assert budget.combined_ln is None
    assert budget.expanded is None
    assert "alone is not the uncertainty" in budget.coverage


def test_percent_is_of_the_number_and_not_of_its_logarithm():
    assert percent(math.log(2)) == pytest.approx(100)
    assert percent(-math.log(2)) == pytest.approx(-50)
    how = intercept_budget(SAMPLING, "px", SegmentationError(math.log(2), math.log(1.5), 3, "x"), None, 0.0)
    assert how.entries[1].how == (
        "x: bias +100.00 %, not corrected, scatter 50.00 % over 3 images; the labels are taken as right, "
        "their own uncertainty is not in it"
    )


def test_in_px_the_pixel_size_takes_no_part():
    budget = intercept_budget(SAMPLING, "px", SEGMENTATION, None, 0.004)
    assert budget.complete
    assert budget.entries[3].standard_uncertainty_ln == 0


def test_judged_parts_alone_have_the_normal_factor():
    budget = combine([BudgetEntry("a", 0.03, ""), BudgetEntry("b", 0.04, "")])
    assert budget.combined_ln == pytest.approx(0.05)
    assert budget.k == pytest.approx(1.95996, abs=1e-5)
    assert budget.coverage == "95 % (k = 1.96)"


def test_a_bias_is_in_the_uncertainty_and_not_in_the_result():
    small, large = (
        intercept_budget(SAMPLING, "px", SegmentationError(bias, 0.01, 5, ""), None, 0.0)
        for bias in (0.0, -0.1)
    )
    assert large.combined_ln > small.combined_ln
    assert "bias −9.52 %, not corrected" in large.entries[1].how


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_uncertainties_that_cannot_be_are_refused(value):
    with pytest.raises(ValueError, match="pixel size"):
        intercept_budget(SAMPLING, "µm", None, value, None)
    with pytest.raises(ValueError, match="threshold"):
        intercept_budget(SAMPLING, "µm", None, None, value)


NO_NUMBERS = [True, False, "1", "0.1", None, [], [0.1], {}, b"1", 1j, math.nan, math.inf, -math.inf]
TOO_LARGE = [10**400, -(10**400), 10**5000, 2, 1.0000001, 1e308]


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        *(("bias_ln", value) for value in (*NO_NUMBERS, *TOO_LARGE, -1.0000001)),
        *(("sd_ln", value) for value in (*NO_NUMBERS, *TOO_LARGE, -1, -1e-300)),
        *(("images", value) for value in (*NO_NUMBERS, 10**400, 10**5000, -1, 0, 1_000_001, 1.0, 5.5)),
        *(("source", value) for value in (None, 1, True, b"x", [], "x" * 201, "a\nb", "a\rb", "a\u2028b")),
        *(("source", value) for value in ("a\n", "\x1b[2J", "\ud800", "\0")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_segmentation_error_takes_nothing_that_passes_for_a_number(name, bad):
    good = {"bias_ln": 0.1, "sd_ln": 0.1, "images": 5, "source": "test"}
    for images in (1, 5):  # one image has no scatter, and its sd is looked at all the same
        with pytest.raises(ValueError, match=f"^{name} of the segmentation error"):
            SegmentationError(**(good | {"images": images} | {name: bad}))


@pytest.mark.parametrize("bias", [-1, -1.0, 0, 5e-324, 1])
@pytest.mark.parametrize("sd", [0, 0.0, 5e-324, 1, 1.0])
@pytest.mark.parametrize("images", [1, 1_000_000])
@pytest.mark.parametrize("source", ["", "µ" * 200])
def test_every_segmentation_error_that_is_taken_can_be_combined(bias, sd, images, source):
    error = SegmentationError(bias, sd, images, source)
    assert 0 <= error.rms_ln <= math.sqrt(2)
    budget = intercept_budget(SAMPLING, "px", error, None, 0.0)
    assert budget.complete == (images > 1)
    assert budget.combined_ln is None or 0.028 <= budget.combined_ln < 1.5
