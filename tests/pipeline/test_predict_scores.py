"""Scores of a prediction: what a mask can cost, and what is not scored."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import csv_rows
from PIL import Image

from grainseg.config import PredictConfig
from grainseg.errors import GrainsegError
from grainseg.pipeline.predict import predict
from grainseg.pipeline.results.label_remarks import tolerance_warnings


def save(path: Path, shape: tuple[int, ...], seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


def test_one_mask_is_for_one_picture(config: PredictConfig, fields: Path) -> None:
    mask = str(fields / "masks" / "f0.png")
    one = predict(replace(config, images=str(fields / "images" / "f0.png"), masks=mask))
    assert len(one.scores) == 1
    with pytest.raises(GrainsegError, match="is one mask for 3 pictures; give a folder"):
        predict(replace(config, masks=mask))


def test_a_wrong_mask_costs_the_score_and_not_the_prediction(
    config: PredictConfig, fields: Path, tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    shutil.copytree(fields / "masks", masks)
    shutil.copyfile(masks / "f0.png", masks / "f1.png")  # of another size
    (masks / "f2.png").unlink()
    result = predict(replace(config, masks=str(masks)))
    assert len(result.written) == 3
    assert [path.name for path in result.scores] == ["f0.png"]
    assert not result.failures
    (unscored,) = result.unscored
    assert "f1.png" in unscored
    assert len(csv_rows(tmp_path / "out" / "fields.csv")) == 3
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Measured, but not scored: " in page
    assert page.count("Against its label") == 1
    scores = result.scores[Path("f0.png")]
    assert scores.regions is not None
    sentence = (
        f"IoU {scores.pixels.iou:.3f}, boundary F1 {scores.lines.f1:.3f}, adapted Rand error "
        f"{scores.regions.adapted_rand_error:.3f}, number of grains off by "
    )
    assert f"(<code>masks=</code> of this prediction): {sentence}" in page
    assert f"<p>1 of 3 images, by <code>masks=</code> of this prediction: {sentence}" in page
    assert "Not measured: " not in page
    assert "segmentation_images=1" in page  # this checkpoint knows no error of its own


def test_a_mask_whose_judged_part_is_left_out_costs_the_score_and_not_the_prediction(
    config: PredictConfig, fields: Path, tmp_path: Path
) -> None:
    (tmp_path / "ignored").mkdir()
    boundary = np.asarray(Image.open(fields / "masks" / "f0.png"))
    Image.fromarray(np.uint8(255) - boundary).save(tmp_path / "ignored" / "f0.png")
    result = predict(replace(config, masks=str(fields / "masks"), ignored=str(tmp_path / "ignored")))
    assert [path.name for path in result.scores] == ["f1.png", "f2.png"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<p>2 of 3 images, scored together as one, by <code>masks=</code>" in page
    (unscored,) = result.unscored
    assert "f0.png: its mask shows no grain outside what is excluded or ignored" in unscored


def test_what_is_left_out_is_not_scored(config: PredictConfig, fields: Path, tmp_path: Path) -> None:
    """A label that is wrong below a scratch or a pore costs nothing."""
    masks = tmp_path / "masks"
    shutil.copytree(fields / "masks", masks)
    wrong = np.asarray(Image.open(masks / "f0.png")).copy()
    place = np.zeros(wrong.shape, np.uint8)
    place[20:60, 20:80] = 1
    for key in ("excluded", "ignored"):
        (tmp_path / key).mkdir()
        for stem in ("f0", "f1", "f2"):
            Image.fromarray(place).save(tmp_path / key / f"{stem}.png")
    found = []
    for label in (wrong, np.where(place, np.uint8(255) - wrong, wrong)):
        Image.fromarray(label).save(masks / "f0.png")
        for key in ("excluded", "ignored"):
            pores = "excluded" if key == "excluded" else "unknown"
            scored = replace(
                config,
                masks=str(masks),
                structure=replace(config.structure, pores=pores),
                **{key: str(tmp_path / key)},
            )
            found.append(predict(scored).scores[Path("f0.png")].pixels)
    assert found[0] == found[1] == found[2] == found[3]


def test_a_tolerance_that_is_large_for_the_grains_is_said_once(
    config: PredictConfig, fields: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predict(replace(config, masks=str(fields / "masks"), boundary_tolerance_px=9.0))
    assert caplog.text.count("boundary_tolerance_px=9 is 0.") == 1
    (warning,) = tolerance_warnings(3.0, 9.3)
    assert "0.32 of the labels' mean intercept of 9.3 px" in warning
    assert "say boundary_tolerance_px=1" in warning
    for tolerance_px, intercept_px in ((1.0, 9.3), (2.0, 21.0), (3.0, 30.0), (3.0, np.inf), (3.0, None)):
        assert tolerance_warnings(tolerance_px, intercept_px) == ()
