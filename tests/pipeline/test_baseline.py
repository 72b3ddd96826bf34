"""The classical references as a user gets them: files, scores, errors."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from baseline_fields import drawn_field
from omegaconf import OmegaConf
from PIL import Image

from grainseg.config import BaselineConfig, LabelledFolderConfig, StructureConfig
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import DEFAULT_SETTINGS
from grainseg.grains.labels.label_files import read_label
from grainseg.grains.scoring.agreement import pixel_scores
from grainseg.micrograph.folders.selection import SelectedImage, Selection
from grainseg.micrograph.labels import LabelSpec
from grainseg.pipeline import baseline as baseline_module
from grainseg.pipeline.baseline import BaselineRun, baseline
from grainseg.pipeline.references import baseline_prediction
from grainseg.pipeline.references.baseline_prediction import OutputFolders, predict_pictures
from grainseg.pipeline.references.tuning import FittedReference, TunedReference

STEMS = ("f0", "f1", "f2", "f3")


@pytest.fixture(scope="module", autouse=True)
def _few_pixels() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("grainseg.baseline.forest.SAMPLED_PX", 4000)
        yield


def write_field(folder: Path, stem: str, seed: int, shape: tuple[int, int]) -> None:
    field = drawn_field(seed, shape)
    for kind, values in (("images", field.unit), ("masks", field.label)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.rint(values * 255).astype(np.uint8)).save(folder / kind / f"{stem}.png")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("labelled")
    for number, stem in enumerate(STEMS):
        write_field(folder, stem, number, (100, 120 + number))
    return folder


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three further pictures: one with a data bar, one that is none, and one too large for the machine."""
    folder = tmp_path_factory.mktemp("more")
    write_field(folder / "A", "x=1", 9, (90, 110))
    (folder / "A" / "masks" / "x=1.png").unlink()
    pixels = np.array(Image.open(folder / "A" / "images" / "x=1.png"))
    pixels[-14:] = 0
    Image.fromarray(pixels).save(folder / "A" / "images" / "x=1.png")
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "large.png").write_bytes(b"as many pixels as there is memory")
    return folder


@pytest.fixture(scope="module")
def plain(labelled: Path) -> Callable[..., BaselineConfig]:
    data = LabelledFolderConfig(
        label_kind="boundary",
        boundary_value=255,
        ignore_value=None,
        label_width_px=None,
        zero=None,
        max_megapixels=500.0,
        root=str(labelled),
        val=["f2"],
        test=["f3"],
        fold=None,
        folds=None,
        crop=None,
    )

    def build(
        output: Path, method: str = "ridge", images: Path | None = None, **said: object
    ) -> BaselineConfig:
        return BaselineConfig(
            output=str(output),
            pixel_size_um=0.5,
            pixel_size_rel_unc=None,
            segmentation_rel_unc=None,
            segmentation_images=None,
            crop=None,
            batches=None,
            excluded=None,
            ignored=None,
            structure=StructureConfig("unknown", "unknown", "unknown"),
            data=replace(data, **said),
            method=method,
            images=None if images is None else str(images),
            seed=0,
            boundary_tolerance_px=3.0,
        )

    return build


@dataclass
class Done:
    run: BaselineRun
    output: Path


@pytest.fixture(scope="module")
def done(plain: Callable[..., BaselineConfig], more: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    output = tmp_path_factory.mktemp("references")
    select, opening = baseline_module.list_images, baseline_prediction.open_picture

    def selecting(*asked: Any) -> Any:
        return replace(select(*asked), unlisted=("closed: cannot be listed",))

    def opened(config: Any, image: Any, *limit: Any) -> Any:
        if image.path.name == "large.png":
            raise MemoryError
        return opening(config, image, *limit)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline_module, "list_images", selecting)
        patch.setattr(baseline_prediction, "open_picture", opened)
        return Done(baseline(plain(output, "both", more), "grainseg baseline …"), output)


@pytest.mark.parametrize("method", ["ridge", "forest"])
def test_every_output_is_there(done: Done, method: str) -> None:
    folder = done.output / method
    tables = {"grains.csv", "fields.csv", "batches.csv", "budget.csv", "report.html"}
    assert {path.name for path in folder.iterdir()} == {
        *tables,
        "metrics.json",
        "settings.yaml",
        "predictions",
        "images",
    }
    suffixes = ("mask.png", "probability.tif", "overlay.png", "grains.tif", "panel.png")
    assert {path.name for path in (folder / "predictions").iterdir()} == {
        f"{stem}_{suffix}" for stem in ("f2", "f3") for suffix in suffixes
    }
    with (folder / "fields.csv").open(encoding="utf-8", newline="") as handle:
        fields = list(csv.DictReader(handle))
    assert [row["image"] for row in fields] == ["f2.png", "f3.png"]
    assert {row["pixel_size_source"] for row in fields} == {"given by the user"}
    settings = OmegaConf.load(folder / "settings.yaml")
    assert settings.method == method
    assert 0 < settings.partition.threshold < 1


@pytest.mark.parametrize("method", ["ridge", "forest"])
def test_the_metrics_are_those_of_the_written_files(done: Done, labelled: Path, method: str) -> None:
    metrics = json.loads((done.output / method / "metrics.json").read_text(encoding="utf-8"))
    assert metrics == done.run.metrics[method]
    for stage, stem in (("val", "f2"), ("test", "f3")):
        files = done.output / method / "predictions"
        mask = np.asarray(Image.open(files / f"{stem}_mask.png")) == 255
        probability = tifffile.imread(files / f"{stem}_probability.tif")
        np.testing.assert_array_equal(mask, probability > 0.5)
        label = read_label(labelled / "masks" / f"{stem}.png", mask.shape, LabelSpec())
        assert metrics[f"{stage}/iou"] == pixel_scores(mask, label).iou
        at_fitted = probability > np.float32(metrics["val/threshold_fitted"])
        assert metrics[f"{stage}/iou_fitted"] == pixel_scores(at_fitted, label).iou
        assert metrics[f"{stage}/iou"] > 0.5
        assert metrics[f"{stage}/boundary_f1"] > 0.85
    assert metrics["val/iou_fitted"] >= metrics["val/iou"]


def test_further_pictures_are_predicted_and_those_that_fail_are_named(done: Done) -> None:
    for method in ("ridge", "forest"):
        folder = done.output / method / "images"
        assert (folder / "A" / "images" / "x=1_mask.png").is_file()
        assert (folder / "A" / "images" / "x=1_grains.tif").is_file()
        report = (folder / "report.html").read_text(encoding="utf-8")
        assert f"classical reference ({method})" in report
        assert "as those of a data bar are" in report
        assert "broken.png" in report
        assert "closed: cannot be listed" in report
        with (folder / "budget.csv").open(encoding="utf-8", newline="") as handle:
            parts = {row["part"]: row["standard_uncertainty_ln"] for row in csv.DictReader(handle)}
        assert parts["segmentation"] != ""  # from the validation pictures
    assert len(done.run.failures) == 2 * 3
    for number, words in enumerate(("closed: ", "broken.png", "large.png: needs more memory than there is")):
        assert all(words in failure for failure in done.run.failures[number::3])


def test_a_picture_that_fails_names_what_is_left_of_it_and_keeps_what_was_drawn(
    plain: Callable[..., BaselineConfig], more: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    selected = Selection(
        [SelectedImage(more / path, Path(path)) for path in ("broken.png", "A/images/x=1.png")]
    )
    left, drawn = tmp_path / "broken_overlay.png", tmp_path / "A" / "images" / "x=1_mask.png"
    drawn.parent.mkdir(parents=True)
    left.touch()
    Image.new("L", (4, 4)).save(drawn)
    method = FittedReference("x", TunedReference(np.zeros_like, {}), 0.5, DEFAULT_SETTINGS, None)
    folders = OutputFolders(tmp_path, tmp_path)
    before = drawn.read_bytes()
    results, failures = predict_pictures(plain(tmp_path), method, selected, folders, "", "", {})
    assert results is None
    assert "x=1_mask.png: was drawn or changed by another program" in failures[1]
    assert drawn.read_bytes() == before
    assert "left by an earlier run, and not of this one: broken_overlay.png" in caplog.text


def test_the_summary_has_a_line_per_method_and_part(done: Done) -> None:
    lines = done.run.summary().splitlines()
    assert [line.partition(":")[0] for line in lines[:4]] == [
        "ridge, val",
        "ridge, test",
        "forest, val",
        "forest, test",
    ]
    assert f"IoU {done.run.metrics['ridge']['val/iou']:.4f}" in lines[0]
    assert "; partition as fitted: adapted Rand error 0." in lines[0]
    assert len(done.run.reports) == 4


def test_test_images_choose_nothing_and_what_another_tuning_left_is_named(
    done: Done,
    plain: Callable[..., BaselineConfig],
    labelled: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With another test image away, what is tuned on the rest is the same."""
    for name in ("forest/metrics.json", "ridge/images/report.html", "ridge/predictions/f3_grains.tif"):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).touch()
    for stem in ("f0", "f1", "f2"):
        for kind in ("images", "masks"):
            path = tmp_path / "three" / kind / f"{stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((labelled / kind / path.name).read_bytes())
    run = baseline(plain(tmp_path / "out", root=str(tmp_path / "three"), val=None, test=None))
    settings = [
        OmegaConf.load(folder / "ridge" / "settings.yaml") for folder in (done.output, tmp_path / "out")
    ]
    assert settings[0] == settings[1]
    assert not any(name.startswith("test/") for name in run.metrics["ridge"])
    assert run.metrics["ridge"]["val/iou"] == done.run.metrics["ridge"]["val/iou"]
    assert "not of this one: forest/metrics.json, ridge/images/report.html" in caplog.text
    assert "has grains of 1 picture of an earlier run" in caplog.text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fields.csv", "is no table of grainseg"),
        ("report.html", "is no report of grainseg"),
        ("metrics.json", r"has no settings\.yaml beside it, so no tuning wrote it,"),
        ("settings.yaml", "holds no settings of this method"),
        ("images/grains.csv", "is no table of grainseg"),
    ],
)
def test_somebody_elses_files_are_found_before_any_tuning(
    name: str, words: str, plain: Callable[..., BaselineConfig], more: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out" / "ridge" / name
    path.parent.mkdir(parents=True)
    path.write_text('{"mine": 1}', encoding="utf-8")
    with pytest.raises(GrainsegError, match=rf"{name}: {words} and would be overwritten; choose another"):
        baseline(plain(tmp_path / "out", "both", more))
    assert [each for each in (tmp_path / "out").rglob("*") if each.is_file()] == [path]
    assert path.read_text(encoding="utf-8") == '{"mine": 1}'


def test_what_an_earlier_run_wrote_is_replaced(
    done: Done, plain: Callable[..., BaselineConfig], more: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tuned(*_: object) -> Any:
        raise RuntimeError("tuning begins")

    monkeypatch.setattr(baseline_module, "tune", tuned)
    with pytest.raises(RuntimeError, match="tuning begins"):
        baseline(plain(done.output, "both", more))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"method": "magic"}, "method=magic: must be one of ridge, forest, both"),
        ({"val": ["f9"]}, "data.val: f9 is no labelled image"),
        ({"test": ["f2"]}, "data.test and data.val both name 'f2'"),
        ({"fold": 0}, "data.val and data.fold: are two ways to split"),
        ({"label_kind": "x"}, "data.label_kind=x: must be one of"),
        ({"root": "nowhere"}, "data.root=nowhere: there is no such folder"),
        ({"images": Path("nowhere")}, "images=nowhere: no such file"),
    ],
)
def test_bad_input_is_one_line(
    said: dict[str, object], message: str, plain: Callable[..., BaselineConfig], tmp_path: Path
) -> None:
    with pytest.raises(GrainsegError) as caught:
        baseline(plain(tmp_path / "out", **said))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_the_command_needs_no_torch(labelled: Path, tmp_path: Path) -> None:
    heavy = {"torch", "lightning", "hydra", "albumentations", "sklearn"}
    arguments = f"baseline {labelled} --output out --method ridge --test f0".split()
    code = (
        f"import sys; from grainseg import cli; sys.argv = {['grainseg', *arguments]!r}\n"
        "try:\n    cli.main()\n"
        f"finally:\n    assert not {heavy!r} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ridge, val: IoU 0." in done.stdout
    assert "ridge, test: IoU 0." in done.stdout
    assert "report:   out/ridge/report.html" in done.stdout
