import math
import re

import numpy as np
import pytest
from scipy import stats

from grainseg.grains.batches import distribution
from grainseg.grains.batches.distribution import bimodality, lognormal_fit


def test_a_lognormal_is_found_again():
    ln = 3 + 0.45 * stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    fit = lognormal_fit(ln, np.ones(2000))
    assert fit.mean_ln == pytest.approx(3)
    assert fit.sd_ln == pytest.approx(0.45, rel=1e-3)
    assert fit.distance < 1e-3


def test_the_distance_is_that_of_scipy():
    ln = np.sort(np.random.default_rng(0).gumbel(size=300))
    fit = lognormal_fit(ln, np.full(300, 0.7))
    expected = stats.ks_1samp(ln, stats.norm(fit.mean_ln, fit.sd_ln).cdf).statistic
    assert fit.distance == pytest.approx(expected)
    below = lognormal_fit(np.array([0.0, 1, 1, 1]), np.ones(4))  # farthest just below a step: Φ(1/√3) - 1/4
    assert below.distance == pytest.approx(stats.norm.cdf(math.sqrt(1 / 3)) - 0.25)


def test_what_only_the_raster_tells_apart_is_one_population():
    """Grains that are all alike have a pixel more or less."""
    ln = np.sort(np.log(np.repeat([20.0, 20.5], 300) + np.random.default_rng(0).normal(0, 0.01, 600)))
    two, why = bimodality(ln, np.ones(600))
    assert not two
    assert "1.03 times as large as the other's, less than 1.3" in why


def test_weights_count_like_repeated_grains():
    rng = np.random.default_rng(1)
    ln, weights = np.sort(rng.normal(size=200)), rng.integers(1, 5, 200)
    weighted = lognormal_fit(ln, weights.astype(float))
    repeated = lognormal_fit(np.repeat(ln, weights), np.ones(weights.sum()))
    assert (weighted.mean_ln, weighted.sd_ln) == pytest.approx((repeated.mean_ln, repeated.sd_ln))


def test_no_grains_and_equal_grains():
    assert math.isnan(lognormal_fit(np.empty(0), np.empty(0)).mean_ln)
    same = lognormal_fit(np.full(100, 1.5), np.ones(100))
    assert (same.mean_ln, same.sd_ln) == (1.5, 0)
    assert math.isnan(same.distance)
    assert bimodality(np.full(100, 1.5), np.ones(100)) == (
        False,
        "one population: all grains have the same size",
    )
    # One grain that stands for 30 leaves 89² / 959 of 60.
    few = bimodality(np.linspace(0, 1, 60), np.append(np.ones(59), 30.0))
    assert few == bimodality(np.empty(0), np.empty(0)) == (False, "not examined: fewer than 50 grains")


def duplex(seed, ratio, coarse, grains=1000, sd=0.3):
    rng = np.random.default_rng(seed)
    return np.sort(sd * rng.normal(size=grains) + math.log(ratio) * (rng.random(grains) < coarse))


def test_two_populations_are_found_and_described():
    bimodal, words = bimodality(duplex(0, 4, 0.1), np.ones(1000))
    assert bimodal
    times, area = (float(found) for found in re.search(r"are (\S+) times .* hold (\S+) %", words).groups())
    assert times == pytest.approx(4, rel=0.05)
    assert area == pytest.approx(100 * 1.6 / (1.6 + 0.9), abs=5)  # a tenth of the grains, 16 times the area


def test_scaling_the_unit_or_the_weights_changes_nothing():
    ln = duplex(1, 4, 0.1)
    words = bimodality(ln, np.ones(1000))
    assert bimodality(ln + math.log(250), np.ones(1000)) == words
    assert bimodality(ln, np.full(1000, 7.0)) == words


def test_one_population_is_left_alone():
    rng = np.random.default_rng(2)
    called = [bimodality(np.sort(0.45 * rng.normal(size=750)), np.ones(750))[0] for _ in range(60)]
    assert sum(called) <= 1


def test_schwarzs_criterion_asks_for_what_three_more_numbers_cost():
    _, words = bimodality(stats.norm.ppf((np.arange(750) + 0.5) / 750), np.ones(750))
    gain = float(re.search(r"one population: Schwarz's criterion prefers one, by (\d+\.\d)$", words).group(1))
    assert gain == pytest.approx(3 * math.log(750), abs=1)


def test_narrow_and_broad_about_one_size_are_one_population():
    ln = np.sort(np.random.default_rng(5).normal(size=1000) * np.repeat([0.1, 0.8], 500))
    _, words = bimodality(ln, np.ones(1000))
    assert re.search(r"the two that fit best lie [01]\.\d standard deviations apart, not more than 2$", words)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (distribution._preferred(-12.04), "prefers one, by 12.0"),
        (distribution._preferred(0.0), "prefers one, by 0.0"),
        (distribution._preferred(9.99), "prefers two by 9.9 only, not by more than 10"),
        (distribution._below(1.2999, 1.3, 2), "1.29"),
        (distribution._below(1.028, 1.3, 2), "1.03"),
        (distribution._below(4.96, 5.0, 1), "4.9"),
    ],
)
def test_what_misses_a_limit_by_little_does_not_read_as_meeting_it(said, text):
    assert said.endswith(text)


def test_specks_are_no_population():
    # A twentieth of the grains at a twentieth of the diameter: 0.01 % of the area.
    ln = np.sort(np.concatenate([0.3 * np.random.default_rng(3).normal(size=950), np.full(50, -3.0)]))
    bimodal, words = bimodality(ln, np.ones(1000))
    assert not bimodal
    assert "of the area" in words


def test_a_few_large_grains_are_no_population():
    ln = np.sort(np.concatenate([0.3 * np.random.default_rng(4).normal(size=400), np.full(4, 2.5)]))
    bimodal, words = bimodality(ln, np.ones(404))
    assert not bimodal
    assert "grains, fewer than 10" in words
