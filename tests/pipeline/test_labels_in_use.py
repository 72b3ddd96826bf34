"""Labels of all kinds, partly ignored ones among them, from the file to the network and its scores."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from helpers import compose_predict, compose_train, write_field
from PIL import Image

from grainseg.config import FolderDataConfig, PredictConfig, TrainConfig
from grainseg.data.folder import read_folder
from grainseg.data.images import read_labelled
from grainseg.errors import GrainsegError
from grainseg.grains.labels.label_files import read_label
from grainseg.inference.predictor import moved, predict_probability, tile_settings
from grainseg.micrograph.folders.folder import LabelledImage
from grainseg.micrograph.image import BOUNDARY, IGNORE
from grainseg.micrograph.labels import LabelSpec
from grainseg.micrograph.plain.synthetic import generate
from grainseg.model.checkpoint import load_network
from grainseg.pipeline.predict import predict
from grainseg.pipeline.train import train

UNLABELLED = 128
SHAPE = (97, 130)


def folder_of(tmp_path: Path, masks: list[np.ndarray]) -> Path:
    """Synthetic fields under masks of any kind."""
    for number, mask in enumerate(masks):
        write_field(tmp_path, f"f{number}", number, SHAPE)
        (tmp_path / "masks" / f"f{number}.png").unlink()
        tifffile.imwrite(tmp_path / "masks" / f"f{number}.tif", mask)
    return tmp_path


def opened(config: TrainConfig, root: Path, **changes: object) -> tuple[np.ndarray, float]:
    """Label of the first training image, and the width that is learnt."""
    data = replace(config.data, root=str(root), **changes)  # type: ignore[arg-type]
    assert isinstance(data, FolderDataConfig)
    read = read_folder(data, config.augment, 1, 0)
    return read.patches._images[0].label, read.line_width_px  # type: ignore[attr-defined]


def predicting(folder: Path, data: Path, **label: object) -> PredictConfig:
    """The prediction of a data folder by the run in ``folder``, scored."""
    composed = compose_predict("checkpoint=c", "images=i", "output=o", "accelerator=cpu")
    return replace(
        composed,
        checkpoint=str(folder / "run" / "checkpoints" / "best.ckpt"),
        images=str(data / "images"),
        output=str(folder / "out"),
        masks=str(data / "masks"),
        data=replace(composed.data, **label),  # type: ignore[arg-type]
    )


def predicted_iou(config: PredictConfig, image: str) -> float:
    """Predict, and read what was written of one image."""
    assert predict(config).failures == []
    scores = json.loads((Path(config.output) / "metrics.json").read_text())
    return float(scores[image]["iou"])


def test_grain_maps_and_thin_drawings_become_the_label_that_was_meant(
    smoke_config: TrainConfig, tmp_path: Path
) -> None:
    """The synthetic label is drawn from its grains; the drawing is what a person would trace of them."""
    made = [generate(number, SHAPE) for number in range(3)]
    maps = folder_of(tmp_path / "maps", [each.grains.astype(np.uint16) for each in made])
    label, width = opened(smoke_config, maps, label_kind="instances", label_width_px=3)
    np.testing.assert_array_equal(label, made[0].label)
    assert width == pytest.approx(3.2, abs=0.1)

    traced = []
    for each in made:
        line = np.zeros(SHAPE, np.uint8)
        line[:, :-1][each.grains[:, :-1] != each.grains[:, 1:]] = 255
        line[:-1][each.grains[:-1] != each.grains[1:]] = 255
        traced.append(line)
    drawings = folder_of(tmp_path / "drawings", traced)
    label, width = opened(smoke_config, drawings, label_kind="lines", label_width_px=3)
    assert width == pytest.approx(3.1, abs=0.2)
    both, either = (label == 1) & (made[0].label == 1), (label == 1) | (made[0].label == 1)
    assert both.sum() / either.sum() > 0.7  # pixels of the lines' middle lie half a px off the cracks


@pytest.mark.slow
def test_a_network_trains_on_partly_ignored_labels_of_each_kind(
    smoke_config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = [generate(number, SHAPE) for number in range(3)]
    masks = [each.grains.astype(np.uint16) for each in made]
    for mask in masks:  # validation, too
        mask[:, 65:] = 65535
    root = folder_of(tmp_path / "data", masks)
    data = replace(
        smoke_config.data, root=str(root), label_kind="instances", label_width_px=3, ignore_value=65535
    )
    with caplog.at_level(logging.INFO, "grainseg"):
        metrics = train(replace(smoke_config, data=data), tmp_path / "run")
    assert np.isfinite([metrics[f"val/{name}"] for name in ("iou", "boundary_f1", "are", "voi_merge")]).all()
    assert "labelled: 49 % of the training pixels" in caplog.text
    assert "px of all training masks are labelled, as many as 3.0 patches of data.tile_size=64" in caplog.text
    assert "labelled grains (fewer than 50) in validation choose the checkpoint, and" in caplog.text
    assert (tmp_path / "run" / "predictions" / "f2_panel.png").is_file()

    caplog.clear()
    config = predicting(tmp_path, root, label_kind="instances", label_width_px=3, ignore_value=65535)
    assert predicted_iou(config, "f2.png") == pytest.approx(metrics["val/iou"], abs=1e-6)
    with pytest.raises(GrainsegError, match=r"data\.label_width_px=null"):
        predict(replace(config, checkpoint="nowhere", data=replace(config.data, label_width_px=None)))


def test_an_offset_of_the_labels_is_seen_learnt_and_given_back(
    smoke_config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Labels lie a pixel lower and two to the right; the network that ships sees where the grooves are."""
    for number in range(3):
        write_field(tmp_path, f"f{number}", number, (160, 192))
        path = tmp_path / "masks" / f"f{number}.png"
        mask = np.roll(np.array(Image.open(path)), (1, 2), axis=(0, 1))
        Image.fromarray(mask).save(path)
    data = replace(smoke_config.data, root=str(tmp_path), label_offset="auto")
    with caplog.at_level(logging.INFO, "grainseg"):
        metrics = train(replace(smoke_config, data=data), tmp_path / "run")
    found = metrics["train/label_offset_down_px"], metrics["train/label_offset_right_px"]
    assert found == pytest.approx((1, 2), abs=0.25)
    assert f"the labels lie {found[0]:+.2f} px down and {found[1]:+.2f} px to the right" in caplog.text
    spec, network = load_network(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert spec.label_offset_px == found

    assert predicted_iou(predicting(tmp_path, tmp_path), "f2.png") == pytest.approx(
        metrics["val/iou"], abs=1e-6
    )
    files = tmp_path / "images" / "f2.png", tmp_path / "masks" / "f2.png"
    picture = read_labelled(LabelledImage("f2", *files), data, 1)
    here = replace(tile_settings(spec), offset_px=(0.0, 0.0))
    seen = predict_probability(network, picture.unit, here)
    written = np.asarray(Image.open(tmp_path / "out" / "f2_mask.png")) > 0
    np.testing.assert_array_equal(written, moved(seen, spec.label_offset_px) > spec.threshold)
    assert "px to the right of what the pictures show" in (tmp_path / "out" / "report.html").read_text()


def test_a_network_that_sees_shrunk_pictures_answers_at_their_size(
    smoke_config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(smoke_config.data, FolderDataConfig)
    data = replace(smoke_config.data, shrink=2)
    with caplog.at_level(logging.INFO, "grainseg"):
        metrics = train(replace(smoke_config, data=data), tmp_path / "run")
    assert "the network sees pictures shrunk by 2" in caplog.text
    lines = [record.getMessage() for record in caplog.records if record.getMessage().startswith("epoch ")]
    assert [line.split(": ")[0] for line in lines] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert f"validation IoU {metrics['val/iou']:.3f}" in {line.split(": ")[1] for line in lines}
    assert metrics["train/shrink"] == 2
    spec, _ = load_network(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert (spec.shrink, spec.tile_size) == (2, smoke_config.inference.tile_size)
    [mask] = (tmp_path / "run" / "predictions").glob("*_mask.png")
    image = mask.name.replace("_mask", "")
    assert predicted_iou(predicting(tmp_path, Path(data.root)), image) == pytest.approx(
        metrics["val/iou"], abs=1e-6
    )
    assert "pictures shrunk by 2, as in training" in (tmp_path / "out" / "report.html").read_text()


def test_nobody_is_warned_of_enough_labels(smoke_config: TrainConfig) -> None:
    assert isinstance(smoke_config.data, FolderDataConfig)
    read = read_folder(smoke_config.data, smoke_config.augment, 1, 0)
    assert read.labelled_share == 1
    assert read.warnings == ()


@pytest.mark.slow
def test_a_quarter_of_each_label_is_enough_to_learn_from(tmp_path: Path) -> None:
    """100 steps, three quarters of each training mask ignored; scored on a field labelled whole.

    Calling everything boundary has the IoU of its share of the field, 0.2.
    """
    for number in range(5):
        write_field(tmp_path, f"f{number}", number, (224, 256))
    for number in range(4):
        path = tmp_path / "masks" / f"f{number}.png"
        mask = np.array(Image.open(path))
        row, column = 112 * (number // 2), 128 * (number % 2)
        kept = np.s_[row : row + 112, column : column + 128]
        part = np.full_like(mask, UNLABELLED)
        part[kept] = mask[kept]
        Image.fromarray(part).save(path)
    config = compose_train(
        "data=folder",
        f"data.root='{tmp_path}'",
        f"data.ignore_value={UNLABELLED}",
        "data.tile_size=96",
        "data.patches_per_epoch=200",
        "epochs=2",
        "batch_size=4",
        "model.init=scratch",
        "model.decoder_width=32",
        "inference.tile_size=256",
        "inference.overlap=64",
        "trainer=cpu",
        "logger=none",
        "callbacks.progress_bar=false",
    )
    metrics = train(config, tmp_path / "run")
    label = read_label(tmp_path / "masks" / "f4.png", (224, 256), LabelSpec())
    assert not (label == IGNORE).any()
    chance = (label == BOUNDARY).mean()
    assert chance < 0.25
    assert metrics["val/iou"] > 0.35
    assert metrics["val/boundary_f1"] > 0.65
