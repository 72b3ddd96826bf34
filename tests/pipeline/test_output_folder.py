"""What stands in the output folder: nobody's files are lost, and no run is lost to one of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from helpers import csv_rows, measure_config
from PIL import Image

from grainseg.config import PredictConfig
from grainseg.errors import GrainsegError
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.folders import selection
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.pipeline import measure as measuring
from grainseg.pipeline import predict as predicting
from grainseg.pipeline.compare import compare
from grainseg.pipeline.measure import measure
from grainseg.pipeline.predict import predict
from grainseg.pipeline.prediction_plan import PredictionPlan

LONG = "a" * 245 + ".png"


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for number in range(2):
        lines = boundary_lines(polycrystal(number, (90, 110), 20.0, 0.3, 3), 3)
        Image.fromarray(lines * np.uint8(255)).save(folder / f"f{number}.png")
    return folder


def pictures(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for seed, name in enumerate(names):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 50), np.uint8)
        Image.fromarray(pixels).save(folder / name)
    return folder


def test_a_name_that_leaves_no_room_for_outputs_fails_that_picture_alone(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = predict(replace(config, images=str(pictures(tmp_path / "in", LONG, "b.png"))))
    assert [path.name for path in result.written] == ["b.png"]
    (failure,) = result.failures
    assert "name is too long for the file system; shorten" in failure
    assert "left by an earlier run" not in caplog.text
    assert len(csv_rows(tmp_path / "out" / "fields.csv")) == 1


def test_a_prediction_that_is_stopped_says_which_tables_are_of_an_earlier_run(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(config, images=str(pictures(tmp_path / "in", "a.png", "b.png")))
    predict(config)
    table, mask = (tmp_path / "out" / name for name in ("fields.csv", "a_mask.png"))
    before = mask.stat().st_ino, table.read_bytes()
    see = predicting._forecast_picture

    def stopped(plan: PredictionPlan, image: selection.SelectedImage) -> object:
        if image.path.name == "b.png":
            raise KeyboardInterrupt
        return see(plan, image)

    monkeypatch.setattr(predicting, "_forecast_picture", stopped)
    assert "left by an earlier run" not in caplog.text
    with pytest.raises(KeyboardInterrupt):
        predict(config)
    assert (mask.stat().st_ino != before[0], table.read_bytes() == before[1]) == (True, True)
    tables = "grains.csv, fields.csv, batches.csv, budget.csv, report.html"
    assert f"out: left by an earlier run, and not of this one: {tables}\n" in caplog.text


def test_a_folder_in_the_place_of_a_map_fails_that_picture_alone(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "out" / "a_uncertainty.tif").mkdir(parents=True)
    result = predict(replace(config, images=str(pictures(tmp_path / "in", "a.png", "b.png"))))
    assert [path.name for path in result.written] == ["b.png"]
    assert "a_uncertainty.tif: cannot be written" in result.failures[0]
    assert "of an earlier run" not in caplog.text  # this run wrote a_grains.tif before the picture failed
    predict(replace(config, images=str(tmp_path / "in" / "a.png")))
    assert "not of this one: a_mask.png" not in caplog.text  # it was written anew before the picture failed


def test_what_a_person_drew_or_corrected_is_not_predicted_over(
    config: PredictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = pictures(tmp_path / "in", "a.png", "b.png", "c.png")
    config = replace(config, images=str(folder), partition=replace(config.partition, name="none"))
    assert not predict(config).failures
    corrected, drawn = tmp_path / "out" / "a_mask.png", tmp_path / "out" / "b_grains.tif"
    with Image.open(corrected) as mask:
        mask.save(corrected)
    tifffile.imwrite(drawn, np.zeros((40, 50), np.uint32))
    before = [path.read_bytes() for path in (corrected, drawn)]
    result = predict(config)
    assert [path.name for path in result.written] == ["c.png"]
    for path, failure in zip((corrected, drawn), result.failures, strict=True):
        assert f"{path}: was drawn or changed by another program" in failure
    assert [path.read_bytes() for path in (corrected, drawn)] == before
    assert "left by an earlier run" not in caplog.text  # which would be said of a person's work


def test_one_picture_alone_is_not_predicted_into_its_own_folder(
    config: PredictConfig, tmp_path: Path
) -> None:
    folder = pictures(tmp_path / "in", "a.png")
    with pytest.raises(GrainsegError, match="is the folder of the images; choose another one"):
        predict(replace(config, images=str(folder / "a.png"), output=str(folder)))
    assert [path.name for path in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "more memory than there is"), (PermissionError(13, "Permission denied"), "permissions")],
)
def test_what_the_machine_refuses_fails_one_file_alone(
    masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    read = measuring.read_mask_values

    def failing(path: Path, limit: float) -> np.ndarray:
        if path.name == "f0.png":
            raise error
        return read(path, limit)

    monkeypatch.setattr(measuring, "read_mask_values", failing)
    measured = measure(measure_config(masks, tmp_path / "out"))
    assert measured.failures[0].startswith(f"{masks / 'f0.png'}: ")
    assert words in measured.failures[0]
    assert len(csv_rows(tmp_path / "out" / "fields.csv")) == 1


@pytest.mark.parametrize("name", ["fields.csv", "comparisons.csv", "report.html"])
def test_a_folder_in_the_place_of_a_table_is_found_before_any_work(
    masks: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    with pytest.raises(GrainsegError, match=rf"{name}: is a folder, .*; choose another output folder"):
        measure(measure_config(masks, tmp_path / "out"))


@pytest.mark.parametrize("name", ["fields.csv", "comparisons.csv", "report.html"])
@pytest.mark.parametrize("content", ["", "sample,heat\n1,2\n", "\xff"])
def test_somebody_elses_table_or_report_is_not_overwritten(
    masks: Path, tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text(content, encoding="latin-1")
    with pytest.raises(GrainsegError, match=rf"{name}: is no \w+ of grainseg and would be overwritten"):
        measure(measure_config(masks, tmp_path / "out"))
    assert (tmp_path / "out" / name).read_text(encoding="latin-1") == content


@pytest.mark.parametrize("content", ["", '{"val/iou": 0.6}', '["all"]'])
def test_scores_of_another_kind_of_run_are_not_overwritten(
    config: PredictConfig, fields: Path, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "out" / "metrics.json"
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(GrainsegError, match=r"metrics\.json: holds no scores of such a run and would be"):
        predict(replace(config, masks=str(fields / "masks")))
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text(encoding="utf-8") == content


def test_comparisons_of_grainseg_compare_and_of_a_run_do_not_replace_each_other(
    masks: Path, tmp_path: Path
) -> None:
    folders = [tmp_path / "run_0", tmp_path / "run_1"]
    for number, folder in enumerate(folders):
        measure(measure_config(masks / f"f{number}.png", folder))
    for _ in range(2):
        compare(folders, tmp_path / "compared", 0.25)
    with pytest.raises(GrainsegError, match="holds a measurement, whose comparisons lie there"):
        compare(folders, folders[0], 0.25)
    with pytest.raises(GrainsegError, match="was written by grainseg compare and would be overwritten"):
        measure(measure_config(masks, tmp_path / "compared"))
    assert csv_rows(tmp_path / "compared" / "comparisons.csv")


def test_what_cannot_be_listed_is_a_failure_and_the_others_are_done(
    masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (masks / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (masks / "linked").symlink_to(tmp_path)
    walk = selection.os.walk

    def walking(folder: Path, onerror):  # type: ignore[no-untyped-def]
        onerror(PermissionError(13, "Permission denied", str(masks / "closed")))
        return walk(folder, onerror=onerror)

    monkeypatch.setattr(selection.os, "walk", walking)
    measured = measure(measure_config(masks, tmp_path / "out"))
    closed, gone = measured.failures
    assert (
        closed
        == f"{masks / 'closed'}: cannot be listed (Permission denied); make it readable, or move it away"
    )
    assert gone == f"{masks / 'gone.png'}: is a link to nothing; check the path"
    assert "linked: is a link to a folder and is not followed" in caplog.text
    assert len(csv_rows(tmp_path / "out" / "fields.csv")) == 2
