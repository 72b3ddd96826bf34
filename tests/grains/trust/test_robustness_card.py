import math

import pytest
from robustness_example import SEEN, card, scores

from grainseg.grains.trust.doubt import FLAG_ABOVE, MUCH_LOST
from grainseg.grains.trust.robustness import MOST_LOST, TARGET_DRIFT, make_card, relative
from grainseg.micrograph.corruptions import CORRUPTIONS, KINDS

GAIN = next(each for each in CORRUPTIONS if each.kind.name == "gain")
LIGHT = {"gain", "offset", "gamma", "contrast", "linear", "corner"}


def one_cell(clean, corrupted):
    return make_card("m", SEEN, clean, {GAIN: corrupted}).cells[0]


def test_a_method_that_nothing_changes_keeps_everything():
    made = card(change=lambda each, image: scores("a") if image == "a" else scores("b", iou=0.4, f1=0.8))
    assert made.mean_share == pytest.approx(1)
    assert all(cell.iou_share == pytest.approx(1) for cell in made.cells)
    assert all(cell.drift.mean == cell.drift.worst == 0 for cell in made.cells)
    assert made.keeps_mean
    assert made.keeps_size
    assert made.below_least == made.without_information == ()


def test_mean_and_worst_over_the_pictures():
    clean = [scores("a", iou=0.6, intercept=20), scores("b", iou=0.4, intercept=10)]
    cell = one_cell(
        clean,
        [
            scores("a", iou=0.3, f1=0.9, count=-0.4, intercept=22, label=25, lost=0.1, left=30),
            scores("b", iou=0.2, f1=0.7, count=0.2, intercept=7, label=10, lost=0.3, left=10),
        ],
    )
    assert (cell.iou.mean, cell.iou.worst) == (pytest.approx(0.25), 0.2)
    assert (cell.boundary_f1.mean, cell.boundary_f1.worst) == (pytest.approx(0.8), 0.7)
    assert cell.iou_share == pytest.approx(0.25 / 0.5)
    assert (cell.count_error.mean, cell.count_error.worst) == (pytest.approx(0.3), 0.4)
    # +10 % and -30 %: signs are kept, the worst is the largest magnitude.
    assert (cell.drift.mean, cell.drift.worst) == (pytest.approx(-0.1), pytest.approx(-0.3))
    assert cell.intercept_error.mean == pytest.approx((22 / 25 - 1 + 7 / 10 - 1) / 2)
    assert (cell.lost_share.mean, cell.lost_share.worst) == (pytest.approx(0.2), 0.3)
    # Of the label itself: 30 px of what is left for 25 px, and nothing gone in the other picture.
    assert (cell.lost_drift.mean, cell.lost_drift.worst) == (pytest.approx(0.1), pytest.approx(0.2))


def test_drift_is_against_the_own_prediction_and_error_against_the_label():
    cell = one_cell([scores(intercept=30, label=20)], [scores(intercept=33, label=20)])
    assert cell.drift.mean == pytest.approx(0.1)
    assert cell.intercept_error.mean == pytest.approx(0.65)


@pytest.mark.parametrize(
    ("value", "reference", "expected"),
    [(11, 10, 0.1), (9, 10, -0.1), (math.inf, 10, math.inf), (10, math.inf, -1), (math.inf, math.inf, 0)],
)
def test_no_boundary_at_all_is_an_infinite_intercept(value, reference, expected):
    assert relative(value, reference) == pytest.approx(expected)


def test_a_method_that_finds_nothing_keeps_no_size():
    nothing = [scores("a", intercept=math.inf)]
    made = make_card("m", SEEN, nothing, dict.fromkeys(CORRUPTIONS, nothing))
    assert made.worst_light.drift.mean == 0
    assert not made.has_size
    assert not made.keeps_size


def test_every_kind_counts_once():
    """Gain has six cells, the inversion one: half of the IoU lost under either is the same loss."""

    def loses(name):
        def change(each, image):
            clean = 0.6 if image == "a" else 0.4
            return scores(image, iou=clean / 2 if each.kind.name == name else clean)

        return card(change=change).mean_share

    expected = 1 - 0.5 / len(KINDS)
    assert loses("gain") == pytest.approx(expected)
    assert loses("inversion") == pytest.approx(expected)


def test_worst_cells_are_found():
    def change(each, image):
        worst = (each.kind.name, each.level) == ("texture", "high")
        drifting = (each.kind.name, each.variant, each.level) == ("gamma", "brighter", "middle")
        return scores(image, iou=0.1 if worst else 0.5, intercept=17 if drifting else 20)

    made = card(change=change)
    assert made.worst_share.corruption.title == "Texture"
    assert made.worst_share.corruption.level == "high"
    assert made.worst_light.corruption.title == "Gamma, brighter"
    assert made.worst_light.drift.mean == pytest.approx(-0.15)
    assert [cell.corruption.kind.name for cell in made.below_least] == ["texture"]
    assert not made.keeps_size


def test_only_changes_of_light_are_asked_for_the_grain_size():
    made = card(change=lambda each, image: scores(image, intercept=20 if each.kind.name in LIGHT else 40))
    assert {cell.corruption.kind.name for cell in made.light} == LIGHT
    assert made.keeps_size


@pytest.mark.parametrize(
    ("factor", "kept"), [(1 + TARGET_DRIFT * 0.99, True), (1 - TARGET_DRIFT * 1.01, False)]
)
def test_the_target_of_the_drift_has_two_sides(factor, kept):
    assert card(change=lambda each, image: scores(image, intercept=20 * factor)).keeps_size is kept


def test_a_single_picture_cannot_hide_behind_another():
    """Drifts of +30 % and -30 % cancel in the mean; the worst picture shows them."""
    made = card(change=lambda each, image: scores(image, intercept=26 if image == "a" else 14))
    assert made.keeps_size
    assert abs(made.worst_light_picture.drift.worst) == pytest.approx(0.3)


@pytest.mark.parametrize(("lost", "holds"), [(MOST_LOST, True), (MOST_LOST + 0.01, False)])
def test_a_cell_without_information_is_not_asked_for_the_least_share(lost, holds):
    made = card(change=lambda each, image: scores(image, iou=0.01, lost=lost))
    assert len(made.below_least) == (len(CORRUPTIONS) if holds else 0)
    assert len(made.without_information) == (0 if holds else len(CORRUPTIONS))
    assert made.mean_share == pytest.approx(0.02)  # the mean forgives nothing


def test_nothing_found_on_untouched_pictures_has_no_share():
    made = make_card("m", SEEN, [scores(iou=0.0)], {each: [scores(iou=0.1)] for each in CORRUPTIONS})
    assert math.isnan(made.mean_share)
    assert not made.keeps_mean
    assert len(made.below_least) == len(CORRUPTIONS)


def test_cards_have_the_same_pictures_throughout():
    with pytest.raises(ValueError, match="argument 2 is longer"):
        one_cell([scores("a"), scores("b")], [scores("a")])


def test_a_doubt_that_rises_with_the_error_ranks_perfectly():
    def change(each, image):
        clean, share = {"a": 0.6, "b": 0.4}[image], (CORRUPTIONS.index(each) + 1) / (len(CORRUPTIONS) + 1)
        return scores(image, iou=clean * (1 - share), f1=0.9 * (1 - share), count=-share, doubt=share / 2)

    check = card(change=change).doubt_check
    assert check.rank_iou == pytest.approx(1, abs=1e-3)  # the untouched pictures tie
    assert check.rank_f1 == pytest.approx(1, abs=1e-3)
    assert check.rank_count == pytest.approx(1, abs=1e-3)
    lost = [(n + 1) / (len(CORRUPTIONS) + 1) for n in range(len(CORRUPTIONS))]
    assert check.bad == 2 * sum(share > MUCH_LOST for share in lost)
    assert check.bad + check.good == 2 * len(CORRUPTIONS) + 2
    assert check.bad_flagged == 2 * sum(share > MUCH_LOST and share / 2 > FLAG_ABOVE for share in lost)
    assert check.good_flagged == 2 * sum(share <= MUCH_LOST and share / 2 > FLAG_ABOVE for share in lost)


def test_a_doubt_that_never_moves_has_no_rank_and_methods_without_have_no_check():
    assert math.isnan(card().doubt_check.rank_iou)
    assert card(change=lambda each, image: scores(image, doubt=math.nan)).doubt_check is None
