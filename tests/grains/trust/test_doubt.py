"""The doubt: what it is made of, that it rises where pictures get worse, and that it trusts no file."""

import math

import numpy as np
import pytest
from tessellations import poisson_voronoi

from grainseg.grains.closing.partition import partition_probability
from grainseg.grains.trust.doubt import (
    APPEARANCE,
    CLOSED,
    DEFAULT_REFERENCE,
    FLAG_ABOVE,
    LEAST_SD,
    OPEN_ENDS,
    PREDICTED,
    SIGNS,
    UNCERTAIN,
    WEIGHTS,
    deviations,
    judge,
    make_reference,
    pooled_reference,
    prediction_signs,
    read_reference,
)
from grainseg.micrograph.drawing import boundary_lines

TYPICAL = {name: mean for name, (mean, _) in DEFAULT_REFERENCE.items()}


def drawn_network(seed=0):
    cells = poisson_voronoi(np.random.default_rng(seed), 200, 900.0).grain_map((0, 0), (200, 200))
    return boundary_lines(cells, 3)


def signs_of(probability):
    return prediction_signs(probability, partition_probability(probability))


def test_a_sure_and_closed_network_gives_no_sign_of_doubt():
    found = signs_of(drawn_network().astype(np.float32))
    assert found[UNCERTAIN] == 0
    assert found[OPEN_ENDS] < 0.05
    assert found[CLOSED] == pytest.approx(0, abs=0.01)


def test_uncertain_is_a_share_of_the_pixels_that_may_be_boundary():
    probability = np.zeros((40, 50), np.float32)
    probability[10, :] = 0.9
    probability[20, :25] = 0.5
    probability[30, :] = 0.1
    assert signs_of(probability)[UNCERTAIN] == pytest.approx(25 / 75)


def test_gaps_are_open_ends_and_closed_boundary():
    drawn = drawn_network()
    gapped = drawn.copy()
    rng = np.random.default_rng(1)
    for row, column in rng.integers(10, 185, (40, 2)):
        gapped[row : row + 6, column : column + 6] = False
    whole, holed = signs_of(drawn.astype(np.float32)), signs_of(gapped.astype(np.float32))
    assert holed[OPEN_ENDS] > whole[OPEN_ENDS] + 0.1
    assert holed[CLOSED] > whole[CLOSED] + 0.01


def test_signs_do_not_depend_on_how_the_picture_lies():
    probability = drawn_network().astype(np.float32) * np.float32(0.7)
    probability[50:60] = 0
    found = signs_of(probability)
    for turned in (probability[::-1], probability[:, ::-1], np.rot90(probability)):
        other = signs_of(np.ascontiguousarray(turned))
        assert other[UNCERTAIN] == found[UNCERTAIN]
        assert other[OPEN_ENDS] == pytest.approx(found[OPEN_ENDS], abs=0.1)
        assert other[CLOSED] == pytest.approx(found[CLOSED], abs=0.02)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nothing_or_everything_is_boundary(value):
    """No map is so empty that it has no score; one that is all boundary is as doubtful as can be."""
    probability = np.full((30, 30), value, np.float32)
    partition = partition_probability(probability) if value == 0 else None
    found = prediction_signs(probability, partition)
    assert found[UNCERTAIN] == 1
    assert found[CLOSED] == found[OPEN_ENDS] == value
    assert judge(TYPICAL | found, None).score > judge(TYPICAL, None).score


def test_typical_pictures_are_not_flagged_and_doubtful_ones_are():
    assert judge(TYPICAL, None).flag is None
    bad = judge(TYPICAL | {UNCERTAIN: 0.75, OPEN_ENDS: 1.2, CLOSED: 0.3}, None)
    assert bad.score > FLAG_ABOVE
    assert "75 % of the boundary's pixels are uncertain" in str(bad.flag)


@pytest.mark.parametrize("name", PREDICTED)
def test_the_score_rises_with_every_sign_of_the_prediction_however_far_out(name):
    sd = max(DEFAULT_REFERENCE[name][1], LEAST_SD[name])
    steps = [-9, -1, 0, 1, 3, 9, 27]
    scores = [judge(TYPICAL | {name: TYPICAL[name] + step * sd}, None).score for step in steps]
    assert scores == sorted(set(scores))
    # Three times as far adds no more than ln 3 deviations: no sign drowns the others.
    odds = [math.log(score / (1 - score)) for score in scores]
    assert odds[-1] - odds[-2] == pytest.approx(WEIGHTS[name] * math.log(28 / 10))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"grey_10": 0.9, "grey_50": 0.99, "grey_90": 1.0}, "brighter than the training images"),
        ({"grey_10": 0.0, "grey_50": 0.01, "grey_90": 0.2}, "darker than the training images"),
        ({"noise": -0.5}, "noisier, or of much finer texture,"),
        ({"texture_1": -6.0}, "less sharp, or more magnified,"),
        ({"texture_4": -1.0}, "of stronger texture"),
        ({"texture_8": -7.0}, "of weaker texture"),
        ({OPEN_ENDS: 1.5}, "many open ends of lines (1.5 per grain)"),
        ({CLOSED: 0.4}, "40 % of the boundary was not predicted, only closed"),
    ],
)
def test_the_reason_is_the_sign_that_adds_most(changes, words):
    assert words in judge(TYPICAL | changes, None).reason


def test_deviation_either_way_counts_for_grey_and_texture():
    for name in ("grey_50", "texture_2"):
        up, down = (
            deviations(TYPICAL | {name: TYPICAL[name] + step}, DEFAULT_REFERENCE) for step in (0.3, -0.3)
        )
        assert up == pytest.approx(down)
        assert max(up.values()) > 0
    assert set(deviations(TYPICAL, DEFAULT_REFERENCE)) == set(WEIGHTS)


def test_a_reference_is_mean_and_standard_deviation():
    looks = [dict.fromkeys(APPEARANCE, value) for value in (0.2, 0.4)]
    found = make_reference(looks, [dict.fromkeys(PREDICTED, 0.3)])
    assert found["noise"] == (pytest.approx(0.3), pytest.approx(np.std([0.2, 0.4], ddof=1), abs=1e-4))
    assert found[CLOSED] == (pytest.approx(0.3), 0.0)
    assert read_reference(found) == found
    # One picture's scatter is unknown, not nothing: a small deviation stays a small one.
    near = deviations(dict.fromkeys(SIGNS, 0.3) | {CLOSED: 0.31}, found)
    assert near[CLOSED] == pytest.approx(math.log(1.5))


@pytest.mark.parametrize(
    "pair", [[0.1], [0.1, 0.2, 0.3], 0.1, None, "ab", [0.1, -0.1], [0.1, float("nan")], [True, 0.1],
             [float("inf"), 0.1], [1e9, 0.1], ["0.1", 0.1], [0, 1], {0: 1, 1: 2}],
)  # fmt: skip
def test_a_reference_from_a_stranger_is_checked(pair):
    with pytest.raises(ValueError, match="noise of the doubt's reference"):
        read_reference({**DEFAULT_REFERENCE, "noise": pair})


@pytest.mark.parametrize("changes", [{"more": (0.0, 1.0)}, {3: (0.0, 1.0)}])
def test_a_reference_has_all_signs_and_no_others(changes):
    with pytest.raises(ValueError, match="has other signs"):
        read_reference({**DEFAULT_REFERENCE, **changes})
    with pytest.raises(ValueError, match="has other signs"):
        read_reference({name: pair for name, pair in DEFAULT_REFERENCE.items() if name != "noise"})


def test_references_of_several_networks_are_pooled():
    """As the mean and the standard deviation (n) of all their pictures together."""
    parts = [{name: (np.mean(v), np.std(v)) for name in SIGNS} for v in ((0.1, 0.3), (0.5, 0.9))]
    values = [0.1, 0.3, 0.5, 0.9]
    assert pooled_reference(parts)["noise"] == pytest.approx((np.mean(values), np.std(values)))
