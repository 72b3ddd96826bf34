"""Measuring writes the grain map of the table's ids, and knows which files of grainseg to measure."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from helpers import csv_rows, measure_config
from PIL import Image

from grainseg.config import StructureConfig
from grainseg.errors import GrainsegError
from grainseg.grains.closing.partition import partition_mask
from grainseg.micrograph.drawing import boundary_lines
from grainseg.micrograph.files import read_mask_values, write_grain_map, write_mask
from grainseg.micrograph.folders import selection
from grainseg.micrograph.plain.polycrystal import polycrystal
from grainseg.pipeline import measure as measuring
from grainseg.pipeline.measure import measure
from grainseg.report.files.prediction_files import prediction_paths, write_prediction

SHAPE = (70, 80)


def lines_of(seed: int) -> np.ndarray:
    return boundary_lines(polycrystal(seed, SHAPE, 20.0, 0.3, 3), 3) > 0


def predict(folder: Path, *names: str) -> None:
    """The files of a prediction, without a network."""
    for seed, name in enumerate(names):
        lines, grey = lines_of(seed), np.full(SHAPE, 0.5, np.float32)
        partition = partition_mask(lines)
        paths = prediction_paths(folder, Path(name))
        write_prediction(paths, grey, lines.astype(np.float32), 0.5, partition, (0.5, 0.5))


def areas(path: Path) -> dict[int, float]:
    ids, counts = np.unique(read_mask_values(path), return_counts=True)
    return {int(grain): float(count) for grain, count in zip(ids, counts, strict=True) if grain}


def areas_of_table(path: Path, image: str) -> dict[int, float]:
    rows = [row for row in csv_rows(path) if row["image"] == image]
    return {int(row["id"]): float(row["area_px"]) for row in rows}


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    for seed, name in enumerate(("A/f0", "A/f1", "B/f2")):
        write_mask(tmp_path / "masks" / f"{name}.png", lines_of(seed))
    return tmp_path / "masks"


def test_the_ids_of_the_table_are_those_of_the_map(masks: Path, tmp_path: Path) -> None:
    write_mask(tmp_path / "pores" / "A" / "f0.png", np.indices(SHAPE)[0] < 20)
    structure = StructureConfig("unknown", "unknown", "excluded")
    pores, out = str(tmp_path / "pores"), tmp_path / "out"
    measure(measure_config(masks, out, pixel_size_um=[0.5, 0.25], structure=structure, excluded=pores))
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.tif")) == [
        "A/f0_grains.tif",
        "A/f1_grains.tif",
        "B/f2_grains.tif",
    ]
    table = csv_rows(out / "grains.csv")
    ids = {int(row["id"]) for row in table if row["image"] == "A/f0.png"}
    assert ids == set(areas(out / "A" / "f0_grains.tif"))
    with tifffile.TiffFile(out / "A" / "f0_grains.tif") as tiff:
        page = tiff.pages.first
        assert (page.dtype, page.compression.name) == (np.uint32, "ADOBE_DEFLATE")
        assert (page.asarray()[:20] == 0).all()
        assert page.tags["XResolution"].value == (4, 1)


def test_ids_of_given_grains_stay_and_the_map_is_as_it_was_measured(tmp_path: Path) -> None:
    numbers = polycrystal(0, SHAPE, 20.0, 0.3, 3).astype(np.uint16) * 7
    given = np.where(boundary_lines(numbers, 1), 0, numbers)
    (tmp_path / "maps").mkdir()
    tifffile.imwrite(tmp_path / "maps" / "a.tif", given)
    measure(measure_config(tmp_path / "maps", tmp_path / "out", kind="grains", zero="boundary"))
    written = read_mask_values(tmp_path / "out" / "a_grains.tif")
    assert written.all()
    assert (written[given > 0] == given[given > 0]).all()
    found = areas_of_table(tmp_path / "out" / "grains.csv", "a.tif")
    assert found == areas(tmp_path / "out" / "a_grains.tif")


def test_a_map_that_somebody_drew_is_not_written_over(
    masks: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drawn = tmp_path / "out" / "A" / "f0_grains.tif"
    drawn.parent.mkdir(parents=True)
    tifffile.imwrite(drawn, np.ones(SHAPE, np.uint32))
    before = drawn.read_bytes()
    (failure,) = measure(measure_config(masks / "A", tmp_path / "out" / "A")).failures
    assert failure.startswith(f"{drawn}: was drawn or changed by another program")
    assert drawn.read_bytes() == before
    assert [row["image"] for row in csv_rows(tmp_path / "out" / "A" / "fields.csv")] == ["f1.png"]
    assert "left by an earlier run" not in caplog.text


def test_maps_of_an_earlier_measurement_are_named(
    masks: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    measure(measure_config(masks, out))
    assert "earlier run" not in caplog.text
    (masks / "A" / "f1.png").write_bytes(b"no picture")
    assert len(measure(measure_config(masks / "A", out)).failures) == 1
    assert f"{out}: has grains of 3 pictures of an earlier run, {out / 'A' / 'f0_grains.tif'}" in caplog.text
    measure(measure_config(masks, out))
    assert f"{out}: left by an earlier run, and not of this one: A/f1_grains.tif" in caplog.text
    assert not list(out.rglob("*.part"))


def test_a_measurement_that_is_stopped_says_which_tables_are_of_an_earlier_run(
    masks: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    measure(measure_config(masks, tmp_path / "out"))
    monkeypatch.setattr(measuring, "_mapped", stopped)
    with pytest.raises(KeyboardInterrupt):
        measure(measure_config(masks, tmp_path / "out"))
    assert "left by an earlier run, and not of this one: grains.csv, fields.csv" in caplog.text


def test_no_map_is_written_over_a_file_that_is_measured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "out"
    for folder in ("maps", "maps/maps"):
        write_grain_map(out / folder / "a_grains.tif", polycrystal(0, SHAPE, 20.0, 0.3, 3), None)
    config = measure_config(out / "maps", out, kind="grains")
    with pytest.raises(GrainsegError, match=r"maps/a_grains\.tif: is one of the files to measure and would"):
        measure(config)
    (out / "maps" / "maps" / "a_grains.tif").unlink()
    assert measure(config).failures == []
    assert "of an earlier run" not in caplog.text  # the given maps lie in the output folder, too


def test_of_a_prediction_the_masks_are_measured_under_the_names_of_the_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predict(tmp_path / "predicted", "f0.png", "sub/f1.tif")
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(tmp_path / "f0.png")
    config = measure_config(tmp_path / "predicted", tmp_path / "out", images=str(tmp_path))
    assert measure(config).failures == []
    rows = csv_rows(tmp_path / "out" / "fields.csv")
    assert [row["image"] for row in rows] == ["f0.png", "sub/f1.png"]
    assert (tmp_path / "out" / "sub" / "f1_grains.tif").is_file()
    (said,) = [record.getMessage() for record in caplog.records]
    assert "the masks of 2 predictions are partitioned again" in said
    assert "kind=grains measures the prediction's own grains" in said
    (failure,) = measure(replace(config, crop=[0, 10, 0, 0], images=None)).failures[:1]
    assert "f0_mask.png: is the map of a picture that may have been cropped before" in failure


@pytest.mark.parametrize("lost", ["f0_overlay.png", "f0_mask.png"])
def test_no_file_of_a_prediction_is_taken_for_a_mask_where_others_were_removed(
    tmp_path: Path, lost: str
) -> None:
    predict(tmp_path / "predicted", "f0.png", "f1.png")
    (tmp_path / "predicted" / lost).unlink()
    assert measure(measure_config(tmp_path / "predicted", tmp_path / "out")).failures == []


def test_of_a_prediction_the_grains_are_measured_if_asked_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    predict(tmp_path / "predicted", "f0.png", "f1.png")
    corrected = tmp_path / "predicted" / "f1_grains.tif"
    tifffile.imwrite(corrected, tifffile.imread(corrected) + np.uint32(100))
    assert measure(measure_config(tmp_path / "predicted", tmp_path / "out", kind="grains")).failures == []
    assert caplog.records == []
    for name in ("f0", "f1"):
        found = areas_of_table(tmp_path / "out" / "grains.csv", f"{name}.tif")
        assert found == areas(tmp_path / "predicted" / f"{name}_grains.tif")


def test_a_folder_without_maps_of_the_kind_is_refused_in_one_line(tmp_path: Path) -> None:
    predict(tmp_path / "predicted", "f0.png")
    (tmp_path / "predicted" / "f0_grains.tif").unlink()
    with pytest.raises(GrainsegError, match=r"holds no grain maps .* with kind=boundary"):
        measure(measure_config(tmp_path / "predicted", tmp_path / "out", kind="grains"))
    measure(measure_config(tmp_path / "predicted", tmp_path / "out"))
    with pytest.raises(GrainsegError, match=r"holds no boundary masks, .* with kind=grains"):
        measure(measure_config(tmp_path / "out", tmp_path / "again"))
    assert not (tmp_path / "again").exists()
    assert measure(measure_config(tmp_path / "out", tmp_path / "again", kind="grains")).failures == []


def test_what_an_earlier_measurement_wrote_below_the_maps_is_not_measured_again(
    masks: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    maps = tmp_path / "maps"
    (maps / "sub").mkdir(parents=True)
    tifffile.imwrite(maps / "sub" / "a.tif", polycrystal(0, SHAPE, 20.0, 0.3, 3).astype(np.uint16))
    given = (maps, "grains", ["sub/a.tif"]), (masks / "A", "boundary", ["f0.png", "f1.png"])
    for folder, kind, images in given:
        for name in ("first", "second"):
            assert measure(measure_config(folder, folder / name, kind=kind)).failures == []
            assert [row["image"] for row in csv_rows(folder / name / "fields.csv")] == images
    assert "1 grain map of earlier measurements left out" in caplog.text
    assert selection.is_output(maps / "first" / "sub" / "a_grains.tif")
