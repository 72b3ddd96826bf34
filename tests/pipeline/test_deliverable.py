"""Which run is handed over, and what stands in its description."""

import math
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any
from zipfile import ZipFile

import pytest
from omegaconf import OmegaConf

from grainseg.config import FolderDataConfig, TrainConfig, to_plain
from grainseg.errors import GrainsegError
from grainseg.pipeline import deliverable
from grainseg.pipeline.deliverable import (
    _copy_results,
    _data_folder,
    _describe,
    _read_run,
    latest_run,
    make_deliverable,
)
from grainseg.report.files.metrics_file import write_metrics
from grainseg.training.run_folder import checkpoint_path, fold_dir

METRICS = {"val/iou": 0.5, "val/boundary_f1": 0.9}


@pytest.fixture
def folds(smoke_config: TrainConfig, tmp_path: Path) -> Path:
    """A finished leave-one-out run, written after its folds, as far as handing over looks at it."""
    for folder in (fold_dir(tmp_path, 0), fold_dir(tmp_path, 1), tmp_path):
        (folder / "predictions").mkdir(parents=True)
        (folder / "predictions" / "f0_mask.png").touch()
        checkpoint_path(folder).parent.mkdir()
        checkpoint_path(folder).touch()
        config = replace(smoke_config, leave_one_out=folder == tmp_path)
        OmegaConf.save(OmegaConf.create(to_plain(config)), folder / "config.yaml")
        write_metrics(folder / "metrics.json", METRICS)
    return tmp_path


def test_of_leave_one_out_a_fold_is_handed_over(folds: Path) -> None:
    os.utime(fold_dir(folds, 0) / "metrics.json", (1, 1))
    write_metrics(folds / "unfinished" / "metrics.json", METRICS)  # later, but without a checkpoint
    assert latest_run(folds) == fold_dir(folds, 1)
    with pytest.raises(GrainsegError, match=r"is a leave-one-out run; give .* such as .*fold_0"):
        make_deliverable(folds, folds / "x.zip")


def test_the_zip_is_written_whole_or_not_at_all(
    folds: Path, fields: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverable, "_revision", lambda: "abc")
    monkeypatch.setattr(deliverable, "_export_code", lambda folder: folder.mkdir())
    target = make_deliverable(fold_dir(folds, 1), folds / "new" / "x.zip")
    with ZipFile(target) as written:
        assert {name for name in written.namelist() if not name.endswith("/")} == {
            "x/DELIVERABLE.md",
            "x/results/best.ckpt",
            "x/results/config.yaml",
            "x/results/metrics.json",
            "x/results/predictions/f0_mask.png",
            "x/results/validation/images/f0.png",
            "x/results/validation/masks/f0.png",
        }
    before = target.read_bytes()

    def cut_off(source: IO[bytes], handle: IO[bytes], *length: int) -> None:
        handle.write(source.read(*length or (2,)))
        if not length:  # which a zip says for each of its files
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", cut_off)
    with pytest.raises(KeyboardInterrupt):
        make_deliverable(fold_dir(folds, 1), target)
    assert [path.read_bytes() for path in target.parent.iterdir()] == [before]


def test_a_score_that_is_not_finite_is_handed_over_as_such(folds: Path) -> None:
    run = fold_dir(folds, 1)
    write_metrics(run / "metrics.json", METRICS | {"val/boundary_f1": math.nan})
    metrics, config = _read_run(run)
    assert isinstance(config.data, FolderDataConfig)
    assert "boundary F1 within 3 px nan" in _describe(run, config, config.data, "abc", ["f0"], metrics)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("metrics.json", None, r"metrics\.json: cannot be read; give a finished training run"),
        ("config.yaml", "a: [", r"config\.yaml: cannot be read; give a finished training run"),
        ("config.yaml", "- a", r"its config\.yaml is no configuration"),
    ],
)
def test_what_is_no_finished_run_is_not_handed_over(
    name: str, text: str | None, message: str, folds: Path
) -> None:
    run = fold_dir(folds, 1)
    (run / name).unlink()
    if text is not None:
        (run / name).write_text(text, encoding="utf-8")
    with pytest.raises(GrainsegError, match=message):
        make_deliverable(run, folds / "x.zip")


def test_a_run_of_another_version_is_refused_by_its_file_and_key(folds: Path) -> None:
    path = fold_dir(folds, 1) / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "gone: 1\n", encoding="utf-8")
    with pytest.raises(GrainsegError, match=r"config\.yaml: gone: there is no such key"):
        make_deliverable(fold_dir(folds, 1), folds / "x.zip")


def test_nothing_but_what_a_run_writes_is_handed_over(folds: Path) -> None:
    run, predictions = fold_dir(folds, 1), fold_dir(folds, 1) / "predictions"
    (predictions / "private.txt").touch()
    (predictions / "f0_overlay.png").touch()
    _copy_results(run, ["f0"], folds / "out")
    handed_over = {path.relative_to(folds / "out").as_posix() for path in (folds / "out").rglob("*.*")}
    pictures = {"predictions/f0_mask.png", "predictions/f0_overlay.png"}
    assert handed_over == pictures | {"best.ckpt", "metrics.json", "config.yaml"}
    (predictions / "f0_overlay.png").unlink()
    (predictions / "f0_overlay.png").symlink_to(predictions / "private.txt")
    with pytest.raises(GrainsegError, match=r"f0_overlay\.png: is reached by a link"):
        _copy_results(run, ["f0"], folds / "out2")
    predictions.rename(folds / "elsewhere")
    predictions.symlink_to(folds / "elsewhere")
    with pytest.raises(GrainsegError, match=r"f0_mask\.png: is reached by a link"):
        _copy_results(run, ["f0"], folds / "out3")


def test_the_description_says_which_network_and_how_its_pictures_were_cut(
    folds: Path, smoke_config: TrainConfig
) -> None:
    data = smoke_config.data
    assert isinstance(data, FolderDataConfig)
    within = replace(smoke_config, boundary_tolerance_px=2.5)
    text = _describe(fold_dir(folds, 1), within, data, "abc", ["f0"], METRICS)
    assert "IoU 0.500000, boundary F1 within 2.5 px 0.900000." in text
    assert " boundary_tolerance_px=2.5 " in text
    assert f" data.label_kind={data.label_kind} " in text
    assert f"again (with the data in {data.root})" in text
    assert f"one of the networks of the leave-one-out run {folds.name}." in text
    assert "crop=auto" in text
    uncropped = _describe(folds, smoke_config, replace(data, crop=None), "abc", ["f0"], METRICS)
    assert "crop=null" in uncropped  # predict.py would crop
    assert "leave-one-out" not in uncropped
    embedded = replace(data, name="synthetic", crop=[0, 10, 0, 20])
    own = _describe(folds, smoke_config, embedded, "abc", ["f0"], METRICS)
    assert " 'crop=[0,10,0,20]' " in own  # as a shell and the command line take it
    assert "with the data in" not in own
    assert "Test:" not in uncropped
    assert "test pictures" not in uncropped


def test_the_description_names_the_scores_of_pictures_that_chose_nothing(
    folds: Path, smoke_config: TrainConfig
) -> None:
    data = smoke_config.data
    assert isinstance(data, FolderDataConfig)
    metrics = METRICS | {"test/iou": 0.25, "test/boundary_f1": 0.75}
    text = _describe(folds, smoke_config, replace(data, test=["f1", "f2"]), "abc", ["f0"], metrics)
    assert "Validation: f0. Test: f1, f2." in text
    assert "IoU 0.250000, boundary F1 0.750000" in text


def test_what_cannot_be_handed_over_is_one_line(folds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = fold_dir(folds, 1)
    pretrained: Any = SimpleNamespace(data=SimpleNamespace(name="stream"))
    with pytest.raises(GrainsegError, match="holds no finished run; make one"):
        latest_run(folds / "predictions")
    with pytest.raises(GrainsegError, match=r"was trained on data=stream; give a run on a data folder"):
        _data_folder(run, pretrained)
    monkeypatch.setattr(deliverable, "_git", lambda *arguments: " M a.py" if "status" in arguments else "abc")
    with pytest.raises(GrainsegError, match="has uncommitted changes"):
        make_deliverable(run, folds / "x.zip")
    monkeypatch.setattr(deliverable, "_revision", lambda: "abc")
    (run / "predictions" / "f9_mask.png").touch()
    with pytest.raises(GrainsegError, match="its validation picture f9 is no longer in "):
        make_deliverable(run, folds / "x.zip")
