"""Scores of whole predictions: what ignored pixels have a say in, and what is scored together."""

import numpy as np

from grainseg.grains.closing.partition import DEFAULT_SETTINGS, grains_or_zeros
from grainseg.grains.scoring.scores import MaskScores, metrics_of_all, score_prediction
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.plain.synthetic import generate


def picture(seed: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    label = generate(seed, shape).label.copy()
    noise = np.random.default_rng(seed).normal(0, 0.3, shape)
    probability = np.clip(0.2 + 0.6 * (np.roll(label, 1, 0) == 1) + noise, 0, 1).astype(np.float32)
    label[:10] = IGNORE
    return probability, label


def score(probability: np.ndarray, label: np.ndarray) -> MaskScores:
    return score_prediction(probability > 0.5, grains_or_zeros(probability, DEFAULT_SETTINGS), label, 2.0)


def test_ignored_pixels_have_no_say_and_lines_beside_them_no_vote() -> None:
    """Whatever is predicted among ignored pixels: the scores of the pixels stay what they are."""
    probability, label = picture(0, (80, 90))
    label[:, 45:] = IGNORE
    deep = np.zeros(label.shape, bool)
    deep[12:, 50:] = True  # further than the tolerance from the label's lines, which may be matched there
    found = []
    for said in (probability, np.where(deep, 1 - probability, probability), np.where(deep, 1.0, probability)):
        scores = score(said.astype(np.float32), label)
        found.append(scores.pixels)
        assert np.isfinite(list(scores.metrics().values())).all()
    assert found[0] == found[1] == found[2]


def test_a_prediction_without_fault_scores_so_where_three_quarters_are_ignored() -> None:
    label = generate(4, (160, 160)).label
    part = label.copy()
    part[80:], part[:, 80:] = IGNORE, IGNORE
    got = score((label == BOUNDARY).astype(np.float32), part).metrics()
    assert got["iou"] == got["boundary_f1"] == 1
    assert got["are"] < 0.005
    assert got["grain_count_error"] < 0.005
    assert got["intercept_error"] < 0.02


def test_pictures_without_a_partition_have_no_scores_of_grains_alone_or_with_others() -> None:
    probability, label = picture(0, (80, 90))
    mask = probability > 0.5
    without, whole = score_prediction(mask, None, label, 2.0), score(probability, label)
    names = {"iou", "precision", "recall", "boundary_f1"}
    assert without.metrics() == {name: whole.metrics()[name] for name in names}
    assert metrics_of_all([whole, without], ["", ""]).keys() == names
