import math
from dataclasses import replace

import numpy as np
import pytest
from field_samples import batch, field
from scipy import stats

from grainseg.grains.batches.compare import compare_batches, difference_estimate, margin_ln
from grainseg.grains.batches.intervals import field_intercepts
from grainseg.grains.batches.samples import Estimate
from grainseg.grains.batches.welch import fields_for_decision


def compare(a, b, unit="µm", **options):
    (comparison,) = compare_batches({"A": a, "B": b}, unit, **options)
    return comparison


def steady(intercept, fields=8, spread=0.02, prefix="f"):
    """Fields whose ln intercepts lie evenly within ± spread: tests of known outcome."""
    offsets = np.linspace(-spread, spread, fields)
    diameters = intercept * np.exp(0.4 * stats.norm.ppf((np.arange(60) + 0.5) / 60))
    return [
        field(f"{prefix}{i}", intercept * math.exp(o), diameters * math.exp(o)) for i, o in enumerate(offsets)
    ]


def test_the_test_is_welchs_on_the_fields():
    a, b = batch(0, 5), batch(1, 9, 22)
    found = compare(a, b)
    by_scipy = stats.ttest_ind(np.log(field_intercepts(b)), np.log(field_intercepts(a)), equal_var=False)
    assert found.p == found.p_holm == pytest.approx(by_scipy.pvalue)
    assert found.ratio.df == pytest.approx(by_scipy.df)
    np.testing.assert_allclose(np.log([found.ratio.low, found.ratio.high]), by_scipy.confidence_interval())
    assert (found.fields_a, found.fields_b) == (5, 9)
    scatter = [np.log(field_intercepts(each)).std(ddof=1) for each in (a, b)]
    assert found.needed == max(5, fields_for_decision(*scatter, margin_ln(0.25)))


def test_different():
    found = compare(steady(20), steady(24))
    assert found.verdict == "different"
    assert found.ratio.value == pytest.approx(1.2)
    assert found.delta_g.value == pytest.approx(-2 * math.log2(1.2))
    assert found.delta_g.low < found.delta_g.value < found.delta_g.high < 0
    assert found.difference_intercept.value == pytest.approx(4, rel=1e-3)
    assert found.difference_d50.value == pytest.approx(4, rel=0.01)
    assert found.difference_d50.low > 0
    low, high = (100 * (end - 1) for end in (found.ratio.low, found.ratio.high))
    g_low, g_high = (f"{end:+.2f}".replace("-", "−") for end in (found.delta_g.low, found.delta_g.high))
    assert found.sentence == (
        "The geometric mean of the fields' mean intercepts is 20.0 % larger in B than in A "
        f"(95 % sampling interval {low:+.1f} to {high:+.1f} %, which is −0.53 in G, {g_low} to {g_high}; "
        "p < 0.0001). "
        "The batches are different, and the whole interval lies beyond ±0.25 G (−8.3 to +9.1 %). "
        "Fields are the unit: scatter between specimens is not included."
    )


def test_a_difference_that_may_be_within_the_margin_is_not_said_to_be_beyond():
    found = compare(steady(20), steady(21.8))
    assert found.verdict == "different"
    assert found.ratio.low < 2 ** (0.25 / 2) < found.ratio.high
    assert "is not shown" in found.sentence
    assert "beyond" not in found.sentence
    assert "lies beyond" in compare(steady(24), steady(20)).sentence


def test_the_ratio_is_of_geometric_means_and_not_of_pooled_intercepts():
    # Two fields of 10 and 40 have a geometric mean of 20 and, by all length over all crossings, 16.
    a = [field("a", 10), field("b", 40)]
    found = compare(a, [field("a", 20), field("b", 20.2)])
    assert found.ratio.value == pytest.approx(math.sqrt(20 * 20.2) / 20)
    assert found.difference_intercept.value == pytest.approx(20.1 - 16, abs=0.01)


def test_a_smaller_intercept_has_minus_signs_that_are_none_of_a_program():
    found = compare(steady(24), steady(20))
    assert "is 16.7 % smaller in B than in A (95 % sampling interval −1" in found.sentence
    assert "-" not in found.sentence


def test_equivalent():
    found = compare(steady(20), steady(20.1))
    assert found.verdict == "equivalent"
    assert found.p > 0.05
    assert found.needed == 5  # fewer would do by their scatter, but say too little of it
    assert (
        "The difference is smaller than ±0.25 G (−8.3 to +9.1 %): going by the scatter between fields, the "
        "batches are equivalent within this margin." in found.sentence
    )


def test_a_real_difference_within_the_margin_is_equivalent_and_said():
    found = compare(steady(20), steady(20.8))
    assert found.p_holm < 0.05
    assert found.p_equivalence_holm < 0.05
    assert found.verdict == "equivalent"
    assert "A difference exists, but it is smaller than ±0.25 G" in found.sentence


def test_a_pair_that_more_tests_keep_from_equivalence_says_so():
    a, b, c = steady(20, 5, 0.018), steady(21.4, 5, 0.018), steady(30)
    assert compare(a, b).verdict == "equivalent"
    pair = compare_batches({"A": a, "B": b, "C": c}, "µm")[0]
    assert pair.verdict == "different"
    assert "is not shown, though equivalence would be for this pair alone." in pair.sentence


def test_not_enough_fields():
    a, b = steady(20, 3, 0.1), steady(20.5, 3, 0.1)
    found = compare(a, b)
    assert found.verdict == "not enough fields"
    assert found.needed > 3
    assert f"about {found.needed} new fields per batch, compared without these, would" in found.sentence
    assert "Fewer than 5 fields in A and B" in found.sentence


def test_more_fields_than_anybody_measures_are_not_counted():
    found = compare(steady(20, 3, 0.5), steady(20.5, 3, 0.5), margin_g=0.01)
    assert found.needed > 1000
    assert "at this scatter more than 1000 new fields per batch" in found.sentence


def test_a_smaller_margin_is_harder_to_reach():
    assert compare(steady(20), steady(20.5), margin_g=0.25).verdict == "equivalent"
    assert compare(steady(20), steady(20.5), margin_g=0.05).verdict == "different"
    assert margin_ln(1) == pytest.approx(math.log(math.sqrt(2)))  # ΔG = 1 is a ratio of √2


@pytest.mark.parametrize(("count", "said"), [(0, "no field"), (1, "one field"), (2, "two fields")])
def test_a_batch_of_fewer_than_three_fields_is_not_judged(count, said):
    found = compare(steady(20), steady(30, 5)[:count])
    assert found.verdict == "not enough fields"
    assert math.isnan(found.p)
    assert math.isnan(found.ratio.low)
    assert found.sentence.startswith(
        f"Not enough fields for A and B: B has {said}, and fewer than three show"
    )
    assert f"; about {found.needed} fields per batch would decide at the scatter of the" in found.sentence
    assert found.needed >= 2


def test_fields_without_crossings_do_not_count():
    blank = field("blank", math.inf, [])
    found = compare([*steady(20, 2), blank], [*steady(21, 1), blank])
    assert (found.fields_a, found.fields_b) == (2, 1)
    assert found.verdict == "not enough fields"
    assert "1 field of A is left out: no boundary is crossed." in found.sentence
    two = compare([*steady(20, 2), blank, field("white", math.inf, [])], steady(21))
    assert "2 fields of A are left out: no boundary is crossed." in two.sentence


def test_batches_without_scatter():
    copies = [field(name, 20) for name in "abcde"]
    both = compare(
        copies, [replace(sample, crossings=180.0, crossings_without_closed=180.0) for sample in copies]
    )
    assert both.verdict == "not enough fields"
    assert both.needed is None
    assert "copies of one image" in both.sentence
    one = compare(copies, steady(30))
    assert one.verdict == "not enough fields"
    assert "the fields of A do not differ at all" in one.sentence
    assert one.ratio.value == pytest.approx(30 / 20, rel=0.05)
    assert math.isnan(one.ratio.low)
    assert math.isnan(one.p_equivalence)


def test_swapping_the_batches_mirrors_everything():
    there, back = compare(batch(2, 6), batch(3, 7, 21)), compare(batch(3, 7, 21), batch(2, 6))
    assert back.p == pytest.approx(there.p)
    assert back.p_equivalence == pytest.approx(there.p_equivalence)
    assert back.verdict == there.verdict
    assert back.ratio.value == pytest.approx(1 / there.ratio.value)
    assert (back.ratio.low, back.ratio.high) == pytest.approx((1 / there.ratio.high, 1 / there.ratio.low))
    for name in ("difference_intercept", "difference_d50", "delta_g"):
        one, other = getattr(there, name), getattr(back, name)
        assert (one.low, one.value, one.high) == pytest.approx((-other.high, -other.value, -other.low))


@pytest.mark.parametrize("scale", [0.2252, 1000.0])
def test_another_unit_scales_the_lengths_and_leaves_the_verdict(scale):
    px = compare(batch(4, 6), batch(5, 7, 21))
    scaled = compare(batch(4, 6, scale=scale), batch(5, 7, 21, scale=scale))
    for name in ("p", "p_equivalence", "needed"):
        assert getattr(scaled, name) == pytest.approx(getattr(px, name))
    assert (scaled.verdict, scaled.sentence) == (px.verdict, px.sentence)
    assert scaled.ratio.value == pytest.approx(px.ratio.value)
    assert scaled.wasserstein == pytest.approx(scale * px.wasserstein)
    for name in ("difference_intercept", "difference_d50"):
        one, other = getattr(scaled, name), getattr(px, name)
        assert (one.low, one.high) == pytest.approx((scale * other.low, scale * other.high))


def test_three_batches_are_corrected_after_holm():
    pairs = compare_batches({"A": batch(6, 6), "B": batch(7, 6, 21), "C": batch(8, 6, 25)}, "µm")
    assert [(pair.a, pair.b) for pair in pairs] == [("A", "B"), ("A", "C"), ("B", "C")]
    p = sorted(pair.p for pair in pairs)
    corrected = sorted(pair.p_holm for pair in pairs)
    assert corrected[0] == pytest.approx(3 * p[0])
    assert corrected[1] == pytest.approx(max(3 * p[0], 2 * p[1]))
    alone = compare(batch(6, 6), batch(7, 6, 21))
    assert pairs[0].p == pytest.approx(alone.p)
    assert pairs[0].needed > alone.needed
    # What a pair alone would show is not shown by one of three.
    a, b = steady(20, 5, 0.08), steady(22.3, 5, 0.08)
    assert compare(a, b).verdict == "different"
    assert compare_batches({"A": a, "B": b, "C": a}, "µm")[0].verdict == "not enough fields"


def test_an_untestable_pair_does_not_weigh_on_the_others():
    two = compare(steady(20), steady(21))
    three = compare_batches({"A": steady(20), "B": steady(21), "C": steady(22)[:1]}, "µm")
    assert three[0].p_holm == two.p_holm
    assert three[0].needed == two.needed


def test_the_wasserstein_distance_is_that_of_scipy_with_weights():
    rng = np.random.default_rng(9)
    a = [field(str(i), 20, rng.lognormal(3, 0.4, 50), weights=rng.uniform(1, 2, 50)) for i in range(3)]
    b = [
        field(str(i), 20.1 + i, rng.lognormal(3.2, 0.4, 70), weights=rng.uniform(1, 2, 70)) for i in range(3)
    ]
    pooled = [
        np.concatenate([getattr(s, name) for s in samples])
        for name in ("diameters", "weights")
        for samples in (a, b)
    ]
    assert compare(a, b).wasserstein == pytest.approx(stats.wasserstein_distance(*pooled))
    assert math.isnan(compare(a, [field("x", 20, []), field("y", 21, [])]).wasserstein)


def test_in_px_there_is_no_delta_g():
    found = compare(batch(0, 5), batch(1, 5), "px")
    assert found.delta_g is None
    assert "same pixel size" in found.systematic


def test_shared_errors_are_said_to_cancel():
    assert "cancels in the ratio" in compare(batch(0, 5), batch(1, 5)).systematic


def lined(samples, width):
    return [replace(sample, line_width=width) for sample in samples]


def test_lines_of_unequal_width_are_named_and_count_in_the_margin():
    """Shares of 0.1 and 0.3 hide up to 1 and 4.5 %: half a margin of 8.7 % is left."""
    a, b = steady(20), steady(20.1)
    plain, wide = compare(a, b), compare(lined(a, 2.0), lined(b, 6.03))
    assert wide.p == plain.p
    assert wide.p_equivalence > plain.p_equivalence
    # As if the difference were larger by what lines can hide.
    further = compare(a, steady(20.1 * math.exp(0.0350)))
    assert wide.p_equivalence == pytest.approx(further.p_equivalence, rel=0.02)
    assert "up to 1.0 and 4.5 % too long: 3.5 % between the batches may be the lines'" in wide.sentence
    assert compare(lined(a, 2.0), lined(b, 4.42)).p_equivalence > plain.p_equivalence  # 1.4 % of lines
    # Widths alike relative to the grains cancel, and say nothing.
    assert compare(lined(a, 4.0), lined(b, 4.1)).sentence == plain.sentence
    nothing_left = compare(lined(a, 2.0), lined(b, 10.0))
    assert (nothing_left.verdict, nothing_left.needed) == ("not enough fields", None)
    assert "no number of fields can show the latter" in nothing_left.sentence
    assert "equally wide" in plain.systematic


def on_specimens(intercepts, prefix):
    """Three fields on each specimen, 1 % apart."""
    return [
        replace(sample, name=f"{prefix}{number}{sample.name}", specimen=f"{prefix}{number}")
        for number, intercept in enumerate(intercepts)
        for sample in steady(intercept, 3, 0.01)
    ]


def test_named_specimens_are_the_unit():
    """Fields of a specimen repeat each other: taken for the unit, they find a difference in its scatter."""
    a, b = on_specimens([20, 21, 22, 23], "a"), on_specimens([21.5, 22.5, 23.5, 24.5], "b")
    found = compare(a, b)
    means = [
        np.log([3 / (np.exp([-0.01, 0, 0.01]) / x).sum() for x in xs])
        for xs in ([20, 21, 22, 23], [21.5, 22.5, 23.5, 24.5])
    ]
    assert found.p == pytest.approx(stats.ttest_ind(*means, equal_var=False).pvalue)
    assert (found.fields_a, found.specimens_a, found.specimens_b) == (12, 4, 4)
    assert found.verdict == "not enough specimens"
    assert found.difference_intercept.df < 6.01
    assert "Specimens are the unit: 4 of A and 4 of B." in found.sentence
    assert "fields" not in found.sentence
    assert found.systematic.endswith("the scatter between them is in intervals and tests.")
    # Where only one batch names several, the fields are the unit, and it is said.
    for other in ([replace(sample, specimen="") for sample in b], [replace(s, specimen="b") for s in b]):
        by_field = compare(a, other)
        assert (by_field.verdict, by_field.specimens_a, by_field.specimens_b) == ("different", None, None)
        assert "scatter between specimens is not included" in by_field.sentence
        assert "Fields of one specimen speak for that specimen" in by_field.systematic


def test_a_difference_by_hand():
    # Errors 0.3 and 0.4 give 0.5, with 0.5⁴ / (0.3⁴/4 + 0.4⁴/9) = 12.83 degrees of freedom.
    a, b = Estimate(10, 9, 11, 0.03, 4), Estimate(16, 15, 17, 0.025, 9)
    found = difference_estimate(a, b)
    assert found.value == 6
    assert found.df == pytest.approx(0.0625 / (0.0081 / 4 + 0.0256 / 9))
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, found.df) * 0.5)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="at least two"):
        compare_batches({"A": batch(0, 5)}, "µm")
    with pytest.raises(ValueError, match="named twice"):
        compare(batch(0, 5), [field("a", 20), field("a", 21)])
    with pytest.raises(ValueError, match="unit"):
        compare(batch(0, 5), batch(1, 5), "mm")
    for margin in (0.0, -1.0, 0.0099, 5.01, 1e-300, 1e6, math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="margin"):
            compare(batch(0, 5), batch(1, 5), margin_g=margin)
