import math
from dataclasses import replace

import numpy as np
import pytest
from field_samples import field
from scipy import stats

from grainseg.grains.batches.samples import (
    FieldSample,
    by_specimen,
    line_share,
    require_samples,
    t_quantile,
    weighted_moments,
    weighted_percentiles,
)


@pytest.mark.parametrize(("df", "t"), [(4, 2.776), (9, 2.262), (19, 2.093), (math.inf, 1.960)])
def test_t_quantiles_are_those_of_the_table(df, t):
    assert t_quantile(df) == pytest.approx(t, abs=5e-4)


def test_equal_weights_give_hazens_percentiles():
    values = np.random.default_rng(0).lognormal(2, 0.5, 501)
    shares = [0.1, 0.5, 0.9]
    expected = np.exp(np.quantile(np.log(values), shares, method="hazen"))
    np.testing.assert_allclose(weighted_percentiles(values, np.full(501, 3.0), shares), expected)


def test_a_weight_of_two_is_a_grain_seen_twice_up_to_its_own_width():
    values = np.random.default_rng(1).lognormal(2, 0.5, 2000)
    weights = np.random.default_rng(2).integers(1, 4, 2000)
    shares = [0.1, 0.5, 0.9]
    repeated = np.repeat(values, weights)
    np.testing.assert_allclose(
        weighted_percentiles(values, weights.astype(float), shares),
        weighted_percentiles(repeated, np.ones(repeated.size), shares),
        rtol=2e-3,
    )


def test_a_weight_counts_as_that_many_values():
    values, weights = np.array([1.0, 2.0, 5.0]), np.array([3.0, 1.0, 2.0])
    repeated = values.repeat(weights.astype(int))
    assert weighted_moments(values, 0.1 * weights) == pytest.approx((repeated.mean(), repeated.std()))


def test_percentiles_of_a_lognormal_are_the_closed_form():
    shares = np.array([0.1, 0.5, 0.9])
    values = np.exp(3 + 0.45 * stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000))
    np.testing.assert_allclose(
        weighted_percentiles(values, np.ones(20_000), shares), np.exp(3 + 0.45 * stats.norm.ppf(shares)), 1e-6
    )
    # Weighting by area moves the mean of ln D by 2 σ² (Hatch and Choate 1929) and keeps its sd.
    np.testing.assert_allclose(
        weighted_percentiles(values, values**2, shares),
        np.exp(3 + 2 * 0.45**2 + 0.45 * stats.norm.ppf(shares)),
        1e-3,
    )


def test_lines_of_a_specimens_fields_count_by_their_length():
    fine, coarse = field("f", 10, length=1000), field("c", 40, length=3000)
    fields = [replace(fine, line_width=1.0, specimen="s"), replace(coarse, line_width=2.0, specimen="s")]
    (together, _) = by_specimen([*fields, replace(fine, name="other", specimen="t")])
    assert (together.line_width, together.line_length, together.crossings) == (7000 / 4000, 4000, 175)
    blank = replace(field("blank", math.inf, []), line_width=9.0)
    assert line_share([*fields, blank]) == pytest.approx((1 / 10 + 2 / 40) / 2)
    assert by_specimen([*fields, fine]) == ()


def test_percentiles_that_the_values_do_not_reach_are_undefined():
    few = weighted_percentiles(np.array([1.0, 2.0, 4.0]), np.ones(3), [0.1, 0.5, 0.9])
    np.testing.assert_array_equal(few, [math.nan, 2, math.nan])
    assert np.isnan(weighted_percentiles(np.empty(0), np.empty(0), [0.5])).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"line_length": math.nan}, "finite"),
        ({"line_length": math.inf}, "finite"),
        ({"crossings": -1.0}, "not negative"),
        ({"crossings_without_closed": 11.0}, "more crossings"),
        ({"diameters": np.array([1.0])}, "one length"),
        ({"diameters": np.array([1.0, 0.0])}, "above 0"),
        ({"diameters": np.array([1.0, math.nan])}, "above 0"),
        ({"weights": np.array([1.0, math.inf])}, "above 0"),
        ({"weights": np.array([1.0, -1.0])}, "above 0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(change, message):
    good = {
        "name": "a",
        "line_length": 100.0,
        "crossings": 10.0,
        "crossings_without_closed": 10.0,
        "diameters": np.ones(2),
        "weights": np.ones(2),
    }
    FieldSample(**good)
    FieldSample(**(good | {"crossings_without_closed": None}))
    with pytest.raises(ValueError, match=message):
        FieldSample(**(good | change))


def test_units_and_names_are_checked():
    with pytest.raises(ValueError, match="µm, px"):
        require_samples([], "mm")
    with pytest.raises(ValueError, match="named twice: a"):
        require_samples([field("a", 10), field("b", 10), field("a", 11)], "px")
