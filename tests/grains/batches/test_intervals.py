import math

import numpy as np
import pytest
from field_samples import SD_LN, batch, field
from scipy import stats

from grainseg.grains.batches.intervals import (
    effective_number,
    field_intercepts,
    mean_diameter,
    mean_intercept,
    percentile_estimate,
    ratio_estimate,
    size_distribution,
)


def test_mean_intercept_is_all_length_over_all_crossings():
    samples = [field("a", 10, length=1000), field("b", 40, length=2000)]
    estimate = mean_intercept(samples)
    assert estimate.value == pytest.approx(3000 / 150)
    np.testing.assert_allclose(field_intercepts(samples), [10, 40])


def test_fields_of_one_length_give_nearly_the_t_interval_of_their_logarithms():
    crossings = np.array([98.0, 103.0, 101.0, 96.0, 105.0, 99.0])
    estimate = ratio_estimate(np.full(6, 1000.0), crossings, np.full(6, 1000.0))
    by_scipy = stats.t.interval(0.95, 5, np.log(1000 / crossings).mean(), stats.sem(np.log(1000 / crossings)))
    assert estimate.df == 5
    np.testing.assert_allclose(np.log([estimate.low, estimate.high]), by_scipy, atol=1e-3)


def test_large_fields_leave_fewer_degrees_of_freedom():
    assert effective_number(np.array([7.0, 7.1, 7.0, 6.9, 7.0])) == 5
    assert effective_number(np.array([16.0, 16, 1, 1, 1])) == 2.4  # 35² / 515
    samples = [field(str(i), 20 + i, length=4000 * size) for i, size in enumerate((16, 16, 1, 1, 1))]
    found = mean_intercept(samples)
    assert found.df == pytest.approx(1.4)
    assert math.log(found.high / found.value) == pytest.approx(stats.t.ppf(0.975, 1.4) * found.se_ln)
    assert mean_intercept(samples[1:3]).df == 1


def test_lines_that_cross_nothing_count_in_the_pooled_intercept():
    blank = field("blank", math.inf, [], length=1000)
    found = mean_intercept([field("a", 10, length=1000), field("b", 20, length=1000), blank])
    assert found.value == pytest.approx(3000 / 150)
    assert found.df == 2
    assert math.isnan(mean_intercept([field("a", 10), blank]).low)  # without a there is no intercept
    assert math.isnan(mean_intercept([blank]).value)


def test_the_jackknife_is_that_of_its_definition():
    lengths, crossings = np.array([100.0, 250.0, 400.0]), np.array([9.0, 27.0, 35.0])
    left_out = [math.log((750 - n) / (71 - d)) for n, d in zip(lengths, crossings, strict=True)]
    expected = math.sqrt(2 / 3 * sum((value - sum(left_out) / 3) ** 2 for value in left_out))
    assert ratio_estimate(lengths, crossings, lengths).se_ln == pytest.approx(expected)


def test_one_field_has_a_value_and_no_interval():
    samples = batch(0, 1)
    sizes = size_distribution(samples, by_area=False)
    for estimate in (mean_intercept(samples), mean_diameter(samples), percentile_estimate(sizes, 0.5)):
        assert estimate.value > 0
        assert math.isnan(estimate.low)
        assert math.isnan(estimate.high)
        assert math.isnan(estimate.se_ln)
        assert estimate.df == 0


def test_no_field_has_no_value():
    for by_area in (False, True):
        assert math.isnan(percentile_estimate(size_distribution([], by_area=by_area), 0.5).value)
    assert math.isnan(mean_intercept([]).value)
    assert math.isnan(mean_diameter([field("a", 10, [])]).value)


@pytest.mark.parametrize("by_area", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_percentiles_are_those_of_the_population(by_area, share):
    sizes = size_distribution(batch(1, 100, scatter=0.06), by_area=by_area)
    spread = math.hypot(SD_LN, 0.06)
    truth = 20 * math.exp(2 * spread**2 * by_area + spread * stats.norm.ppf(share))
    estimate = percentile_estimate(sizes, share)
    assert estimate.low < truth < estimate.high
    assert estimate.value == pytest.approx(truth, rel=0.04)
    t = stats.t.ppf(0.975, estimate.df)
    assert estimate.se_ln == pytest.approx(math.log(estimate.high / estimate.low) / (2 * t))


def test_repeating_every_grain_does_not_narrow_the_interval():
    # Grains of a field are no replicates: only more fields may narrow the interval.
    once = batch(2, 6, grains=200)
    again = [field(s.name, 20, np.repeat(s.diameters, 10)) for s in once]
    one, ten = (percentile_estimate(size_distribution(s, by_area=False), 0.5) for s in (once, again))
    assert ten.se_ln == pytest.approx(one.se_ln, rel=0.02)


def test_an_end_beyond_the_grains_is_the_largest_or_none():
    sizes = [[2.0, 2.1, 2.2, 2.3, 9.0], [4.0, 4.1, 4.2, 4.3, 8.0]]
    samples = [field(str(index), 3, diameters) for index, diameters in enumerate(sizes)]
    median = percentile_estimate(size_distribution(samples, by_area=False), 0.5)
    assert (median.low, median.high) == (pytest.approx(2), pytest.approx(9))
    upper = percentile_estimate(size_distribution(samples, by_area=False), 0.9)
    assert math.isnan(upper.high)
    assert upper.low < upper.value
    # Beyond 0.65 of ten grains 3.5 are to be expected; by area fewer, from a lower percentile on.
    by_number, by_area = (size_distribution(samples, by_area=area) for area in (False, True))
    assert math.isnan(percentile_estimate(by_number, 0.65).high)
    ends = [percentile_estimate(each, 0.3).high for each in (by_number, by_area)]
    assert ends == [pytest.approx(9), pytest.approx(math.nan, nan_ok=True)]


def test_equal_fields_are_a_point():
    samples = [field(name, 7, [1, 2, 3, 4, 5, 6, 7, 8, 9]) for name in "abc"]
    median = percentile_estimate(size_distribution(samples, by_area=False), 0.5)
    assert (median.low, median.value, median.high) == pytest.approx((5, 5, 5))
    assert mean_intercept(samples).se_ln == 0


@pytest.mark.slow
@pytest.mark.parametrize("fields", [5, 10])
def test_intervals_cover_the_truth(fields):
    spread = math.hypot(SD_LN, 0.06)
    covered = np.zeros(3)
    for seed in range(2000):
        samples = batch([fields, seed], fields)
        found = [mean_intercept(samples)]
        found += [
            percentile_estimate(size_distribution(samples, by_area=area), 0.9) for area in (False, True)
        ]
        truth = [20.0 * math.exp(-(0.06**2 + 0.03**2) / 2)]
        truth += [20 * math.exp(2 * spread**2 * area + spread * stats.norm.ppf(0.9)) for area in (0, 1)]
        covered += [not (e.low > t or e.high < t) for e, t in zip(found, truth, strict=True)]
    assert np.all((covered / 2000 > 0.93) & (covered / 2000 < 0.97)), covered / 2000
