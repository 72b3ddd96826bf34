import math

import numpy as np
import pytest
from scipy import stats

from grainseg.grains.batches.welch import fields_for_decision, holm, welch

MARGIN = 0.25 * math.log(2) / 2


@pytest.mark.parametrize(("fields_a", "fields_b"), [(2, 2), (5, 5), (5, 12)])
def test_the_test_is_that_of_scipy(fields_a, fields_b):
    rng = np.random.default_rng(fields_b)
    a, b = rng.normal(size=(40, fields_a)), rng.normal(0.5, 2, (40, fields_b))
    ours, theirs = welch(a, b), stats.ttest_ind(b, a, axis=1, equal_var=False)
    np.testing.assert_allclose(ours.difference, b.mean(axis=1) - a.mean(axis=1))
    np.testing.assert_allclose(ours.p(), theirs.pvalue)
    np.testing.assert_allclose(ours.df, theirs.df)


def test_equivalence_is_two_one_sided_tests_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(3, 0.05, 8), rng.normal(3.02, 0.04, 6)
    above = stats.ttest_ind(b + MARGIN, a, equal_var=False, alternative="greater").pvalue
    below = stats.ttest_ind(b - MARGIN, a, equal_var=False, alternative="less").pvalue
    assert float(welch(a, b).p_equivalence(MARGIN)) == pytest.approx(max(above, below))


def test_one_batch_without_scatter_is_compared_and_two_are_not():
    a, b = np.full(5, 3.0), np.array([3.1, 3.2, 3.0, 3.15, 3.05])
    one = welch(a, b)
    assert float(one.p()) == pytest.approx(stats.ttest_1samp(b, 3.0).pvalue)
    assert float(one.df) == pytest.approx(4)
    both = welch(a + 1e-12 * b, np.full(5, 3.2))  # that of rounding is none
    assert np.isnan(both.p())
    assert np.isnan(both.p_equivalence(MARGIN))


def test_one_value_is_no_sample():
    assert np.isnan(welch(np.array([3.0]), np.array([3.0, 3.1])).p())


def test_holm_by_hand():
    # 0.01·4, 0.02·3, 0.03·2 (not below its predecessor), 0.04·1 likewise.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.001]) == pytest.approx([0.5, 0.002])
    assert holm([0.9, 0.6]) == [1, 1]
    assert holm([]) == []


def test_holm_leaves_out_what_was_not_tested():
    corrected = holm([0.01, math.nan, 0.04])
    assert (corrected[0], corrected[2]) == pytest.approx((0.02, 0.04))
    assert math.isnan(corrected[1])


@pytest.mark.parametrize(("sd_a", "sd_b"), [(0.03, 0.03), (0.06, 0.1), (0.1, 0.0)])
def test_enough_fields_leave_no_outcome_undecided(sd_a, sd_b):
    fields = fields_for_decision(sd_a, sd_b, MARGIN)

    def undecided(number):
        pattern = stats.norm.ppf((np.arange(number) + 0.5) / number)
        pattern /= pattern.std(ddof=1)
        shift = np.linspace(0, 2 * MARGIN, 2001)[:, None]
        test = welch(np.tile(sd_a * pattern, (2001, 1)), sd_b * pattern + shift)
        return np.any((test.p() >= 0.05) & (test.p_equivalence(MARGIN) >= 0.05))

    assert not undecided(fields)
    assert undecided(fields - 1)


@pytest.mark.parametrize("sd_b", [0.0, 1e-300, 1e-9, 1e-8, 0.03, 3.0, 30.0])
@pytest.mark.parametrize("sd_a", [0.0, 1e-8, 0.03, 3.0])
@pytest.mark.parametrize("margin_g", [0.01, 0.25, 5.0])
@pytest.mark.parametrize("pairs", [1, 5000])
def test_there_is_an_answer_at_any_scatter_and_margin(sd_a, sd_b, margin_g, pairs):
    margin, level = margin_g * math.log(2) / 2, 0.05 / pairs
    fields = fields_for_decision(sd_a, sd_b, margin, level)
    variance, fourth = sd_a**2 + sd_b**2, sd_a**4 + sd_b**4
    if max(sd_a, sd_b) < 1e-8:
        assert fields == 2
        return

    def both(number):
        df = (number - 1) * variance**2 / fourth
        bounds = stats.t.isf(level / 2, df) + stats.t.isf(level, df)
        return bounds * math.sqrt(variance / number)

    assert both(fields) <= margin * (1 + 1e-9)
    assert fields == 2 or both(fields - 1) > margin * (1 - 1e-9)


def test_the_power_at_that_number_is_about_95_percent():
    fields = fields_for_decision(0.06, 0.06, MARGIN)
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 0.06, (2, 4000, fields))
    assert 0.93 < np.mean(welch(a, b).p_equivalence(MARGIN) < 0.05) < 0.99
    assert 0.93 < np.mean(welch(a, b + MARGIN).p() < 0.05) < 0.99


def test_false_alarms_are_those_of_the_level():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 0.06, (20_000, 5)), rng.normal(0, 0.06, (20_000, 5))
    assert 0.035 < np.mean(welch(a, b).p() < 0.05) < 0.06


def test_less_scatter_needs_fewer_fields():
    needed = [fields_for_decision(sd, sd, MARGIN) for sd in (0.0, 0.01, 0.05, 0.1, 0.3)]
    assert needed == sorted(needed)
    assert needed[0] == 2
    assert fields_for_decision(0.05, 0.05, MARGIN, 0.005) > fields_for_decision(0.05, 0.05, MARGIN)
