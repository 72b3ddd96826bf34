"""Measuring masks and grain maps without a network: the tables say what the structures are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from helpers import csv_rows, measure_config
from PIL import Image

from grainseg.config import MeasureConfig, StructureConfig
from grainseg.errors import GrainsegError
from grainseg.grains.fields.measure_field import measure_field
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.files import write_grain_map, write_probability
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.pipeline.compare import compare
from grainseg.pipeline.measure import measure

SHAPE = (260, 300)


@pytest.fixture(scope="module")
def truth() -> list[np.ndarray]:
    return [polycrystal(seed, SHAPE, 30.0, 0.3, 3) for seed in range(6)]


@pytest.fixture
def folder(truth: list[np.ndarray], tmp_path: Path) -> Path:
    """Two batches of three masks each."""
    for number, grains in enumerate(truth):
        path = tmp_path / "masks" / ("A" if number < 3 else "B") / f"f{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(boundary_lines(grains, 3) * np.uint8(255)).save(path)
    return tmp_path / "masks"


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., MeasureConfig]:
    def made(masks: Path, **changes: Any) -> MeasureConfig:
        return measure_config(masks, **({"output": tmp_path / "out"} | changes))

    return made


def test_boundary_masks_give_the_true_grains(
    folder: Path, truth: list[np.ndarray], config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    measured = measure(config(folder, pixel_size_um=0.5))
    assert measured.failures == []
    found = csv_rows(tmp_path / "out" / "fields.csv")
    assert [(row["batch"], row["image"]) for row in found[:4]] == [
        ("A", "A/f0.png"),
        ("A", "A/f1.png"),
        ("A", "A/f2.png"),
        ("B", "B/f3.png"),
    ]
    for row, grains in zip(found, truth, strict=True):
        exact = measure_field("", grains, None)
        assert int(row["count"]) == pytest.approx(exact.count, rel=0.02)
        assert float(row["mean_intercept_um"]) == pytest.approx(exact.mean_intercept_px / 2, rel=0.03)
        assert float(row["closed_share"]) < 0.01
        assert row["pixel_size_source"] == "given by the user"
    for name in ("grains.csv", "batches.csv", "budget.csv", "comparisons.csv", "report.html"):
        assert (tmp_path / "out" / name).is_file()
    assert [row["batch"] for row in csv_rows(tmp_path / "out" / "batches.csv")] == ["A", "B"]


def test_without_a_pixel_size_there_is_no_g(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    measured = measure(config(folder / "A" / "f0.png"))
    (row,) = csv_rows(tmp_path / "out" / "fields.csv")
    assert (row["mean_intercept_um"], row["g_intercept"], row["g_saltikov"]) == ("", "", "")
    assert "no G" in measured.summary()
    assert "pixel_size_um=0.25" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_corrected_grain_map_is_measured_as_it_is(
    truth: list[np.ndarray], config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    """Beside the pictures that a prediction left, two grains joined by hand, and an id that is gone."""
    edited = np.where(truth[0] == 2, 1, truth[0]).astype(np.uint32)
    predicted = tmp_path / "predicted"
    write_grain_map(predicted / "f0_grains.tif", edited, (0.25, 0.25))
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(predicted / "f0_mask.png")
    measure(config(predicted, kind="grains"))
    (row,) = csv_rows(tmp_path / "out" / "fields.csv")
    assert row["image"] == "f0.tif"
    assert int(row["count"]) == truth[0].max() - 1
    assert (row["pixel_size_source"], float(row["raster_um"])) == ("ImageJ", 0.25)


def test_zeros_of_a_grain_map_need_a_meaning(
    truth: list[np.ndarray], config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    lines = np.where(boundary_lines(truth[0], 1) == 1, 0, truth[0]).astype(np.uint16)
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, lines)
    refused = measure(config(path, kind="grains"))
    assert refused.results is None
    assert "zero=boundary" in refused.failures[0]
    measure(config(path, kind="grains", zero="boundary"))
    (row,) = csv_rows(tmp_path / "out" / "fields.csv")
    assert int(row["counted_area_px"].removesuffix(".0")) == lines.size


def test_excluded_area_is_not_counted(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    pore = np.zeros(SHAPE, np.uint8)
    pore[100:160, 100:180] = 7
    (tmp_path / "pores").mkdir()
    Image.fromarray(pore).save(tmp_path / "pores" / "f0.png")
    structure = StructureConfig("unknown", "unknown", "excluded")
    measure(
        config(
            folder / "A", excluded=str(tmp_path / "pores"), structure=structure, output=str(tmp_path / "with")
        )
    )
    first, second, _ = csv_rows(tmp_path / "with" / "fields.csv")
    assert float(first["counted_area_px"]) == SHAPE[0] * SHAPE[1] - 60 * 80
    assert float(second["counted_area_px"]) == SHAPE[0] * SHAPE[1]
    assert "Porosity is excluded" in (tmp_path / "with" / "report.html").read_text(encoding="utf-8")


def test_ignored_area_cuts_lines_and_grains(truth: list[np.ndarray], tmp_path: Path) -> None:
    """What lies below a scratch is as unknown as what lies beyond the border: the grains do not get finer."""
    masks, scratches = tmp_path / "masks", tmp_path / "scratches"
    scratch = np.zeros(SHAPE, np.uint8)
    for top in (60, 120, 180):
        scratch[top : top + 5] = 1
    for folder in (masks, scratches):
        folder.mkdir()
    Image.fromarray(scratch).save(scratches / "f.png")
    lines = boundary_lines(truth[0], 3) | (scratch > 0)
    Image.fromarray(lines * np.uint8(255)).save(masks / "f.png")
    Image.fromarray(boundary_lines(truth[0], 3) * np.uint8(255)).save(masks / "clean.png")
    measure(measure_config(masks, tmp_path / "out", ignored=str(scratches)))
    clean, cut = csv_rows(tmp_path / "out" / "fields.csv")
    assert float(cut["counted_area_px"]) == scratch.size - scratch.sum()
    assert float(cut["mean_intercept_px"]) == pytest.approx(float(clean["mean_intercept_px"]), rel=0.04)
    assert "there is no mask below ignored=" in clean["flags"]
    assert "there is no mask below ignored=" not in cut["flags"]


def test_lines_in_what_is_ignored_are_neither_closed_nor_open(
    truth: list[np.ndarray], tmp_path: Path
) -> None:
    """A data bar whose letters look like lines."""
    masks, bars = tmp_path / "masks", tmp_path / "bars"
    bar = np.zeros(SHAPE, np.uint8)
    bar[-40:] = 1
    clean = boundary_lines(truth[0], 3) & (bar == 0)
    written = clean.copy()
    written[-32:-8, 10::24] = written[-32:-8, 11::24] = True
    for folder in (masks, bars):
        folder.mkdir()
    for name, lines in (("clean", clean), ("written", written)):
        Image.fromarray(lines * np.uint8(255)).save(masks / f"{name}.png")
        Image.fromarray(bar).save(bars / f"{name}.png")
    measure(measure_config(masks, tmp_path / "all", pixel_size_um=1.0))
    measure(measure_config(masks, tmp_path / "out", pixel_size_um=1.0, ignored=str(bars)))
    whole = csv_rows(tmp_path / "all" / "fields.csv")[1]
    assert float(whole["open_ends_per_mm"]) > 1
    first, second = csv_rows(tmp_path / "out" / "fields.csv")
    assert float(first["open_ends_per_mm"]) == float(second["open_ends_per_mm"]) == 0
    assert float(second["closed_length_px"]) < 0.1 * float(whole["closed_length_px"])


def test_a_map_and_its_picture_of_another_scale_are_a_flag(truth: list[np.ndarray], tmp_path: Path) -> None:
    maps, pictures = tmp_path / "maps" / "a.tif", tmp_path / "pictures" / "a.tif"
    for path in (maps, pictures):
        path.parent.mkdir()
    write_grain_map(maps, truth[0].astype(np.uint32), (0.5, 0.5))
    grey = np.linspace(0, 1, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    write_probability(pictures, grey, (0.25, 0.25))
    measure(measure_config(maps.parent, tmp_path / "out", kind="grains", images=str(pictures.parent)))
    (row,) = csv_rows(tmp_path / "out" / "fields.csv")
    assert "the pixel size is 0.25 µm/px" in row["flags"]
    assert "but the map says 0.5 µm/px" in row["flags"]


def test_contradicting_scales_are_flags(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    for name, size in (
        ("pixel_sizes.csv", "image,pixel_size_um\nf0.png,0.3\n"),
        ("f0.json", '{"pixel_size_um": 0.4}'),
    ):
        (folder / "A" / name).write_text(size)
    measure(config(folder / "A"))
    first, second, _ = csv_rows(tmp_path / "out" / "fields.csv")
    assert "pixel_sizes.csv says 0.3" in first["flags"]
    assert "pixel_sizes.csv" not in second["flags"]
    assert "pixel_sizes.csv says 0.3" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_map_that_may_be_cropped_is_not_cropped_again(
    truth: list[np.ndarray], config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    (tmp_path / "maps").mkdir()
    write_grain_map(tmp_path / "maps" / "a_grains.tif", truth[0][:200], None)
    crop = [0, 60, 0, 0]
    (failure,) = measure(config(tmp_path / "maps", kind="grains", crop=crop)).failures
    assert "may have been cropped before" in failure
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(tmp_path / "images" / "a.png")
    known = config(tmp_path / "maps", kind="grains", crop=crop, images=str(tmp_path / "images"))
    assert measure(known).failures == []
    assert csv_rows(tmp_path / "out" / "fields.csv")[0]["height_px"] == "200"


def test_names_that_would_be_one_are_refused(
    truth: list[np.ndarray], config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("x", "x_grains"):
        Image.fromarray(boundary_lines(truth[0], 3) * np.uint8(255)).save(masks / f"{name}.png")
    measure(config(masks))
    assert [row["image"] for row in csv_rows(tmp_path / "out" / "fields.csv")] == ["x.png", "x_grains.png"]
    for name in ("x_grains.tif", "x_grains.png"):
        write_grain_map(masks / name, truth[0], None)
    with pytest.raises(GrainsegError, match="would write the same outputs"):
        measure(config(masks, kind="grains"))


def test_a_crop_leaves_out_the_data_bar(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    measure(config(folder / "A" / "f0.png", crop=[0, 60, 0, 0]))
    (row,) = csv_rows(tmp_path / "out" / "fields.csv")
    assert (row["height_px"], row["width_px"]) == ("200", "300")


def test_the_micrographs_give_picture_and_pixel_size(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    images = tmp_path / "images" / "A"
    images.mkdir(parents=True)
    for number in range(3):
        Image.fromarray(np.zeros(SHAPE, np.uint8)).save(images / f"f{number}.jpg")
    (images / "pixel_sizes.csv").write_text("image,pixel_size_um\nf0.jpg,0.3\nf1.jpg,0.3\nf2.jpg,0.3\n")
    measure(config(folder / "A", images=str(images)))
    found = csv_rows(tmp_path / "out" / "fields.csv")
    assert {row["pixel_size_source"] for row in found} == {"pixel_sizes.csv"}
    assert {row["raster_um"] for row in found} == {"0.3"}


def test_a_table_makes_batches_and_compare_reads_them_back(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    """The comparison of saved tables is that of the run itself."""
    table = tmp_path / "batches.csv"
    names = ["A/f0", "A/f1", "B/f3", "A/f2", "B/f4", "B/f5"]
    lines = [f"{name},{'=old' if i < 3 else 'new'}" for i, name in enumerate(names)]
    table.write_text("\n".join(["image,batch", *lines]), encoding="utf-8")
    measure(config(folder, batches=str(table), pixel_size_um=0.5))
    (pair,) = csv_rows(tmp_path / "out" / "comparisons.csv")
    assert {pair["a"], pair["b"]} == {"'=old", "new"}
    sentence = compare([tmp_path / "out"], tmp_path / "again", 0.25)
    (again,) = csv_rows(tmp_path / "again" / "comparisons.csv")
    for column in ("p", "intercept_ratio", "d50_difference_um", "wasserstein_um"):
        assert float(again[column]) == pytest.approx(float(pair[column]), rel=1e-12)
    assert pair["verdict"] in sentence
    assert "in new than in =old (" in sentence


def test_compare_says_what_it_cannot_compare(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    measure(config(folder / "A" / "f0.png", output=str(one)))
    measure(config(folder / "B" / "f3.png", output=str(other), pixel_size_um=0.5))
    for folders, margin, message in (
        ([one], 0.25, "holds one batch, A; give two or more"),
        ([one, one], 0.25, "is given twice"),
        (
            [one, other],
            0.25,
            "A: without a pixel size, which others have; say it to grainseg measure (--pixel-size-um)",
        ),
        ([tmp_path / "nowhere"], 0.25, "give a folder that predict.py or grainseg measure wrote"),
        ([folder], 0.25, "give a folder that predict.py or grainseg measure wrote"),
        ([one, other], 0.0, "--margin-g=0: must be from 0.01 to 5 grain size numbers"),
    ):
        with pytest.raises(GrainsegError) as caught:
            compare(folders, None, margin)
        assert message in str(caught.value)


def test_one_bad_file_does_not_stop_the_others(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    (folder / "A" / "f1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.fromarray(np.full(SHAPE, 255, np.uint8)).save(folder / "A" / "f2.png")
    measured = measure(config(folder / "A"))
    assert len(measured.failures) == 2
    assert len(csv_rows(tmp_path / "out" / "fields.csv")) == 1
    assert "not measured" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": "nowhere"}, "masks=nowhere: no such file"),
        ({"batches": "nowhere.csv"}, "batches=nowhere.csv: cannot be read"),
    ],
)
def test_what_cannot_work_at_all_is_said_at_once(
    changes: dict[str, str], message: str, folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    with pytest.raises(GrainsegError, match="nowhere") as caught:
        measure(config(**({"masks": folder} | changes)))
    assert message in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_needs_its_masks(
    folder: Path, config: Callable[..., MeasureConfig], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    structure = StructureConfig("unknown", "unknown", "excluded")
    with pytest.raises(GrainsegError, match="give excluded=FOLDER"):
        config(folder, structure=structure)
    (tmp_path / "pores").mkdir()
    measure(config(folder / "A" / "f0.png", structure=structure, excluded=str(tmp_path / "pores")))
    assert "f0.png: there is no mask below" in caplog.text


def test_tables_of_an_earlier_run_do_not_stay_beside_new_ones(
    folder: Path, config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    measure(config(folder))
    assert (tmp_path / "out" / "comparisons.csv").exists()
    measure(config(folder / "A" / "f0.png"))
    assert not (tmp_path / "out" / "comparisons.csv").exists()


def test_a_corrected_map_is_still_the_image_of_the_table(
    truth: list[np.ndarray], config: Callable[..., MeasureConfig], tmp_path: Path
) -> None:
    """The table names a.png, the corrected map is a_grains.tif."""
    write_grain_map(tmp_path / "maps" / "f0_grains.tif", truth[0].astype(np.uint32), None)
    (tmp_path / "batches.csv").write_text("image,batch\nf0.png,heat 7\n")
    results = measure(config(tmp_path / "maps", kind="grains", batches=str(tmp_path / "batches.csv"))).results
    assert results is not None
    assert [batch.name for batch in results.batches] == ["heat 7"]
