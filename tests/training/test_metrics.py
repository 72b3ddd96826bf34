"""The logged metrics: the IoU of torchmetrics against plain counts, and the shell around the others."""

import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryJaccardIndex

from grainseg.config import VALIDATION_METRICS
from grainseg.grains.closing.partition import DEFAULT_SETTINGS, grains_or_zeros
from grainseg.grains.scoring.scores import MaskScores, score_prediction
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.plain.synthetic import generate
from grainseg.training import metrics as module
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


def add(metrics: MetricCollection, probability: np.ndarray, label: np.ndarray, regime: str = "") -> None:
    metrics.update(torch.from_numpy(probability), torch.from_numpy(label), regime=regime)


def logged(metrics: MetricCollection) -> dict[str, float]:
    return {name: value.item() for name, value in metrics.compute().items()}


def score(probability: np.ndarray, label: np.ndarray) -> MaskScores:
    grains = grains_or_zeros(probability, DEFAULT_SETTINGS)
    return score_prediction(probability > 0.5, grains, label, 2.0)


def test_the_iou_is_torchmetrics_and_of_all_pixels_together_like_the_rest() -> None:
    metrics = boundary_metrics("val/", 2.0)
    assert isinstance(metrics["iou"], BinaryJaccardIndex)
    for picture in pictures():
        add(metrics, *picture)
    got, (one, other) = logged(metrics), [score(*picture) for picture in pictures()]
    together = (one + other).metrics()
    assert got == {f"val/{name}": pytest.approx(value, rel=1e-6) for name, value in together.items()}
    assert got.keys() == VALIDATION_METRICS.keys()
    assert got["val/iou"] != pytest.approx((one.pixels.iou + other.pixels.iou) / 2, abs=1e-6)


def test_bands_of_rows_count_as_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BAND_PX", 500)  # 5 rows of the first picture, 4 of the second
    banded, whole = boundary_metrics("val/", 2.0)["iou"], BinaryJaccardIndex(0.5, IGNORE)
    for probability, label in pictures():
        for metric in (whole, banded):
            metric.update(torch.from_numpy(probability), torch.from_numpy(label))
    assert torch.equal(whole.confmat, banded.confmat)
    assert whole.compute().item() == banded.compute().item()


def test_without_a_boundary_the_iou_is_that_of_the_mask() -> None:
    """0/0 in torchmetrics' quotient, and 0 unless it is told otherwise; a false pixel makes it 0."""
    metrics = boundary_metrics("val/", 2.0)
    nothing, label = np.full((20, 30), 0.5, np.float32), np.zeros((20, 30), np.uint8)
    add(metrics, nothing, label)
    got = logged(metrics)
    assert {got[f"val/{name}"] for name in ("iou", "precision", "recall", "boundary_f1")} == {1.0}
    nothing[5, 5] = 1
    add(metrics, nothing, label)
    assert logged(metrics)["val/iou"] == 0


def test_ignored_pixels_have_no_say_in_the_iou() -> None:
    """What is predicted in the place of ignored pixels is neither right nor wrong."""
    probability, label = pictures()[0]
    found = []
    for said in (probability, np.where(label == IGNORE, 1, probability).astype(np.float32)):
        metrics = boundary_metrics("val/", 2.0)
        add(metrics, said, label)
        found.append(logged(metrics)["val/iou"])
    assert found[0] == found[1] < 1


def test_an_epoch_starts_anew() -> None:
    metrics = boundary_metrics("val/", 2.0)
    first, second = pictures()
    add(metrics, *first, regime="dark")
    metrics.reset()
    add(metrics, *second)
    assert logged(metrics) == {
        f"val/{name}": pytest.approx(value, rel=1e-6) for name, value in score(*second).metrics().items()
    }


def test_regimes_are_scored_each_and_together() -> None:
    made = [*pictures(), pictures()[0]]
    metrics = boundary_metrics("val/", 2.0)
    for picture, regime in zip(made, ("dark", "bright", "dark"), strict=True):
        add(metrics, *picture, regime=regime)
    got, scores = logged(metrics), [score(*picture).pixels for picture in made]
    assert got["val/iou_dark"] == pytest.approx((scores[0] + scores[2]).iou)
    assert got["val/iou_bright"] == pytest.approx(scores[1].iou)
    assert got["val/iou"] == pytest.approx((scores[0] + scores[1] + scores[2]).iou)
    assert "val/iou_" not in got


def test_a_network_that_says_boundary_everywhere_has_no_grain() -> None:
    metrics = boundary_metrics("val/", 2.0)
    _, label = pictures()[0]
    add(metrics, np.ones(label.shape, np.float32), label)
    got = logged(metrics)
    assert got["val/grain_count_error"] == 1.0
    assert 0 < got["val/are"] <= 1
    metrics.reset()
    add(metrics, (label == BOUNDARY).astype(np.float32), label)
    assert logged(metrics)["val/are"] == pytest.approx(0, abs=1e-9)
