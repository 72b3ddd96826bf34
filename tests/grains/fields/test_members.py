"""How far the networks of an ensemble differ: from lists of numbers, whatever the unit."""

import math

import numpy as np
import pytest

from grainseg.grains.fields.members import MemberSizes, member_flags, member_spread


def sizes(*intercepts: float) -> list[MemberSizes]:
    return [MemberSizes(value, 2 * value) for value in intercepts]


def test_the_range_holds_every_member_and_the_spread_is_that_of_the_logarithm() -> None:
    spread = member_spread(sizes(10.0, 8.0, 12.5))
    assert spread is not None
    assert spread.count == 3
    assert spread.mean_intercept is not None
    assert (spread.mean_intercept.low_px, spread.mean_intercept.high_px) == (8.0, 12.5)
    assert spread.mean_intercept.sd_ln == pytest.approx(math.log(1.25))  # of -x, 0, x: √(2x² / 2)
    assert spread.d50 is not None
    assert (spread.d50.low_px, spread.d50.high_px) == (16.0, 25.0)


def test_the_unit_changes_no_spread() -> None:
    values = np.random.default_rng(0).uniform(5, 9, 6)
    one, other = (member_spread(sizes(*(scale * values))) for scale in (1.0, 0.37))
    assert one is not None
    assert one.mean_intercept is not None
    assert other is not None
    assert other.mean_intercept is not None
    assert one.mean_intercept.sd_ln == pytest.approx(other.mean_intercept.sd_ln)


def test_one_network_has_no_spread() -> None:
    assert member_spread([]) is None
    assert member_spread(sizes(4.0)) is None
    assert list(member_flags(None)) == []


def test_disagreement_is_flagged_in_percent_and_agreement_is_not() -> None:
    assert list(member_flags(member_spread(sizes(10.0, 10.2, 9.9)))) == []
    flags = list(member_flags(member_spread(sizes(10.0, 8.0, 12.5))))
    assert len(flags) == 1
    assert "3 networks disagree" in flags[0]
    assert "25.0 %" in flags[0]


def test_a_member_without_grains_is_said() -> None:
    spread = member_spread([*sizes(10.0, 8.0), MemberSizes()])
    assert spread is not None
    assert spread.mean_intercept is None
    assert "find no boundary" in next(iter(member_flags(spread)))
