"""Which of several sources is believed, what is refused, and what is said about it."""

import math

import numpy as np
import pytest
from sample_files import message

from grainseg.micrograph.scale.pixel_size import Claim, Rank, choose_pixel_size, given_by_user


def claim(rank, row_um, column_um=None, **more):
    return Claim(rank, rank.name, row_um, row_um if column_um is None else column_um, **more)


def test_the_user_may_say_one_number_or_two():
    one = given_by_user(0.25)
    assert (one.row_um, one.column_um, one.source) == (0.25, 0.25, "given by the user")
    for pair in ((0.2, 0.3), [0.2, 0.3], np.array([0.2, 0.3])):
        two = given_by_user(pair)
        assert (two.row_um, two.column_um) == (0.2, 0.3)
    assert given_by_user(None) is None
    assert given_by_user(1).row_um == 1


@pytest.mark.parametrize("limit", [0.0005, 50.0])
def test_the_limits_themselves_are_possible(limit):
    assert given_by_user(limit).row_um == limit
    assert choose_pixel_size(None, [claim(Rank.VENDOR, limit)], 10)[0].row_um == limit


BAD = [0.0, -0.25, math.nan, math.inf, -math.inf, 0.000499, 50.1, 1e300]


@pytest.mark.parametrize("bad", BAD)
def test_an_absurd_size_is_refused_from_the_user_and_ignored_from_a_file(bad):
    for value in (bad, (0.25, bad), (bad, 0.25)):
        text = message(given_by_user, value)
        assert text.startswith("pixel_size_um=")
        assert "0.0005 to 50" in text
    for wrong in (claim(Rank.VENDOR, bad), claim(Rank.VENDOR, 0.25, bad)):
        size, notes = choose_pixel_size(None, [wrong, claim(Rank.SIDECAR, 0.5)], 10)
        assert (size.row_um, size.source) == (0.5, "SIDECAR")
        assert len(notes) == 1
        assert "VENDOR" in notes[0]
        assert "ignored" in notes[0]
        assert choose_pixel_size(None, [wrong], 10)[0] is None


@pytest.mark.parametrize(
    "bad", ["0.25", True, (), (1, 2, 3), ([1], [2, 3]), {"row": 1}, [None, 1], 1j], ids=str
)
def test_what_is_no_number_is_refused(bad):
    assert message(given_by_user, bad).startswith("pixel_size_um=")


def test_the_order_of_belief():
    order = [Rank.VENDOR, Rank.OME, Rank.IMAGEJ, Rank.SIDECAR, Rank.TIFF]
    sizes = {rank: 0.1 * (1 + place) for place, rank in enumerate(order)}
    claims = [claim(rank, size) for rank, size in sizes.items()][::-1]
    assert choose_pixel_size(given_by_user(3.0), claims, 10)[0].row_um == 3.0
    for place, rank in enumerate(order):
        left = [item for item in claims if item.rank >= order[place]]
        assert choose_pixel_size(None, left, 10)[0].source == rank.name
    assert choose_pixel_size(None, [], 10) == (None, ())


@pytest.mark.parametrize(
    ("other", "warned"), [(0.2549, False), (0.2551, True), (0.2452, False), (0.2450, True)]
)
def test_more_than_two_percent_is_a_contradiction(other, warned):
    first, second = claim(Rank.OME, 0.25), claim(Rank.IMAGEJ, other)
    size, notes = choose_pixel_size(None, [first, second], 10)
    assert size.row_um == 0.25
    assert bool(notes) is warned
    by_user = choose_pixel_size(given_by_user(0.25), [second], 10)[1]
    assert bool(by_user) is warned
    if warned:
        assert "OME" in notes[0]
        assert "IMAGEJ" in notes[0]
        assert "given by the user" in by_user[0]
        assert notes[0].endswith("say the right one with pixel_size_um")
        assert by_user[0].endswith("; check pixel_size_um")


def test_a_contradiction_in_one_direction_counts():
    notes = choose_pixel_size(None, [claim(Rank.OME, 0.25), claim(Rank.TIFF, 0.25, 0.3)], 10)[1]
    assert "0.25 (rows) × 0.3 (columns)" in notes[0]


def test_a_size_for_another_width_is_noted_only_where_it_is_used():
    stale = claim(Rank.VENDOR, 0.25, width_px=20)
    notes = choose_pixel_size(None, [stale], 10)[1]
    assert len(notes) == 1
    assert "20 px wide" in notes[0]
    assert "has 10" in notes[0]
    assert choose_pixel_size(None, [stale], 20)[1] == ()
    assert choose_pixel_size(given_by_user(0.25), [stale], 10)[1] == ()
