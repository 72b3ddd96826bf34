"""Leave-one-out: each image is judged by the network that did not see it, and by no other."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from helpers import compose_predict, csv_rows, tensorboard_events
from omegaconf import OmegaConf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from grainseg.config import FolderDataConfig, TrainConfig, to_plain
from grainseg.data.folder import read_folder
from grainseg.errors import GrainsegError
from grainseg.grains.labels.labelled_grains import label_grains
from grainseg.grains.scoring.partition_fit import fit_partition
from grainseg.grains.trust.doubt import SIGNS
from grainseg.inference.predictor import TileSettings, predict_probability
from grainseg.micrograph.folders.folder import list_folder
from grainseg.micrograph.image import FloatImage
from grainseg.model.checkpoint import CheckpointSpec, load_network
from grainseg.model.ensemble import load_networks, write_ensemble
from grainseg.model.networks import build_network
from grainseg.pipeline import leave_one_out as tested
from grainseg.pipeline import resumable_training
from grainseg.pipeline.leave_one_out import leave_one_out, out_of_fold, over_folds
from grainseg.pipeline.predict import predict
from grainseg.pipeline.runs.training_record import TRAINED, image_roles, read_record
from grainseg.pipeline.train import network_spec, train
from grainseg.report.files.metrics_file import write_metrics
from grainseg.training.run_folder import require_free

STEMS = ["f0", "f1", "f2"]
UNSEEN = "predicted by the network that did not see it, the mean of all networks is not measured"


@pytest.fixture(scope="session")
def config(smoke_config: TrainConfig) -> TrainConfig:
    data = replace(smoke_config.data, patches_per_epoch=4)
    return replace(smoke_config, leave_one_out=True, epochs=2, data=data)


def number_of(network: nn.Module) -> int:
    """Which fold a network of ``quick_train`` is of."""
    return round(float(network.state_dict()["segmentation_head.0.bias"]))


def quick_train(config: TrainConfig, folder: Path, *, fold: bool) -> dict[str, float]:
    """In the place of a training: a network that knows its fold, and metrics that tell it."""
    assert isinstance(config.data, FolderDataConfig)
    assert fold
    assert not config.leave_one_out
    folder.mkdir(parents=True)
    OmegaConf.save(OmegaConf.create(to_plain(config)), folder / "config.yaml")
    network = build_network(network_spec(config))
    network.state_dict()["segmentation_head.0.bias"].fill_(float(config.data.fold))
    write_ensemble(folder / "checkpoints" / "best.ckpt", spec_of(config, config.data.fold), [network])
    metrics = {"val/iou": 0.5 + 0.1 * config.data.fold, "val/boundary_f1": math.nan, "train/seconds": 1.0}
    write_metrics(folder / "metrics.json", metrics)
    return metrics


def spec_of(config: TrainConfig, fold: int) -> CheckpointSpec:
    return CheckpointSpec(
        **vars(network_spec(config)), tile_size=64, overlap=32, threshold=0.5, seed=0, steps=fold,
        line_width_px=3.0 + fold, intercept_px=10.0 * 4**fold, label_offset_px=(0.5 * fold, 0.0),
        doubt_reference=dict.fromkeys(SIGNS, (float(fold), 1.0)),
    )  # fmt: skip


@pytest.fixture
def knowing(fields: Path, monkeypatch: pytest.MonkeyPatch, config: TrainConfig) -> dict[int, FloatImage]:
    """Networks that draw their own fold's image well and any other badly; the good maps by fold."""
    monkeypatch.setattr(resumable_training, "train", quick_train)
    networks = [nn.Conv2d(1, 1, 1)] * 3
    images, _ = read_all(config, networks)
    good = {
        number: np.where(image.label == 1, np.float32(0.9), np.float32(0.15))
        for number, image in enumerate(images)
    }
    good[1][20:60, 20:60] = 0.15  # not all of it: then errors would not differ between images

    def predict(network: nn.Module, unit: FloatImage, tiles: TileSettings) -> FloatImage:
        number = number_of(network)
        if np.array_equal(unit, images[number].unit):
            return good[number]
        return np.random.default_rng(number).random(unit.shape[:2], dtype=np.float32)

    monkeypatch.setattr(tested, "predict_probability", predict)
    return good


def masks_only(config: TrainConfig) -> TrainConfig:
    """Quicker: no partition to fit and no TensorBoard."""
    quiet = replace(config.logger, tensorboard=False)
    return replace(config, partition=replace(config.partition, name="none"), logger=quiet)


def read_all(config: TrainConfig, networks: list[nn.Module]):
    return out_of_fold(STEMS, [(spec_of(config, 0), network) for network in networks], config)


def test_what_is_known_of_the_ensemble_comes_from_unseen_images(
    knowing: dict[int, FloatImage], config: TrainConfig, tmp_path: Path
) -> None:
    result = leave_one_out(config, tmp_path)
    assert result.images == tuple(STEMS)
    spec, networks = load_networks(tmp_path / "checkpoints" / "best.ckpt")
    assert [number_of(network) for network in networks] == [0, 1, 2]
    for number, stem in enumerate(STEMS):
        written = tifffile.imread(tmp_path / "predictions" / f"{stem}_probability.tif")
        np.testing.assert_array_equal(written, knowing[number])
    images, _ = read_all(config, networks)
    truth = [label_grains(image.label) for image in images]
    assert spec.partition == fit_partition(knowing.values(), truth, [None] * 3)
    told = [spec.line_width_px, spec.steps, *spec.label_offset_px, spec.intercept_px]
    assert told == pytest.approx([4, 2, 0.5, 0, 40])
    assert spec.doubt_reference == dict.fromkeys(SIGNS, (1.0, pytest.approx(math.sqrt(5 / 3), abs=1e-4)))
    assert spec.segmentation is not None
    assert spec.segmentation.images == 3
    assert spec.segmentation.source.startswith("leave-one-out over 3 images")
    assert spec.segmentation.source.endswith("; each " + UNSEEN)
    assert spec.segmentation.sd_ln > 0
    assert abs(spec.segmentation.bias_ln) < 0.1
    assert result.metrics["out_of_fold/iou"] > 0.8
    assert spec.validation is not None
    assert spec.validation.images == 3
    assert spec.validation.intercept_error == result.metrics["out_of_fold/intercept_error_fitted"]
    (grains,) = (line for line in result.summary().splitlines() if ": grains: adapted Rand error" in line)
    assert " (all images as one, by the checkpoint's partition; in the table each by itself, " in grains


def test_test_pictures_are_scored_as_a_prediction_with_the_checkpoint_scores_them(
    fields: Path, config: TrainConfig, tmp_path: Path
) -> None:
    networks = [build_network(network_spec(config)) for _ in range(2)]
    spec = spec_of(config, 0)
    for number, network in enumerate(networks):
        network.state_dict()["segmentation_head.0.bias"].fill_(0.4 * number - 0.2)
    write_ensemble(tmp_path / "best.ckpt", spec, networks)
    tested_on = replace(config, data=replace(config.data, test=["f0", "f2"]))
    found = tested._test_together(tested_on, spec, [network.eval() for network in networks])
    values = [f"checkpoint={tmp_path / 'best.ckpt'}", "images=i", f"output={tmp_path / 'out'}", "scale=null"]
    prediction = compose_predict(*values, f"masks={fields / 'masks'}", "accelerator=cpu")
    predicted = predict(replace(prediction, images=f"{fields}/images/f[02].png"))
    assert found == {f"test/{name}_ensemble": value for name, value in predicted.metrics()["all"].items()}
    assert 0 < found["test/iou_ensemble"] < 1
    alone = tested._test_together(tested_on, spec, networks[:1])
    assert alone["test/iou_ensemble"] != found["test/iou_ensemble"]
    assert tested._test_together(config, spec, networks) == {}


def test_the_closing_lines_judge_the_ensemble_where_pictures_test() -> None:
    folds = [{"val/iou": iou, "test/iou": iou - 0.1} for iou in (0.5, 0.7)]
    grains = {"are": 0.1, "grain_count_error": 0.02, "intercept_error": 0.01}
    metrics = over_folds(folds) | {f"out_of_fold/{name}": value for name, value in grains.items()}
    metrics |= {f"out_of_fold/{name}_fitted": value for name, value in grains.items()}
    metrics |= dict.fromkeys(["out_of_fold/iou", "out_of_fold/iou_fitted", "out_of_fold/boundary_f1"], 0.9)
    metrics |= {
        "out_of_fold/threshold_fitted": 0.5,
        "test/iou_ensemble": 0.8,
        "test/boundary_f1_ensemble": 0.7,
    }
    metrics |= {f"test/{name}_ensemble": 2 * value for name, value in grains.items()}
    lines = tested.LeaveOneOut(Path("run"), ("a", "b"), tuple(folds), metrics).summary().splitlines()
    assert [line.split() for line in lines[:6]] == [
        ["left", "out", "iou", "test/iou"],
        ["a", "0.5000", "0.4000"],
        ["b", "0.7000", "0.6000"],
        ["mean", "0.6000", "0.5000"],
        ["sd", "0.1414", "0.1414"],
        ["together", "0.8000"],
    ]
    assert lines[5].index("0.8000") == lines[4].rindex("0.1414")  # below the other scores of test pictures
    assert lines[7] == "test: grains: adapted Rand error 0.200, number off by 4.0 %, mean intercept by 2.0 %"
    assert lines[8].startswith("warning: boundary F1 below 0.85 in test: ")


def test_means_and_deviations_are_over_the_folds(
    knowing: dict[int, FloatImage], config: TrainConfig, tmp_path: Path
) -> None:
    result = leave_one_out(replace(config, partition=replace(config.partition, name="none")), tmp_path)
    assert result.metrics["val/iou"] == pytest.approx(0.6)
    assert result.metrics["val/iou_sd"] == pytest.approx(0.1)
    saved = json.loads((tmp_path / "metrics.json").read_text())
    assert saved["val/iou"] == pytest.approx(0.6)
    assert saved["val/boundary_f1"] is None
    rows = csv_rows(tmp_path / "folds.csv")
    found = [(row["fold"], row["image"], float(row["val/iou"])) for row in rows]
    assert found == [("0", "f0", 0.5), ("1", "f1", 0.6), ("2", "f2", 0.7)]
    lines = result.summary().splitlines()
    assert lines[0].split() == ["left", "out", "iou", "boundary_f1"]
    assert lines[4].split()[:2] == ["mean", "0.6000"]
    assert lines[5].split()[:2] == ["sd", "0.1000"]
    assert "grains: " not in result.summary()  # without a partition there are none
    tested._write_board(config, tmp_path, result.metrics)  # in place of the first
    (events,) = (tmp_path / "tensorboard").glob("events.*")
    board = EventAccumulator(str(events)).Reload()
    assert board.Scalars("val/iou")[-1].value == pytest.approx(0.6)
    assert board.Scalars("hp/val_iou")[-1].value == pytest.approx(0.6)


def test_what_one_fold_lacks_has_no_mean() -> None:
    found = over_folds([{"a": 1.0, "b": 1.0, "c": math.inf}, {"a": 3.0, "c": math.inf}])
    assert found.keys() == {"a", "a_sd", "c", "c_sd"}
    assert (found["a"], found["a_sd"]) == (2.0, pytest.approx(math.sqrt(2)))
    assert all(math.isnan(found[name]) for name in ("c", "c_sd"))


def test_finished_folds_are_kept_interrupted_ones_go_on_and_missing_ones_are_trained(
    knowing: dict[int, FloatImage], config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = masks_only(config)
    leave_one_out(config, tmp_path)
    shutil.rmtree(tmp_path / "fold_1")
    (tmp_path / "fold_2" / "metrics.json").unlink()
    last = tmp_path / "fold_2" / "checkpoints" / "last.ckpt"
    last.touch()
    trained: list[tuple[str, str | None]] = []

    def train(config: TrainConfig, folder: Path, *, fold: bool) -> dict[str, float]:
        trained.append((folder.name, config.resume))
        if config.resume is None:
            return quick_train(config, folder, fold=fold)
        OmegaConf.save(OmegaConf.create(to_plain(config)), folder / "config.yaml")
        metrics = {"val/iou": 0.9, "val/are": 0.2}
        write_metrics(folder / "metrics.json", metrics)
        return metrics

    monkeypatch.setattr(resumable_training, "train", train)
    result = leave_one_out(config, tmp_path)
    assert trained == [("fold_1", None), ("fold_2", str(last))]
    assert not last.exists()
    assert result.metrics["val/iou"] == pytest.approx((0.5 + 0.6 + 0.9) / 3)
    assert "train/seconds" not in result.metrics
    rows = csv_rows(tmp_path / "folds.csv")
    assert [(row["train/seconds"], row["val/are"]) for row in rows] == [("1.0", ""), ("1.0", ""), ("", "0.2")]
    assert leave_one_out(config, tmp_path).metrics == result.metrics
    assert len(trained) == 2
    with pytest.raises(GrainsegError, match=r"fold_0: was trained with seed=0, this run has seed=7; say"):
        leave_one_out(replace(config, seed=7), tmp_path)
    with pytest.raises(GrainsegError, match=r"fold_0: was trained with epochs=.* has epochs=99; say"):
        leave_one_out(replace(config, epochs=99), tmp_path)
    elsewhere = replace(config, trainer=replace(config.trainer, precision="32-true"))
    assert leave_one_out(elsewhere, tmp_path).metrics == result.metrics, "another machine goes on with it"
    assert OmegaConf.load(tmp_path / "config.yaml").seed == 0  # what the folds were trained with


def test_it_and_an_ordinary_run_do_not_overwrite_each_other(
    knowing: dict[int, FloatImage], config: TrainConfig, tmp_path: Path
) -> None:
    config = masks_only(config)
    leave_one_out(config, tmp_path)
    before = (tmp_path / "config.yaml").read_bytes()
    with pytest.raises(GrainsegError, match="holds a run already; say leave_one_out=true"):
        train(replace(config, leave_one_out=False), tmp_path)
    assert (tmp_path / "config.yaml").read_bytes() == before
    with pytest.raises(GrainsegError, match="holds a run that is not leave-one-out"):
        leave_one_out(config, tmp_path / "fold_0")


def test_a_fold_that_died_before_its_last_checkpoint_was_whole_is_trained_again(
    knowing: dict[int, FloatImage], config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning writes best.ckpt first: a full disk leaves that one alone."""
    config = masks_only(config)
    leave_one_out(config, tmp_path)
    (tmp_path / "fold_1" / "metrics.json").unlink()
    trained = []

    def train(config: TrainConfig, folder: Path, *, fold: bool) -> dict[str, float]:
        require_free(folder)
        trained.append(folder.name)
        shutil.rmtree(folder)
        return quick_train(config, folder, fold=fold)

    monkeypatch.setattr(resumable_training, "train", train)
    leave_one_out(config, tmp_path)
    assert trained == ["fold_1"]


def test_every_image_has_trained_the_ensemble(
    knowing: dict[int, FloatImage], config: TrainConfig, fields: Path, tmp_path: Path
) -> None:
    leave_one_out(masks_only(config), tmp_path)
    path = tmp_path / "checkpoints" / "best.ckpt"
    record = read_record(path, load_networks(path)[0])
    assert record.source
    assert record.images is None  # the folds of quick_train list none
    assert image_roles(record, list_folder(fields).labelled) == dict.fromkeys(STEMS, TRAINED)


def test_all_folds_see_pictures_at_one_scale(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grains are large in one image of three: a fold by itself would go by which one it leaves out."""
    for kind in ("images", "masks"):
        (tmp_path / "data" / kind).mkdir(parents=True)
        for name, side_px in (("a", 90), ("b", 110), ("c", 300)):
            mask = np.zeros((600, 600), np.uint8)
            mask[side_px // 2 :: side_px] = mask[:, side_px // 2 :: side_px] = 255
            Image.fromarray(mask).save(tmp_path / "data" / kind / f"{name}.png")
    asked = []

    def train(config: TrainConfig, folder: Path, *, fold: bool) -> dict[str, float]:
        assert isinstance(config.data, FolderDataConfig)
        data = replace(config.data, shrink="auto")
        asked.append((read_folder(data, config.augment, 1, 0).shrink, config.data.shrink))
        return quick_train(config, folder, fold=fold)

    monkeypatch.setattr(resumable_training, "train", train)
    monkeypatch.setattr(tested, "_combine", lambda *_: {})
    config = replace(config, data=replace(config.data, root=str(tmp_path / "data")))
    leave_one_out(masks_only(config), tmp_path)
    assert asked == [(3, 2), (2, 2), (2, 2)]
    assert tested._common_shrink(config, replace(config.data, shrink=3), []) == 3


@pytest.mark.slow
def test_a_real_one(config: TrainConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    result = leave_one_out(config, tmp_path)
    assert "in validation choose the checkpoint" not in caplog.text  # all together choose the partition
    spec, networks = load_networks(tmp_path / "checkpoints" / "best.ckpt")
    assert spec.members == len(networks) == 3
    assert isinstance(config.data, FolderDataConfig)
    for number, stem in enumerate(STEMS):
        folder = tmp_path / f"fold_{number}"
        assert not [tag for tag in tensorboard_events(folder).Tags()["scalars"] if tag.startswith("hp/")]
        split = OmegaConf.load(folder / "config.yaml").data
        assert (split.fold, split.folds, split.val) == (number, 3, None)
        own = tifffile.imread(folder / "predictions" / f"{stem}_probability.tif")
        out = tifffile.imread(tmp_path / "predictions" / f"{stem}_probability.tif")
        np.testing.assert_allclose(out, own, atol=1e-6)
        _, best = load_network(folder / "checkpoints" / "best.ckpt")
        member = networks[number].state_dict()
        assert all(torch.equal(value, member[name]) for name, value in best.state_dict().items())
    images, wrong = read_all(config, [networks[1], networks[2], networks[0]])
    out = tifffile.imread(tmp_path / "predictions" / "f0_probability.tif")
    assert np.abs(wrong[0] - out).max() > 1e-3, "the networks differ, or the test shows nothing"
    tiles = TileSettings(spec.tile_size, spec.overlap)
    np.testing.assert_allclose(predict_probability(networks[0], images[0].unit, tiles), out, atol=1e-6)
    ious = [fold["val/iou"] for fold in result.folds]
    assert result.metrics["val/iou"] == pytest.approx(np.mean(ious))
