"""Losses: known values, the right slope everywhere, and sense on patches without boundary."""

import pytest
import torch
from helpers import compose_train

from grainseg.config.loss import LOSS_SCHEMAS
from grainseg.hydra_app import CONF
from grainseg.micrograph.image import IGNORE
from grainseg.model.losses import (
    _BUILDERS,
    BoundaryLoss,
    build_loss,
    cl_dice,
    cross_entropy,
    skeleton_recall,
    skeleton_tube,
    soft_dice,
    soft_skeleton,
    tversky,
)

NAMES = sorted(LOSS_SCHEMAS)


def test_every_loss_has_its_schema_its_builder_and_its_file() -> None:
    assert set(_BUILDERS) == set(LOSS_SCHEMAS) == {path.stem for path in (CONF / "loss").glob("*.yaml")}


def loss_named(name: str) -> BoundaryLoss:
    return build_loss(compose_train(f"loss={name}").loss)


def a_label() -> torch.Tensor:
    label = torch.zeros(2, 32, 32, dtype=torch.uint8)
    label[:, 10:13] = 1
    label[0, :, 20:23] = 1
    return label


def logits_for(label: torch.Tensor, strength: float) -> torch.Tensor:
    return ((label == 1).float() * 2 - 1)[:, None] * strength


@pytest.mark.parametrize("name", NAMES)
def test_right_beats_unsure_beats_wrong(name: str) -> None:
    loss, label = loss_named(name), a_label()
    values = [loss(logits_for(label, strength), label).item() for strength in (10.0, 2.0, 0.0, -2.0, -10.0)]
    assert values == sorted(values)
    assert values[0] < 0.02


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("label_value", [0, 1, IGNORE])
def test_patches_of_one_kind_are_finite_and_teach_the_right_thing(name: str, label_value: int) -> None:
    label = torch.full((2, 32, 32), label_value, dtype=torch.uint8)
    logits = torch.zeros(2, 1, 32, 32, requires_grad=True)
    value = loss_named(name)(logits, label)
    value.backward()
    assert torch.isfinite(value)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    if label_value == IGNORE:
        assert not logits.grad.any()
    else:  # false alarms are pushed down, missed boundary up
        assert ((logits.grad > 0) if label_value == 0 else (logits.grad < 0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_ignored_pixels_have_no_say(name: str) -> None:
    loss, label = loss_named(name), a_label()
    label[:, :, 24:] = IGNORE
    torch.manual_seed(0)
    logits = torch.randn(2, 1, 32, 32, requires_grad=True)
    value = loss(logits, label)
    value.backward()
    assert logits.grad is not None
    assert not logits.grad[..., 24:].any()
    assert logits.grad[..., :24].any()
    changed = logits.detach().clone()
    changed[..., 24:] += 5
    assert loss(changed, label).item() == pytest.approx(value.item(), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_logits_neither_overflow_nor_lose_digits(name: str) -> None:
    label = a_label().repeat(2, 8, 8)  # more pixels than half a precision can count
    logits = logits_for(label, 3.0)  # which half precision holds exactly
    exact = loss_named(name)(logits, label)
    assert loss_named(name)(logits.bfloat16(), label).item() == pytest.approx(exact.item(), rel=1e-6)


def test_cross_entropy_is_the_mean_over_what_counts() -> None:
    logits = torch.tensor([[[0.0, 2.0, 7.0]]])
    target = torch.tensor([[[1.0, 0.0, 0.0]]])
    weight = torch.tensor([[[1.0, 1.0, 0.0]]])
    expected = (torch.log(torch.tensor(2.0)) + torch.log1p(torch.exp(torch.tensor(2.0)))) / 2
    assert cross_entropy(logits, target, weight).item() == pytest.approx(expected.item())


def test_overlap_losses_have_their_closed_forms() -> None:
    probability = torch.full((1, 10, 10), 0.5)
    target = torch.zeros(1, 10, 10)
    target[:, :4] = 1  # |P·T| = 20, |P| = 50, |T| = 40
    assert soft_dice(probability, target).item() == pytest.approx(1 - 41 / 91)
    assert tversky(probability, target, 0.3, 0.7).item() == pytest.approx(1 - 21 / (20 + 9 + 14 + 1))
    assert tversky(probability, target, 0.5, 0.5).item() == pytest.approx(1 - 21 / 46)


def test_the_soft_skeleton_of_a_line_is_its_middle() -> None:
    mask = torch.zeros(1, 21, 40)
    mask[:, 8:13] = 1
    skeleton = soft_skeleton(mask, 3)
    assert (skeleton[:, 10, 5:35] == 1).all()
    assert not skeleton[:, :10, 5:35].any()
    assert not skeleton[:, 11:, 5:35].any()


def test_centre_line_dice_sees_a_gap_that_overlap_hardly_does() -> None:
    target = torch.zeros(1, 40, 40)
    target[:, 19:22] = 1
    gap, thin = target.clone(), target.clone()
    gap[:, :, 18:22] = 0
    thin[:, 19] = 0  # one of three rows missing: more pixels than the gap, but no break
    assert soft_dice(gap, target) < soft_dice(thin, target)
    assert cl_dice(gap, target, 3) > cl_dice(thin, target, 3)


def test_skeleton_recall_has_its_value_by_hand() -> None:
    """A line of 8 px, one wide, is its own skeleton: 3 of 8 found, and one smoothing pixel in both."""
    target = torch.zeros(2, 12, 12)
    target[0, 5, 2:10] = 1
    probability = torch.zeros(2, 12, 12)
    probability[0, 5, 2:8] = 0.5
    assert skeleton_recall(probability, target).item() == pytest.approx(1 - (3 + 1) / (8 + 1))
    probability[:, 0] = 1.0  # false alarms are for the other terms
    assert skeleton_recall(probability, target).item() == pytest.approx(1 - (3 + 1) / (8 + 1))


def test_the_tube_is_the_middle_of_a_wide_line_and_all_of_a_narrow_one() -> None:
    target = torch.zeros(1, 40, 60)
    target[0, 5:14] = 1  # 9 px wide
    target[0, 25:28] = 1
    tube = skeleton_tube(target)
    assert tube[0, 7:12, 10:50].all()
    assert not tube[0, [5, 6, 12, 13], 10:50].any()
    assert torch.equal(tube[0, 25:28, 10:50], target[0, 25:28, 10:50])
    assert not tube[target == 0].any()


def test_skeleton_recall_pushes_a_gap_closed_and_touches_nothing_else() -> None:
    label = torch.zeros(1, 32, 32, dtype=torch.uint8)
    label[:, 15:18] = 1
    start = logits_for(label, 3.0)
    start[:, :, 15:18, 12:18] = -3.0
    slopes = []
    for name in ("bce_dice", "bce_dice_skeleton"):
        logits = start.clone().requires_grad_(True)
        loss_named(name)(logits, label).backward()
        assert logits.grad is not None
        slopes.append(logits.grad[0, 0])
    plain, skeleton = slopes
    assert (skeleton[15:18, 12:18] < 1.05 * plain[15:18, 12:18]).all()
    assert torch.equal(skeleton[:15], plain[:15])
    assert torch.equal(skeleton[18:], plain[18:])
