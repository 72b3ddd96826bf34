"""Prediction as a function: any size, any name, what fails and what goes on."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from helpers import csv_rows
from PIL import Image

from grainseg.config import PredictConfig
from grainseg.errors import GrainsegError
from grainseg.grains.trust.doubt import FLAG_ABOVE
from grainseg.micrograph.files import read_micrograph, write_png
from grainseg.pipeline.export import export
from grainseg.pipeline.predict import predict
from grainseg.report.files.saved_batches import read_batches


def save(path: Path, shape: tuple[int, ...], seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)).save(path)
    return path


def masks_only(config: PredictConfig) -> PredictConfig:
    """Quicker: no grains and no report, whose plots take longer than the prediction."""
    return replace(config, partition=replace(config.partition, name="none"))


def one_of(config: PredictConfig) -> PredictConfig:
    """One picture is enough."""
    return replace(config, images=str(Path(config.images) / "f0.png"))


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (33, 64), (65, 130), (40, 50, 3)])
def test_outputs_have_the_size_of_the_picture(
    shape: tuple[int, ...], config: PredictConfig, tmp_path: Path
) -> None:
    picture = save(tmp_path / "a=b (1) ü,#.png", shape)
    predict(replace(config, images=str(picture)))
    out = tmp_path / "out"
    mask = np.asarray(Image.open(out / "a=b (1) ü,#_mask.png"))
    probability = tifffile.imread(out / "a=b (1) ü,#_probability.tif")
    assert mask.shape == probability.shape == shape[:2]
    np.testing.assert_array_equal(mask, np.where(probability > 0.5, 255, 0))
    assert np.asarray(Image.open(out / "a=b (1) ü,#_overlay.png")).shape == (*shape[:2], 3)
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [
            *(f"a=b (1) ü,#_{name}" for name in ("mask.png", "probability.tif", "overlay.png", "grains.tif")),
            "grains.csv",
            "fields.csv",
            "batches.csv",
            "budget.csv",
            "report.html",
        ]
    )


def test_the_threshold_can_be_said(config: PredictConfig, tmp_path: Path) -> None:
    predict(replace(masks_only(config), threshold=0.4))
    probability = tifffile.imread(tmp_path / "out" / "f0_probability.tif")
    mask = np.asarray(Image.open(tmp_path / "out" / "f0_mask.png"))
    np.testing.assert_array_equal(mask > 0, probability > np.float32(0.4))


def test_the_pixel_size_goes_into_the_tiff(config: PredictConfig, tmp_path: Path) -> None:
    predict(replace(masks_only(config), pixel_size_um=0.25))
    with tifffile.TiffFile(tmp_path / "out" / "f0_probability.tif") as tiff:
        assert tiff.imagej_metadata is not None
        assert tiff.imagej_metadata["unit"] == "um"
        numerator, denominator = tiff.pages[0].tags["XResolution"].value  # type: ignore[union-attr]
        assert numerator / denominator == pytest.approx(4.0)


def test_folders_are_mirrored_and_globs_select(config: PredictConfig, tmp_path: Path) -> None:
    for name in ("one/a.png", "one/b.tif", "two/deep/a.png", "two/.hidden.png", "two/notes.txt"):
        if name.endswith(".txt"):
            (tmp_path / "in" / name).write_text("no picture")
        else:
            save(tmp_path / "in" / name, (40, 40))
    config = masks_only(config)
    result = predict(replace(config, images=str(tmp_path / "in")))
    assert sorted(map(str, result.written)) == ["one/a.png", "one/b.tif", "two/deep/a.png"]
    assert (tmp_path / "out" / "two" / "deep" / "a_mask.png").is_file()
    some = predict(replace(config, images=str(tmp_path / "in" / "**" / "a.png"), output=str(tmp_path / "o2")))
    assert sorted(map(str, some.written)) == ["one/a.png", "two/deep/a.png"]


def test_outputs_within_the_images_are_no_input(config: PredictConfig, fields: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    shutil.copytree(fields / "images", folder)
    within = replace(config, images=str(folder), output=str(folder / "out"))
    assert len(predict(within).written) == 3
    config = masks_only(config)
    assert len(predict(masks_only(within)).written) == 3
    with pytest.raises(GrainsegError, match="is the folder of the images"):
        predict(replace(config, images=str(folder), output=str(folder)))
    with pytest.raises(GrainsegError, match="is the folder of the images"):
        predict(replace(config, images=str(folder / "*.png"), output=str(folder)))
    above = predict(replace(config, images=str(folder / "*.png"), output=str(tmp_path)))
    assert len(above.written) == 3


def test_two_pictures_for_one_output_are_refused_before_work_begins(
    config: PredictConfig, tmp_path: Path
) -> None:
    save(tmp_path / "in" / "a.png", (40, 40))
    save(tmp_path / "in" / "a.tif", (40, 40))
    with pytest.raises(GrainsegError, match=r"a\.png and .*a\.tif would write the same outputs"):
        predict(replace(config, images=str(tmp_path / "in")))
    assert not (tmp_path / "out").exists()


def test_one_bad_picture_does_not_stop_the_others(
    config: PredictConfig, fields: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    shutil.copytree(fields / "images", folder)
    whole = (folder / "f1.png").read_bytes()
    (folder / "f1.png").write_bytes(whole[: len(whole) // 2])
    nan = np.zeros((40, 40), np.float32)
    nan[3, 4] = np.nan
    tifffile.imwrite(folder / "nan.tif", nan)
    result = predict(replace(config, images=str(folder), masks=str(fields / "masks")))
    assert sorted(map(str, result.written)) == ["f0.png", "f2.png"]
    assert len(result.failures) == 2
    assert "f1.png" in result.failures[0]
    assert "nan.tif" in result.failures[1]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(metrics) == {"f0.png", "f2.png", "all"}


def test_what_an_earlier_prediction_left_is_taken_away_or_named(
    config: PredictConfig, fields: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predict(replace(config, masks=str(fields / "masks")))
    assert "an earlier run" not in caplog.text
    predict(replace(config, partition=replace(config.partition, name="none")))
    assert not list((tmp_path / "out").glob("*_grains.tif"))
    assert "not of this one: metrics.json" in caplog.text
    assert "not of this one: grains.csv, fields.csv, batches.csv, budget.csv, report.html" in caplog.text


def test_maps_of_an_earlier_run_are_named_before_they_are_measured(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("in/a", "in/b"):
        save(tmp_path / folder / "x.png", (40, 50))
    predict(replace(config, images=str(tmp_path / "in")))
    assert "grainseg measure" not in caplog.text
    predict(replace(config, images=str(tmp_path / "in" / "a")))
    assert (
        f"grains of 2 pictures of an earlier run, {tmp_path / 'out' / 'a' / 'x_grains.tif'} first"
        in caplog.text
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": "nowhere/*.png"}, "images=nowhere/*.png: no such file, or no pictures there"),
        ({"masks": "nowhere"}, "masks=nowhere: there is no such folder or file"),
        (
            {"checkpoint": "[a.ckpt,b.ckpt]"},
            "checkpoint [a.ckpt,b.ckpt]: there is no such file; give the best.ckpt of one training run "
            "(several networks come as one checkpoint from experiment=leave_one_out or best)",
        ),
    ],
)
def test_what_cannot_work_at_all_is_said_at_once(
    changes: dict[str, str], message: str, config: PredictConfig, tmp_path: Path
) -> None:
    with pytest.raises(GrainsegError) as caught:
        predict(replace(config, **changes))  # type: ignore[arg-type]
    assert str(caught.value).startswith(message)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_what_is_left_of_a_picture_that_fails_now_is_named(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture = save(tmp_path / "in" / "a" / "b.png", (40, 50))
    config = replace(config, images=str(tmp_path / "in"))
    predict(config)
    picture.write_bytes(b"no picture")
    predict(config)
    left = "a/b_mask.png, a/b_probability.tif, a/b_overlay.png, a/b_grains.tif"
    assert f"left by an earlier run, and not of this one: {left}" in caplog.text
    assert "not of this one: grains.csv, fields.csv, batches.csv, budget.csv, report.html" in caplog.text


def test_an_output_that_cannot_be_made_is_found_at_once(config: PredictConfig, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(GrainsegError, match=r"output=.*out/a: is no folder and cannot be made one"):
        predict(replace(config, output=str(tmp_path / "out" / "a")))


def test_a_gpu_that_is_not_there_is_said(config: PredictConfig) -> None:
    with pytest.raises(GrainsegError, match="accelerator=gpu: this machine has none; set accelerator=cpu"):
        predict(replace(config, accelerator="gpu"))


def test_gain_and_offset_of_the_camera_change_nothing(
    config: PredictConfig, fields: Path, tmp_path: Path
) -> None:
    grey = np.asarray(Image.open(fields / "images" / "f0.png")).astype(np.float32)
    maps = []
    for name, picture in (("plain", grey), ("other", 3.5 * grey + 800)):
        tifffile.imwrite(tmp_path / f"{name}.tif", picture.astype(np.float32))
        predict(replace(masks_only(config), images=str(tmp_path / f"{name}.tif")))
        maps.append(tifffile.imread(tmp_path / "out" / f"{name}_probability.tif"))
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-3)


def test_fields_are_measured_and_folders_are_batches(
    config: PredictConfig, fields: Path, tmp_path: Path
) -> None:
    for batch in ("one", "two"):
        shutil.copytree(fields / "images", tmp_path / "in" / batch)
    measured = predict(replace(config, images=str(tmp_path / "in"), pixel_size_um=[0.5, 0.25])).measured
    assert measured is not None
    assert [batch.name for batch in measured.batches] == ["one", "two"]
    found = csv_rows(tmp_path / "out" / "fields.csv")
    assert [row["image"] for row in found] == [f"{b}/f{n}.png" for b in ("one", "two") for n in range(3)]
    assert {(row["pixel_size_row_um"], row["pixel_size_column_um"]) for row in found} == {("0.5", "0.25")}
    with tifffile.TiffFile(tmp_path / "out" / "two" / "f1_grains.tif") as tiff:
        assert tiff.asarray().dtype == np.uint32
        assert tiff.asarray().min() == 1
    again = read_micrograph(tmp_path / "out" / "two" / "f1_grains.tif")
    assert again.pixel_size_um == pytest.approx((0.5, 0.25))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    digest = hashlib.sha256(Path(config.checkpoint).read_bytes()).hexdigest()
    assert digest in page
    assert "incomplete: segmentation and uncertainty of the pixel size unknown" in page


def test_the_doubt_stands_in_table_and_report_with_its_reason(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An untrained network is sure of nothing."""
    predict(one_of(config))
    found = csv_rows(tmp_path / "out" / "fields.csv")
    assert all(FLAG_ABOVE < float(row["doubt"]) < 1 for row in found)
    assert all(sample.doubted for batch in read_batches(tmp_path / "out") for sample in batch.samples)
    assert "field: do not trust" in csv_rows(tmp_path / "out" / "batches.csv")[0]["flags"]
    for row in found:
        assert row["flags"].startswith("do not trust the boundaries before you have seen the overlay: ")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Do not trust the boundaries before you have seen the overlay: " in page
    assert f'data-key="doubt" data-value="{found[0]["doubt"]}"' in page
    assert "f0.png: do not trust the boundaries" in caplog.text


def test_a_burnt_out_picture_is_flagged(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.full((64, 64), 255, np.uint8)
    pixels[:, ::8] = 40
    Image.fromarray(pixels).save(tmp_path / "burnt.png")
    predict(replace(config, images=str(tmp_path / "burnt.png")))
    (row,) = csv_rows(tmp_path / "out" / "fields.csv")
    assert "88 % of the picture is at its lightest grey level" in row["flags"]
    assert row["doubted"] == "true"
    assert "burnt.png: 88 % of the picture" in caplog.text


def test_without_a_partition_nothing_is_measured(config: PredictConfig, tmp_path: Path) -> None:
    result = predict(replace(config, partition=replace(config.partition, name="none")))
    assert result.measured is None
    kinds = {path.name.split("_", 1)[1] for path in (tmp_path / "out").iterdir()}
    assert kinds == {"mask.png", "probability.tif", "overlay.png"}


def test_settings_of_the_partition_can_be_said(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A threshold below all probabilities makes everything boundary: no grains, but the mask shows why."""
    (tmp_path / "out").mkdir()
    for number in range(3):
        write_png(tmp_path / "out" / f"f{number}_mask.png", np.zeros((2, 2), np.uint8))
        for end in ("overlay", "panel"):
            (tmp_path / "out" / f"f{number}_{end}.png").write_bytes(b"older")
    low = replace(config.partition, threshold=1e-6)
    result = predict(replace(config, partition=low))
    assert len(result.failures) == 3
    assert "the whole field is boundary" in result.failures[0]
    assert "f0.png" in result.failures[0]
    assert len(result.written) == 3
    assert not (tmp_path / "out" / "report.html").exists()
    assert not (tmp_path / "out" / "f0_grains.tif").exists()
    older = [line for line in caplog.messages if "left by an earlier run" in line]
    assert [line.rpartition(": ")[2] for line in older] == [f"f{number}_panel.png" for number in range(3)]


def test_excluded_area_is_no_grain(config: PredictConfig, tmp_path: Path) -> None:
    pore = np.zeros((97, 130), np.uint8)
    pore[20:50, 30:60] = 255
    (tmp_path / "pores").mkdir()
    Image.fromarray(pore).save(tmp_path / "pores" / "f0.png")
    structure = replace(config.structure, pores="excluded")
    config = replace(one_of(config), structure=structure, excluded=str(tmp_path / "pores"))
    predict(config)
    grains = tifffile.imread(tmp_path / "out" / "f0_grains.tif")
    np.testing.assert_array_equal(grains == 0, pore > 0)
    for key in ("excluded", "ignored"):
        with pytest.raises(GrainsegError, match=f"{key}=.*nowhere: there is no such folder"):
            predict(replace(config, **{key: str(tmp_path / "nowhere")}))


def test_settings_said_by_hand_are_told_from_fitted_ones(config: PredictConfig, tmp_path: Path) -> None:
    config = one_of(config)
    predict(config)
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Partition: depth" in report
    assert "given by the user" not in report
    predict(replace(config, partition=replace(config.partition, depth=0.3)))
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "0.3, given by the user" in report


def test_a_crop_cuts_pictures_and_their_masks(config: PredictConfig, fields: Path, tmp_path: Path) -> None:
    result = predict(replace(masks_only(config), crop=[0, 30, 10, 0], masks=str(fields / "masks")))
    assert result.failures == []
    assert np.asarray(Image.open(tmp_path / "out" / "f0_mask.png")).shape == (67, 120)
    assert len(result.scores) == 3


def test_without_a_checkpoint_the_weights_that_ship_predict(
    config: PredictConfig, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grainseg.model.generic.WEIGHTS", tmp_path / "weights")
    without = replace(one_of(config), checkpoint=None)
    with pytest.raises(GrainsegError, match="checkpoint is missing: this version ships no weights"):
        predict(without)
    weights = tmp_path / "weights" / "unet_resnet18.safetensors"
    export(checkpoint, weights)
    assert len(predict(without).written) == 1
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert sha256 in page
    assert "trained on synthetic pictures alone: their error on this material is unknown" in page
