import math
from dataclasses import fields, replace

import numpy as np
import pytest
from field_samples import batch, field
from scipy import stats

from grainseg.grains.batches.batch import batch_statistics, more_fields, relative_accuracy_percent
from grainseg.grains.batches.budget import SegmentationError
from grainseg.grains.batches.samples import Estimate


def test_five_fields_by_hand():
    # ASTM E112 §15 on 30, 32, 31, 33, 34: mean 32, s = √2.5, t = 2.776.
    per_field = np.array([30.0, 32, 31, 33, 34])
    assert relative_accuracy_percent(per_field) == pytest.approx(
        100 * 2.7764 * math.sqrt(2.5 / 5) / 32, rel=1e-4
    )
    assert more_fields(per_field) == 0
    assert relative_accuracy_percent(per_field[[0, 4]]) == pytest.approx(12.7062 * 2 / 32 * 100, rel=1e-4)


@pytest.mark.parametrize("variation", [0.03, 0.08, 0.15, 0.4])
@pytest.mark.parametrize("count", [2, 5, 12])
def test_more_fields_is_the_smallest_number_that_fulfils_its_formula(count, variation):
    per_field = stats.norm.ppf((np.arange(count) + 0.5) / count)
    per_field = 20 * (1 + variation * per_field / per_field.std(ddof=1))
    wanted = next(n for n in range(count, 1000) if n >= (stats.t.ppf(0.975, n - 1) * variation / 0.1) ** 2)
    assert more_fields(per_field) == wanted - count


def test_g_is_that_of_the_mean_intercept():
    # The worked example of 62 crossings on 1984 µm: 32.0 µm, G = 6.64.
    samples = [field("a", 24), field("b", 48)]
    stats_um = batch_statistics("x", "µm", samples)
    assert stats_um.intercept.value == pytest.approx(32)
    assert stats_um.g.value == pytest.approx(6.64, abs=0.005)
    assert stats_um.g.low < stats_um.g.value < stats_um.g.high
    assert stats_um.g.high == pytest.approx(2 * math.log2(320 / stats_um.intercept.low))


def test_a_batch_finds_its_truth():
    found = batch_statistics("x", "µm", batch(0, 40))
    assert (found.fields, found.grains) == (40, 6000)
    sd = math.hypot(0.45, 0.06)
    for estimate, truth in [
        (found.d10, 20 * math.exp(-1.28155 * sd)),
        (found.d90, 20 * math.exp(1.28155 * sd)),
        (found.d10_area, 20 * math.exp((2 * sd - 1.28155) * sd)),
        (found.d90_area, 20 * math.exp((2 * sd + 1.28155) * sd)),
        (found.intercept, 20 * math.exp(-(0.06**2 + 0.03**2) / 2)),
        (found.d50, 20.0),
        (found.mean_diameter, 20 * math.exp((0.45**2 + 0.06**2) / 2)),
        (found.d50_area, 20 * math.exp(2 * (0.45**2 + 0.06**2))),
    ]:
        assert estimate.low < truth < estimate.high
    assert found.lognormal_mean_ln == pytest.approx(math.log(20), abs=0.03)
    assert found.lognormal_sd_ln == pytest.approx(0.454, abs=0.01)
    assert found.lognormal_distance < 0.02
    assert not found.bimodal
    assert found.flags == ()


def numbers(found):
    for attribute in fields(found):
        value = getattr(found, attribute.name)
        if isinstance(value, Estimate):
            yield from (value.value, value.low, value.high)


def test_another_unit_scales_the_lengths_and_nothing_else():
    px, tenth = (batch_statistics("x", "px", batch(1, 6, scale=scale)) for scale in (1.0, 0.1))
    np.testing.assert_allclose(np.array(list(numbers(tenth))), 0.1 * np.array(list(numbers(px))), rtol=1e-9)
    assert tenth.intercept.se_ln == pytest.approx(px.intercept.se_ln)
    assert tenth.relative_accuracy_percent == pytest.approx(px.relative_accuracy_percent)
    assert (tenth.more_for_10_percent, tenth.bimodality) == (
        px.more_for_10_percent,
        px.bimodality,
    )


def test_the_order_of_the_fields_does_not_matter():
    samples = batch(2, 6)
    one, other = batch_statistics("x", "µm", samples), batch_statistics("x", "µm", samples[::-1])
    np.testing.assert_allclose(list(numbers(one)), list(numbers(other)), rtol=1e-12)


def test_in_px_there_is_no_g():
    assert batch_statistics("x", "px", batch(3, 5)).g is None


def test_one_field_has_values_and_no_intervals():
    found = batch_statistics("x", "µm", batch(4, 1), SegmentationError(0.01, 0.01, 5, "test"), 0.01, 0.01)
    assert found.intercept.value > 0
    assert math.isnan(found.g.low)
    assert math.isnan(found.relative_accuracy_percent)
    assert found.more_for_10_percent is None
    assert not found.budget.complete
    assert found.flags == (
        "one field: no sampling interval and no %RA can be given; at least 5 fields are needed",
    )


def test_no_field_is_flagged():
    found = batch_statistics("x", "µm", [])
    assert (found.fields, found.grains) == (0, 0)
    assert math.isnan(found.intercept.value)
    assert math.isnan(found.g.value)
    assert found.flags == ("no field could be measured",)


def test_fewer_than_five_fields_are_flagged():
    assert (
        "4 fields: below 5 the sampling intervals mean little"
        in batch_statistics("x", "px", batch(5, 4)).flags
    )
    assert not any("below 5" in flag for flag in batch_statistics("x", "px", batch(5, 5)).flags)


def test_fields_without_crossings_or_grains_are_left_out_and_named():
    whole = batch(6, 6)
    no_crossing = field("blank", math.inf, [])
    no_grain = field("coarse", 19.0, [])
    found = batch_statistics("x", "px", [*whole, no_crossing, no_grain])
    reference = batch_statistics("x", "px", [*whole, no_grain])
    assert found.fields == 7
    assert found.intercept.value == pytest.approx(8 / 7 * reference.intercept.value)
    assert found.relative_accuracy_percent == reference.relative_accuracy_percent
    assert found.d50 == batch_statistics("x", "px", whole).d50
    assert any("crossed in blank:" in flag for flag in found.flags)
    assert any("no whole grain in blank, coarse:" in flag for flag in found.flags)


def test_copies_of_one_image_are_flagged():
    found = batch_statistics("x", "px", [field(name, 20) for name in "abcde"])
    assert any("copies of one image" in flag for flag in found.flags)


def test_a_percentile_without_a_limit_is_flagged():
    found = batch_statistics(
        "x", "px", [field("a", 10, np.arange(1.0, 13)), field("b", 11, np.arange(2.0, 14))]
    )
    assert math.isnan(found.d90.high)
    assert "D90 by number has no upper sampling limit: too few grains are larger" in found.flags


def test_intercepts_with_and_without_closed_gaps_stand_side_by_side():
    found = batch_statistics("x", "px", [field(name, 20, open_share=0.8) for name in "ab"])
    assert found.intercept.value == pytest.approx(20)
    assert found.intercept_without_closed == pytest.approx(25)
    assert found.closed_known
    nothing_left = batch_statistics("x", "px", [field(name, 20, open_share=0.0) for name in "ab"])
    assert math.isnan(nothing_left.intercept_without_closed)


def test_without_a_partition_nobody_knows_what_was_closed():
    given = [replace(field(name, 20), crossings_without_closed=None) for name in "ab"]
    for samples in (given, [field("x", 20), *given]):
        found = batch_statistics("x", "px", samples)
        assert not found.closed_known
        assert found.intercept.value == pytest.approx(20)
        assert math.isnan(found.intercept_without_closed)
    # A field without crossings has none that were closed; its lines count here as in the intercept.
    blank = replace(field("blank", math.inf), crossings_without_closed=None)
    assert batch_statistics("x", "px", [field("a", 20, open_share=0.8), blank]).intercept_without_closed == (
        pytest.approx(50)
    )


@pytest.mark.parametrize(("largest", "effective"), [(3.5, None), (4.0, "3.2"), (16.0, "1.5")])
def test_fields_of_unequal_size_are_flagged(largest, effective):
    """From an effective number below 0.7 of theirs on: 7.5² / 16.25 is 3.5 of 5, 8² / 20 is 3.2."""
    first, *others = batch(9, 5)
    first = replace(first, line_length=largest * first.line_length, crossings=largest * first.crossings)
    said = f"fields differ in size: the pooled values rest on about {effective} of 5"
    flags = batch_statistics("x", "px", [first, *others]).flags
    assert flags == () if effective is None else flags[0].startswith(said)


def test_two_populations_are_flagged():
    rng = np.random.default_rng(7)
    samples = [
        field(str(i), 20, np.exp(0.3 * rng.normal(size=200)) * np.where(rng.random(200) < 0.15, 4, 1))
        for i in range(5)
    ]
    found = batch_statistics("x", "px", samples)
    assert found.bimodal
    (flag,) = (flag for flag in found.flags if "two populations" in flag)
    assert "or specks such as precipitates that were ringed: look at the overlay" in flag


def test_elongated_grains_are_flagged():
    said = [batch_statistics("x", "µm", batch(0, 5), elongation=x).flags for x in (math.nan, 1.3, 1.31)]
    assert said[:2] == [(), ()]
    assert said[2][0].startswith("grains are elongated 1.3 : 1: sizes and G are those of this section")


def test_the_budget_names_as_many_fields_as_the_interval_is_over():
    crossed = batch(8, 4)
    uncrossed = replace(crossed[0], name="uncrossed", crossings=0.0, crossings_without_closed=0.0)
    found = batch_statistics("x", "µm", [*crossed, uncrossed])
    assert (found.fields, found.intercept.df) == (4, 4.0)
    assert found.budget.entries[0].how == "jackknife over 5 fields"
    drawn = [replace(sample, line_width=0.1 * sample.line_length / sample.crossings) for sample in crossed]
    assert batch_statistics("x", "µm", drawn).budget.entries[4].how.startswith("lines of 0.10 of the mean")
    alone = batch_statistics("x", "µm", [crossed[0], uncrossed])
    assert alone.budget.entries[0].how == "unknown: 1 field, and so no scatter"


def test_named_specimens_are_the_unit():
    """Repeating a specimen's fields narrows nothing."""
    samples = [replace(sample, specimen=sample.name) for sample in batch(8, 4)]
    again = [replace(sample, name=f"{sample.name} {copy}") for sample in samples for copy in range(3)]
    found = batch_statistics("x", "µm", again)
    by_hand = batch_statistics("x", "µm", samples)
    assert (found.fields, found.specimens, found.grains) == (12, 4, 1800)
    for name in ("intercept", "mean_diameter"):
        one, other = getattr(found, name), getattr(by_hand, name)
        assert (one.value, one.low, one.df) == pytest.approx((other.value, other.low, other.df))
    assert (found.d50.df, found.d50_area.df) == (3, by_hand.d50_area.df)
    assert found.relative_accuracy_percent == pytest.approx(by_hand.relative_accuracy_percent)
    assert found.budget.entries[0].how == "jackknife over 4 specimens"
    assert "4 specimens: below 5 the sampling intervals mean little" in found.flags
    uncrossed = replace(samples[0], name="u", specimen="u", crossings=0.0, crossings_without_closed=0.0)
    assert batch_statistics("x", "µm", [*again, uncrossed]).specimens == 4
    # Of one specimen, or where some fields name none, fields are the unit.
    for others in ("field_0", ""):
        unnamed = [replace(s, specimen="field_0" if s.specimen == "field_0" else others) for s in again]
        assert batch_statistics("x", "µm", unnamed).specimens is None


def test_names_and_units_are_checked():
    with pytest.raises(ValueError, match="named twice"):
        batch_statistics("x", "px", [field("a", 20), field("a", 21)])
    with pytest.raises(ValueError, match="unit"):
        batch_statistics("x", "nm", [])
