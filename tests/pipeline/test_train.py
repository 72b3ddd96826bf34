"""A training run as a function: what it leaves, what it logs, and that all its IoUs are one."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
import tifffile
import torch
from helpers import ROOT, SMALL_ENCODER, compose_predict, compose_train, tensorboard_events
from lightning.pytorch.callbacks import LambdaCallback
from omegaconf import OmegaConf
from PIL import Image

from grainseg.config import PredictConfig, TrainConfig, to_plain
from grainseg.data.folder import images_of
from grainseg.data.images import network_unit
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import partition_probability
from grainseg.grains.labels.label_files import read_label
from grainseg.grains.scoring.agreement import pixel_scores
from grainseg.inference.predictor import predict_probability, tile_settings
from grainseg.micrograph.files import read_micrograph
from grainseg.micrograph.labels import LabelSpec
from grainseg.model.checkpoint import load_network, read_checkpoint
from grainseg.pipeline.export import export
from grainseg.pipeline.predict import predict
from grainseg.pipeline.runs.partition_choice import PredictedGrains, fit_grains
from grainseg.pipeline.train import train, training_summary
from grainseg.training.trainer import build_trainer


def predicting(run: Path, fields: Path, output: Path) -> PredictConfig:
    composed = compose_predict("checkpoint=c", "images=i", "output=o", "accelerator=cpu")
    return replace(
        composed,
        checkpoint=str(run / "checkpoints" / "best.ckpt"),
        images=str(fields / "images"),
        output=str(output),
        masks=str(fields / "masks"),
    )


def test_a_run_leaves_what_the_contract_says(run: tuple[Path, dict[str, float]]) -> None:
    folder, metrics = run
    for name in ("checkpoints/best.ckpt", "checkpoints/last.ckpt", "config.yaml", "metrics.json", "run.json"):
        assert (folder / name).is_file()
    finite = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
    assert json.loads((folder / "metrics.json").read_text()) == finite
    mask = np.asarray(Image.open(folder / "predictions" / "f2_mask.png"))
    probability = tifffile.imread(folder / "predictions" / "f2_probability.tif")
    assert mask.shape == probability.shape == (101, 111)
    assert set(np.unique(mask)) <= {0, 255}
    assert probability.dtype == np.float32
    np.testing.assert_array_equal(mask > 0, probability > 0.5)
    assert np.asarray(Image.open(folder / "predictions" / "f2_overlay.png")).shape == (101, 111, 3)


def test_all_ious_are_one(run: tuple[Path, dict[str, float]], fields: Path, tmp_path: Path) -> None:
    """Logged during training, saved with the run, of the mask file, and of a prediction from the file."""
    folder, metrics = run
    mask = np.asarray(Image.open(folder / "predictions" / "f2_mask.png")) > 0
    label = read_label(fields / "masks" / "f2.png", mask.shape, LabelSpec())
    assert metrics["val/iou"] == pytest.approx(pixel_scores(mask, label).iou, abs=1e-6)
    logged = [event.value for event in tensorboard_events(folder).Scalars("val/iou")]
    assert metrics["val/iou"] == pytest.approx(max(logged), abs=1e-6)
    result = predict(predicting(folder, fields, tmp_path))
    again = json.loads((tmp_path / "metrics.json").read_text())
    assert again["f2.png"]["iou"] == pytest.approx(metrics["val/iou"], abs=1e-6)
    assert again["f2.png"]["boundary_f1"] == pytest.approx(metrics["val/boundary_f1"], abs=1e-6)
    assert result.failures == []
    assert metrics["val/iou_fitted"] >= metrics["val/iou"]
    assert metrics["train/parameters"] > 1e5


def test_tensorboard_shows_curves_pictures_choices_and_the_configuration(
    run: tuple[Path, dict[str, float]],
) -> None:
    folder, metrics = run
    logged = tensorboard_events(folder)
    scalars = set(logged.Tags()["scalars"])
    assert {"train/loss", "train/lr", "val/iou", "val/precision", "val/recall", "val/boundary_f1"} <= scalars
    assert all(tag.startswith(("train/", "val/", "hp/")) or tag == "epoch" for tag in scalars)
    assert len(logged.Scalars("train/loss")) == 3 * 2  # epochs, batches
    losses = np.reshape([event.value for event in logged.Scalars("train/loss")], (3, 2))
    means = [event.value for event in logged.Scalars("train/loss_epoch")]
    assert means == pytest.approx(losses.mean(axis=1).tolist(), rel=1e-5)
    announced = logged.SummaryMetadata("_hparams_/experiment").plugin_data.content
    for tag, value in (
        ("parameters", metrics["train/parameters"]),
        ("train_seconds", metrics["train/seconds"]),
    ):
        assert f"hp/{tag}".encode() in announced
        assert logged.Scalars(f"hp/{tag}")[-1].value == pytest.approx(value)
    for name in ("val/iou", "val/boundary_f1", "val/grain_count_error", "val/intercept_error"):
        tag = f"hp/{name.replace('/', '_')}"
        assert tag.encode() in announced
        assert logged.Scalars(tag)[-1].value == pytest.approx(metrics[name])
    shown = OmegaConf.load(folder / "tensorboard" / "hparams.yaml")
    assert shown["optimizer.lr"] > 0
    assert (shown["trainer.accelerator"], shown["data.val"]) == ("cpu", "['f2']")
    assert shown["trainer.precision"] == build_trainer(compose_train("trainer=cpu"), folder, 0).precision
    assert "val/f2" in logged.Tags()["images"]
    text = logged.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "architecture: unet" in text
    summary = logged.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"optimizer.lr" in summary
    assert b"model.architecture" in summary


def test_checkpoints_are_plain_and_only_the_last_can_go_on(run: tuple[Path, dict[str, float]]) -> None:
    folder, _ = run
    best, last = (
        torch.load(folder / "checkpoints" / name, weights_only=True) for name in ("best.ckpt", "last.ckpt")
    )
    assert "optimizer_states" not in best
    assert last["optimizer_states"]
    assert last["lr_schedulers"]
    assert last["epoch"] == 2
    spec, _ = read_checkpoint(folder / "checkpoints" / "best.ckpt")
    assert (spec.architecture, spec.encoder, spec.decoder_width) == ("unet", SMALL_ENCODER, 16)
    assert (spec.tile_size, spec.overlap, spec.threshold, spec.seed) == (64, 16, 0.5, 0)
    assert 2.5 < spec.line_width_px < 4
    assert run[1]["train/line_width_px"] == spec.line_width_px
    assert spec.pixel_size_um is None
    assert spec.intercept_px is not None
    assert 10 < spec.intercept_px < 60


def test_the_partition_is_fitted_and_kept(
    run: tuple[Path, dict[str, float]], fields: Path, tmp_path: Path
) -> None:
    """With the grains' errors at its own settings, at the defaults, and their bias for the budget."""
    folder, metrics = run
    spec, _ = read_checkpoint(folder / "checkpoints" / "best.ckpt")
    probability = tifffile.imread(folder / "predictions" / "f2_probability.tif")
    grains = tifffile.imread(folder / "predictions" / "f2_grains.tif")
    np.testing.assert_array_equal(grains, partition_probability(probability, spec.partition).grains)
    assert grains.dtype == np.uint32
    for name in (
        "are",
        "voi_split",
        "voi_merge",
        "grain_count_error",
        "intercept_error",
        "diameter_distance",
    ):
        assert metrics[f"val/{name}"] >= 0
        assert f"val/{name}_fitted" in metrics
    # Fitted to all three labelled pictures, of which two were trained on.
    network = load_network(folder / "checkpoints" / "best.ckpt")[1]
    pictures = []
    for stem in ("f2", "f0", "f1"):
        unit = network_unit(read_micrograph(fields / "images" / f"{stem}.png").pixels, 1)
        label = read_label(fields / "masks" / f"{stem}.png", unit.shape[:2], LabelSpec())
        pictures.append(PredictedGrains.of(predict_probability(network, unit, tile_settings(spec)), label))
    assert fit_grains(pictures) == spec.partition
    if spec.segmentation is not None:
        assert abs(np.expm1(spec.segmentation.bias_ln)) == pytest.approx(
            metrics["val/intercept_error_fitted"]
        )
    assert spec.validation is not None
    assert (spec.validation.boundary_f1, spec.validation.images) == (metrics["val/boundary_f1"], 1)
    assert spec.validation.adapted_rand_error == metrics["val/are_fitted"]
    assert spec.doubt_reference is not None
    result = predict(predicting(folder, fields, tmp_path))
    again = json.loads((tmp_path / "metrics.json").read_text())
    assert again["f2.png"]["are"] == pytest.approx(metrics["val/are_fitted"], abs=1e-9)
    assert result.measured is not None
    said = f"boundary F1 {metrics['val/boundary_f1']:.2f}, adapted Rand error {metrics['val/are_fitted']:.2f}"
    assert said in result.measured.report.read_text(encoding="utf-8")


@pytest.mark.slow
def test_without_a_partition_there_are_masks_only(smoke_config: TrainConfig, tmp_path: Path) -> None:
    partition = replace(smoke_config.partition, name="none")
    metrics = train(replace(smoke_config, partition=partition), tmp_path)
    assert not (tmp_path / "predictions" / "f2_grains.tif").exists()
    assert "val/are" in metrics
    assert "val/are_fitted" not in metrics


@pytest.mark.slow
def test_an_error_chooses_the_checkpoint_where_it_is_least(smoke_config: TrainConfig, tmp_path: Path) -> None:
    config = replace(smoke_config, epochs=4, optimized_metric="val/grain_count_error")
    metrics = train(config, tmp_path)
    logged = [event.value for event in tensorboard_events(tmp_path).Scalars("val/grain_count_error")]
    assert metrics["val/grain_count_error"] == pytest.approx(min(logged), abs=1e-6)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network(smoke_config: TrainConfig, tmp_path: Path) -> None:
    config = replace(smoke_config, epochs=1)
    scores = [train(config, tmp_path / name)["val/iou_fitted"] for name in ("one", "two")]
    other = train(replace(config, seed=1), tmp_path / "three")["val/iou_fitted"]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert scores[0] != other


def test_test_pictures_are_scored_beside_and_seen_as_predictions_will_see_them(
    smoke_config: TrainConfig, fields: Path, tmp_path: Path
) -> None:
    config = replace(smoke_config, epochs=1, data=replace(smoke_config.data, val=["f1"], test=["f2"]))
    config = replace(
        config, inference=replace(config.inference, tta="d4", adapt=0.2), optimized_metric="val/are"
    )
    metrics = train(config, tmp_path)
    spec, _ = load_network(tmp_path / "checkpoints" / "best.ckpt")
    assert (spec.tta, spec.adapt) == ("d4", 0.2)
    assert spec.images == images_of(config.data)
    assert [list(part) for part in spec.images.parts.values()] == [["f0"], ["f1"], ["f2"]]
    assert {"test/iou", "test/precision", "test/recall", "test/boundary_f1"} <= set(metrics)
    logged = tensorboard_events(tmp_path)
    announced = logged.SummaryMetadata("_hparams_/experiment").plugin_data.content
    tags = {f"hp/{name.replace('/', '_')}": name for name in ("val/are", "test/iou", "test/boundary_f1")}
    for tag, name in tags.items():
        assert tag.encode() in announced
        assert logged.Scalars(tag)[-1].value == pytest.approx(metrics[name])
    assert not (tmp_path / "predictions" / "f2_mask.png").exists()
    predict(predicting(tmp_path, fields, tmp_path / "out"))
    again = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert again["f2.png"]["iou"] == pytest.approx(metrics["test/iou"], abs=1e-6)
    for name in ("are", "grain_count_error", "intercept_error"):
        assert again["f2.png"][name] == pytest.approx(metrics[f"test/{name}_fitted"], abs=1e-9)
    shown = training_summary(metrics, tmp_path).splitlines()
    assert sum(line.startswith("test: grains: ") for line in shown) == 1
    assert f"test/iou {metrics['test/iou']:.4f}  test/boundary_f1 {metrics['test/boundary_f1']:.4f}" in shown
    assert again["f1.png"]["iou"] == pytest.approx(metrics["val/iou"], abs=1e-6)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Of 3 scored pictures 1 trained the network and 1 chose the checkpoint: such scores" in page
    masks = [np.asarray(Image.open(tmp_path / each / "f1_mask.png")) for each in ("out", "predictions")]
    np.testing.assert_array_equal(*masks)


@pytest.mark.slow
def test_early_stopping_stops(smoke_config: TrainConfig, tmp_path: Path) -> None:
    callbacks = replace(smoke_config.callbacks, early_stopping_patience=1)
    frozen = replace(smoke_config.optimizer, lr=1e-12)
    config = replace(smoke_config, epochs=50, callbacks=callbacks, optimizer=frozen)
    config = replace(config, model=replace(config.model, decoder_width=16))
    train(config, tmp_path)
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] < 20


def test_without_tensorboard_a_run_works_too(smoke_config: TrainConfig, tmp_path: Path) -> None:
    """With a callback of one's own, as from Python, say."""
    logger = replace(smoke_config.logger, tensorboard=False)
    steps: list[int] = []
    own = LambdaCallback(on_train_end=lambda trainer, module: steps.append(trainer.global_step))
    train(replace(smoke_config, epochs=1, logger=logger), tmp_path, callbacks=[own])
    assert steps == [2]
    assert not (tmp_path / "tensorboard").exists()
    assert (tmp_path / "metrics.json").exists()


def test_training_starts_from_the_weights_that_ship(
    run: tuple[Path, dict[str, float]],
    smoke_config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With hardly any rate, the network stays what it was; where nothing ships, the run does not begin."""
    best = run[0] / "checkpoints" / "best.ckpt"
    monkeypatch.setattr("grainseg.model.generic.WEIGHTS", tmp_path)
    frozen = replace(smoke_config.optimizer, lr=1e-12)
    config = replace(
        smoke_config, epochs=1, optimizer=frozen, model=replace(smoke_config.model, init="generic")
    )
    with pytest.raises(GrainsegError, match=r"model\.init=generic: this version ships no weights"):
        train(config, tmp_path / "none")
    export(best, tmp_path / f"unet_{SMALL_ENCODER}.safetensors")
    assert read_checkpoint(best)[0].images is not None  # which are not passed on
    assert read_checkpoint(tmp_path / f"unet_{SMALL_ENCODER}.safetensors")[0].images is None
    with pytest.raises(GrainsegError, match=r"\.safetensors: is there already; remove it"):
        export(best, tmp_path / f"unet_{SMALL_ENCODER}.safetensors")
    train(config, tmp_path / "some")
    _, before = read_checkpoint(best)
    _, after = read_checkpoint(tmp_path / "some" / "checkpoints" / "best.ckpt")
    for name, value in before.items():
        if "running" not in name and "tracked" not in name:
            torch.testing.assert_close(after[name], value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("architecture", ["unetplusplus", "deeplabv3plus"])
def test_the_other_architectures_train(architecture: str, smoke_config: TrainConfig, tmp_path: Path) -> None:
    model = replace(smoke_config.model, architecture=architecture)
    trainer = replace(smoke_config.trainer, accumulate_grad_batches=2)
    train(replace(smoke_config, epochs=1, model=model, trainer=trainer), tmp_path)
    spec, _ = read_checkpoint(tmp_path / "checkpoints" / "best.ckpt")
    assert spec.architecture == architecture
    assert spec.steps == 1  # of two batches


def test_what_the_documentation_says_in_python_runs(
    run: tuple[Path, dict[str, float]], fields: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the run that is there in place of one more."""
    folder, metrics = run
    trained = create_autospec(train, return_value=metrics)
    monkeypatch.setattr("grainseg.pipeline.train.train", trained)
    text = (ROOT / "docs" / "finetuning.md").read_text(encoding="utf-8")
    (code,) = re.findall("```python\n(.*?)```", text, re.DOTALL)
    meant = {"DIR": str(fields), "RUN": str(folder), "IMAGE": "f2"}
    said: dict[str, Any] = {}
    exec(re.sub("|".join(meant), lambda name: meant[name[0]], code), said)
    assert trained.call_args.args == (said["config"], folder)
    assert said["config"].data.root == str(fields)
    written = tifffile.imread(folder / "predictions" / "f2_probability.tif")
    np.testing.assert_allclose(said["probability"], written, atol=1e-5)


def test_a_run_that_is_there_is_not_overwritten(
    run: tuple[Path, dict[str, float]], smoke_config: TrainConfig
) -> None:
    metrics = (run[0] / "metrics.json").read_bytes()
    with pytest.raises(GrainsegError, match=r"holds a run already; say resume=.*last\.ckpt"):
        train(smoke_config, run[0])
    assert (run[0] / "metrics.json").read_bytes() == metrics


def test_a_checkpoint_whose_bytes_were_damaged_is_refused(
    run: tuple[Path, dict[str, float]], tmp_path: Path
) -> None:
    content = bytearray((run[0] / "checkpoints" / "best.ckpt").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(255 - byte for byte in content[middle : middle + 100])
    (tmp_path / "best.ckpt").write_bytes(content)
    with pytest.raises(GrainsegError, match=r"best\.ckpt: is damaged \(.*\); copy it again"):
        read_checkpoint(tmp_path / "best.ckpt")


def test_the_saved_configuration_is_the_run(
    run: tuple[Path, dict[str, float]], smoke_config: TrainConfig
) -> None:
    folder, _ = run
    saved = OmegaConf.to_container(OmegaConf.load(folder / "config.yaml"))
    assert saved == to_plain(replace(smoke_config, epochs=3))
