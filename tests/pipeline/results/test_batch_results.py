"""From fields to batches: units that differ, parts of the budget, what goes into the segmentation's error."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import csv_rows, measure_config
from PIL import Image

from grainseg.grains.batches.field_samples import field_sample
from grainseg.grains.batches.samples import line_share
from grainseg.grains.fields.measure_field import measure_field
from grainseg.grains.measuring.intercepts import mean_intercept_px
from grainseg.grains.scoring.agreement_regions import region_scores
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.image import PixelSize
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.pipeline.compare import compare
from grainseg.pipeline.measure import measure
from grainseg.pipeline.results.batch_results import rms_or_none, summary
from grainseg.pipeline.runs.partition_choice import segmentation_error


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two batches of two fields."""
    folder = tmp_path_factory.mktemp("drawn")
    for number in range(4):
        path = folder / "ab"[number // 2] / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        lines = boundary_lines(polycrystal(number, (160, 160), 25.0, 0.3, 3))
        Image.fromarray(lines * np.uint8(255)).save(path)
    return folder


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(drawn, tmp_path / "masks"))


def test_a_field_without_a_pixel_size_is_left_out_of_a_metric_batch(folder: Path, tmp_path: Path) -> None:
    (folder / "a" / "pixel_sizes.csv").write_text("image,pixel_size_um\n0.png,0.5\n")
    results = measure(measure_config(folder, tmp_path / "out")).results
    assert results is not None
    one, other = results.batches
    assert (one.unit, one.fields, other.unit, other.fields) == ("µm", 1, "px", 2)
    assert any("left out of this batch: a/1.png" in flag for flag in one.flags)
    assert results.comparisons == ()
    said = "not compared with a: only there the pixel size is known"
    assert said in other.flags
    assert not any("not compared" in flag for flag in one.flags)
    assert f"  b: {said}" in summary(results)
    assert said[1:] in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert said in csv_rows(tmp_path / "out" / "batches.csv")[1]["flags"]
    first, second = csv_rows(tmp_path / "out" / "batches.csv")
    assert float(first["mean_intercept_um"]) == pytest.approx(one.intercept.value)
    assert (first["mean_intercept_px"], second["mean_intercept_um"]) == ("", "")
    assert float(second["mean_intercept_px"]) == pytest.approx(other.intercept.value)


def test_batches_without_any_pixel_size_are_compared_in_px(folder: Path, tmp_path: Path) -> None:
    """By their specimens, where a table names them, in the order of the table."""
    table = tmp_path / "batches.csv"
    table.write_text("image,batch,specimen\n2,b,head\n3,b,tail\n0,a,head\n1,a,tail\n")
    results = measure(measure_config(folder, tmp_path / "out", batches=str(table))).results
    assert results is not None
    assert [row["specimen"] for row in csv_rows(tmp_path / "out" / "fields.csv")] == ["head", "tail"] * 2
    assert [row["batch"] for row in csv_rows(tmp_path / "out" / "fields.csv")] == ["b", "b", "a", "a"]
    (pair,) = results.comparisons
    assert (pair.a, pair.b, pair.specimens_a, pair.specimens_b) == ("b", "a", 2, 2)
    assert pair.unit == "px"
    assert pair.delta_g is None
    assert not any("not compared" in flag for batch in results.batches for flag in batch.flags)


def test_three_batches_of_which_one_is_metric_are_compared_as_far_as_possible(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "c").mkdir()
    for name in ("0.png", "1.png"):
        (folder / "c" / name).write_bytes((folder / "a" / name).read_bytes())
    (folder / "c" / "pixel_sizes.csv").write_text("image,pixel_size_um\n0.png,0.5\n1.png,0.5\n")
    results = measure(measure_config(folder, tmp_path / "out")).results
    assert results is not None
    assert [(pair.a, pair.b) for pair in results.comparisons] == [("a", "b")]
    flagged = {
        batch.name for batch in results.batches if any("not compared with c" in f for f in batch.flags)
    }
    assert flagged == {"a", "b"}


def test_a_picture_under_two_names_is_named(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its copy would count as a further field and narrow the interval."""
    with Image.open(folder / "a" / "1.png") as mask:
        mask.save(folder / "b" / "again.tif")
    results = measure(measure_config(folder, tmp_path / "out")).results
    assert results is not None
    assert not any("b" in (each.a, each.b) for each in results.comparisons)
    assert any("not compared: b/again.tif in b has the very" in flag for flag in results.batches[1].flags)
    flags = {row["image"]: row["flags"] for row in csv_rows(tmp_path / "out" / "fields.csv")}
    assert [image for image, flag in flags.items() if "very grains" in flag] == ["b/again.tif"]
    assert "has the very grains of a/1.png" in flags["b/again.tif"]
    assert "again.tif: has the very grains of a/1.png" in caplog.text


def test_of_a_picture_twice_in_a_batch_one_counts(folder: Path, tmp_path: Path) -> None:
    alone = measure(measure_config(folder, tmp_path / "alone")).results
    shutil.copy(folder / "a" / "0.png", folder / "a" / "again.png")
    results = measure(measure_config(folder, tmp_path / "out")).results
    assert results is not None
    assert alone is not None
    flag = "copies of other fields, so left out of this batch: a/again.png"
    flags = (*alone.batches[0].flags, flag)
    assert repr(results.batches[0]) == repr(replace(alone.batches[0], flags=flags))  # nan is not nan
    assert repr(results.comparisons) == repr(alone.comparisons)
    assert compare([tmp_path / "out"], None, 0.25).splitlines() == [
        "a: copies of other fields, so left out: a/again.png.",
        *compare([tmp_path / "alone"], None, 0.25).splitlines(),
    ]


def test_two_pictures_of_one_grain_each_are_no_copies(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    for name in ("a", "b"):
        Image.fromarray(np.ones((40, 40), np.uint8)).save(tmp_path / "maps" / f"{name}.png")
    measure(measure_config(tmp_path / "maps", tmp_path / "out", kind="grains"))
    flags = [row["flags"] for row in csv_rows(tmp_path / "out" / "fields.csv")]
    assert ["very grains" in flag for flag in flags] == [False, False]


def test_a_map_of_grains_given_as_a_mask_is_told_how_it_is_measured(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    Image.fromarray(polycrystal(0, (160, 160), 25.0, 0.3, 3).astype(np.uint16)).save(
        tmp_path / "maps" / "a.png"
    )
    (failure,) = measure(measure_config(tmp_path / "maps", tmp_path / "out")).failures
    assert failure.endswith("if it numbers the grains, say kind=grains")


def test_lines_of_zeros_that_are_excluded_are_named(tmp_path: Path) -> None:
    """They take 12 % off a mean intercept of 22 px; pores and strips do nothing of the kind."""
    grains = polycrystal(0, (160, 160), 25.0, 0.3, 3)
    lined, pores = grains.copy(), grains.copy()
    lined[boundary_lines(grains, 3) == 1] = 0
    pores[40:46, 60:90] = pores[100:104, 20:24] = 0
    (tmp_path / "maps").mkdir()
    for name, values in (("lined", lined), ("pores", pores)):
        Image.fromarray(values.astype(np.uint16)).save(tmp_path / "maps" / f"{name}.png")
    for zero, named in (("excluded", ["lined.png"]), ("boundary", [])):
        measure(measure_config(tmp_path / "maps", tmp_path / "out", kind="grains", zero=zero))
        rows = csv_rows(tmp_path / "out" / "fields.csv")
        assert [row["image"] for row in rows if "thin lines from side to side" in row["flags"]] == named
    (lines,) = (row for row in csv_rows(tmp_path / "out" / "budget.csv") if row["part"] == "line width")
    assert lines["how"].startswith("lines of 0."), "filled ones hide grains as drawn ones do"


def test_what_lies_outside_the_field_of_view_is_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A map that was turned: blank corners are no boundary, and what they cut is not whole."""
    grains = polycrystal(0, (160, 160), 20.0, 0.3, 3)
    y, x = np.indices(grains.shape) - 79.5
    turned = np.where(abs(x) + abs(y) < 100, grains, 0)
    Image.fromarray(turned.astype(np.uint16)).save(tmp_path / "turned.png")
    found = {}
    for zero in ("excluded", "ignored"):
        caplog.clear()
        measure(measure_config(tmp_path / "turned.png", tmp_path / "out", kind="grains", zero=zero))
        (row,) = csv_rows(tmp_path / "out" / "fields.csv")
        found[zero] = float(row["mean_intercept_px"])
        assert row["n_a_saltikov_per_px2"] == row["n_a_jeffries_per_px2"] == ""
        said = "turned.png: what is excluded reaches the picture's edge"
        assert (said in caplog.text) == (zero == "excluded")
    assert found["ignored"] == pytest.approx(mean_intercept_px(grains), rel=0.03)
    assert found["excluded"] < 0.95 * found["ignored"]


def test_lines_in_pixels_that_are_not_square_are_as_wide_as_their_mean_side() -> None:
    """A line of 3 px is 3 px high and 6 px wide, in px of the smaller side."""
    grains = polycrystal(0, (160, 160), 25.0, 0.3, 3)
    square, oblong = (
        measure_field("a", grains, PixelSize(1.0, column, "test"), line_width_px=3.0) for column in (1.0, 2.0)
    )
    assert line_share([field_sample(square, "px")]) == pytest.approx(3 / square.mean_intercept_px)
    assert line_share([field_sample(oblong, "px")]) == pytest.approx(4.5 / oblong.mean_intercept_px)


def test_how_given_masks_were_found_is_an_unknown_segmentation(folder: Path, tmp_path: Path) -> None:
    measure(measure_config(folder / "a", tmp_path / "out"))
    parts = {row["part"]: row for row in csv_rows(tmp_path / "out" / "budget.csv") if row["batch"] == "a"}
    segmentation, threshold = parts["segmentation"], parts["threshold"]
    assert (segmentation["known"], segmentation["standard_uncertainty_percent"]) == ("false", "")
    assert (threshold["known"], float(threshold["standard_uncertainty_percent"])) == ("true", 0)
    assert "boundaries were given" in threshold["how"]


def test_who_measured_how_masks_were_found_says_so_and_the_budget_is_complete(
    folder: Path, tmp_path: Path
) -> None:
    said = {"segmentation_rel_unc": 0.03, "pixel_size_um": 0.5, "pixel_size_rel_unc": 0.0}
    results = measure(measure_config(folder / "a", tmp_path / "out", **said)).results
    parts = {row["part"]: row for row in csv_rows(tmp_path / "out" / "budget.csv") if row["batch"] == "a"}
    assert float(parts["segmentation"]["standard_uncertainty_ln"]) == 0.03
    assert results is not None
    (batch,) = results.batches
    assert batch.budget.expanded is not None
    low, high = (batch.intercept.value * math.exp(sign * batch.budget.expanded) for sign in (-1, 1))
    assert f"expanded interval {low:.4g} to {high:.4g} µm" in summary(results)[0]
    assert {row["known"] for row in parts.values()} == {"true"}
    measure(measure_config(folder, tmp_path / "out", **said, segmentation_images=4))
    parts = {row["part"]: row for row in csv_rows(tmp_path / "out" / "budget.csv") if row["batch"] == "a"}
    assert float(parts["segmentation"]["degrees_of_freedom"]) == 4


def test_thresholds_of_several_fields_count_by_their_mean_square() -> None:
    assert rms_or_none([0.1, 0.7]) == pytest.approx(0.5)
    assert rms_or_none([0.1, None]) is None
    assert rms_or_none([]) is None


def test_the_segmentation_error_is_mean_and_scatter_of_the_pictures() -> None:
    grains = polycrystal(1, (160, 160), 25.0, 0.3, 3)
    merged = np.where(grains % 5 == 0, np.roll(grains, 1, axis=0), grains)
    scores = [region_scores(grains, grains), region_scores(merged, grains)]
    error = segmentation_error(scores)
    assert error is not None
    second = math.log1p(scores[1].signed_intercept_error)
    assert second != 0
    assert error.bias_ln == pytest.approx(second / 2)
    assert error.sd_ln == pytest.approx(abs(second) / math.sqrt(2))
    assert error.images == 2
    assert error.source == "2 validation images, which also chose checkpoint and partition"


def test_a_prediction_far_from_its_label_tells_nothing_of_the_error() -> None:
    squares = np.indices((96, 96)) // 4
    fine = (24 * squares[0] + squares[1] + 1).astype(np.uint32)
    halves = np.where(squares[0] < 12, 1, 2).astype(np.uint32)
    score = region_scores(halves, fine)
    assert math.log1p(score.signed_intercept_error) > 1
    other = region_scores(fine, halves)
    for far in ([score], [other], [score, other]):  # the last with a small mean and a large scatter
        assert segmentation_error(far) is None


def test_without_a_boundary_in_prediction_or_label_nothing_is_known_of_the_error() -> None:
    grains = polycrystal(1, (160, 160), 25.0, 0.3, 3)
    for nothing in ((np.ones_like(grains), grains), (grains, np.ones_like(grains))):
        assert segmentation_error([region_scores(*nothing)]) is None
