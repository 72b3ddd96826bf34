"""The logged metrics against plain counts."""

import numpy as np
import pytest
import torch

from grainseg.grains.agreement import boundary_counts, fit_threshold, pixel_scores
from grainseg.grains.agreement_regions import RegionScores, region_scores
from grainseg.grains.labelled_grains import label_grains
from grainseg.grains.partition import DEFAULT_SETTINGS, partition_probability
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.synthetic import generate
from grainseg.training.metrics import boundary_metrics


def pictures() -> list[tuple[np.ndarray, np.ndarray]]:
    made = []
    for seed, shape in enumerate([(80, 90), (64, 120)]):
        label = generate(seed, shape).label.copy()
        rng = np.random.default_rng(seed)
        noise = rng.normal(0, 0.3, shape)
        probability = np.clip(0.2 + 0.6 * (np.roll(label, 1, 0) == 1) + noise, 0, 1).astype(np.float32)
        label[:10] = IGNORE
        made.append((probability, label))
    return made


def grain_scores(probability: np.ndarray, label: np.ndarray) -> RegionScores:
    predicted = partition_probability(probability, DEFAULT_SETTINGS).grains
    return region_scores(predicted, label_grains(label), label == IGNORE)


def test_a_network_that_says_boundary_everywhere_has_no_grain() -> None:
    metrics = boundary_metrics("val/", 2.0)
    _, label = pictures()[0]
    metrics.update(torch.ones(label.shape), torch.from_numpy(label))
    got = {name: value.item() for name, value in metrics.compute().items()}
    assert got["val/grain_count_error"] == 1.0
    assert 0 < got["val/are"] <= 1
    metrics.reset()
    perfect = (label == BOUNDARY).astype(np.float32)
    metrics.update(torch.from_numpy(perfect), torch.from_numpy(label))
    assert metrics.compute()["val/are"].item() == pytest.approx(0, abs=1e-9)


def test_metrics_are_those_of_all_pixels_together_at_one_half() -> None:
    metrics = boundary_metrics("val/", 2.0)
    for probability, label in pictures():
        metrics.update(torch.from_numpy(probability), torch.from_numpy(label))
    got = {name: value.item() for name, value in metrics.compute().items()}
    grains = [grain_scores(probability, label) for probability, label in pictures()]
    pixels = [pixel_scores(probability > 0.5, label) for probability, label in pictures()]
    lines = [boundary_counts(probability > 0.5, label, 2.0) for probability, label in pictures()]
    together = pixels[0] + pixels[1]
    assert got == {
        "val/iou": pytest.approx(together.iou, abs=1e-6),
        "val/precision": pytest.approx(together.precision, abs=1e-6),
        "val/recall": pytest.approx(together.recall, abs=1e-6),
        "val/boundary_f1": pytest.approx((lines[0] + lines[1]).f1, abs=1e-6),
        **{
            f"val/{name}": pytest.approx(value, rel=1e-6)
            for name, value in (grains[0] + grains[1]).metrics().items()
        },
    }
    assert got["val/iou"] != pytest.approx((pixels[0].iou + pixels[1].iou) / 2, abs=1e-6)


def test_ignored_pixels_have_no_say_and_lines_beside_them_no_vote() -> None:
    """Whatever is predicted among ignored pixels: the scores of the pixels and lines stay what they are."""
    probability, label = pictures()[0]
    label[:, 45:] = IGNORE
    deep = np.zeros(label.shape, bool)
    deep[12:, 50:] = True  # further than the tolerance from the label's lines, which may be matched there
    found = []
    for said in (probability, np.where(deep, 1 - probability, probability), np.where(deep, 1.0, probability)):
        metrics = boundary_metrics("val/", 2.0)
        metrics.update(torch.from_numpy(said.astype(np.float32)), torch.from_numpy(label))
        values = metrics.compute()
        found.append([values[f"val/{name}"].item() for name in ("iou", "precision", "recall")])
        assert np.isfinite([value.item() for value in values.values()]).all()
    assert found[0] == found[1] == found[2]


def test_a_prediction_without_fault_scores_so_where_three_quarters_are_ignored() -> None:
    metrics = boundary_metrics("val/", 2.0)
    label = generate(4, (160, 160)).label
    part = label.copy()
    part[80:], part[:, 80:] = IGNORE, IGNORE
    metrics.update(torch.from_numpy((label == BOUNDARY).astype(np.float32)), torch.from_numpy(part))
    got = {name: value.item() for name, value in metrics.compute().items()}
    assert got["val/iou"] == got["val/boundary_f1"] == 1
    assert got["val/are"] < 0.005
    assert got["val/grain_count_error"] < 0.005
    assert got["val/intercept_error"] < 0.02


def test_an_epoch_starts_anew() -> None:
    metrics = boundary_metrics("val/", 2.0)
    (first, first_label), (second, second_label) = pictures()
    metrics.update(torch.from_numpy(first), torch.from_numpy(first_label))
    metrics.reset()
    metrics.update(torch.from_numpy(second), torch.from_numpy(second_label))
    assert metrics.compute()["val/iou"].item() == pytest.approx(
        pixel_scores(second > 0.5, second_label).iou, abs=1e-6
    )


def test_the_fitted_threshold_is_never_worse_than_one_half() -> None:
    probabilities, labels = zip(*pictures(), strict=True)
    _, fitted = fit_threshold(probabilities, labels)
    half = pixel_scores(probabilities[0] > 0.5, labels[0]) + pixel_scores(probabilities[1] > 0.5, labels[1])
    assert fitted >= half.iou


def test_regimes_are_scored_each_and_together() -> None:
    made = [*pictures(), pictures()[0]]
    metrics = boundary_metrics("val/", 2.0)
    for (probability, label), regime in zip(made, ("dark", "bright", "dark"), strict=True):
        metrics.update(torch.from_numpy(probability), torch.from_numpy(label), regime=regime)
    got = {name: value.item() for name, value in metrics.compute().items()}
    scores = [pixel_scores(probability > 0.5, label) for probability, label in made]
    assert got["val/iou_dark"] == pytest.approx((scores[0] + scores[2]).iou)
    assert got["val/iou_bright"] == pytest.approx(scores[1].iou)
    assert got["val/iou"] == pytest.approx((scores[0] + scores[1] + scores[2]).iou)
    metrics.reset()
    metrics.update(*map(torch.from_numpy, made[0]))
    assert not [name for name in metrics.compute() if name.startswith("val/iou_")]
