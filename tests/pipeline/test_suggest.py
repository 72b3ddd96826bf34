"""Suggestions end to end: the tables name places in the files, and the sheet shows them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import csv_rows
from PIL import Image

from grainseg.config import SuggestConfig
from grainseg.errors import GrainsegError
from grainseg.inference.ensemble import Forecast
from grainseg.pipeline import suggest as module
from grainseg.pipeline.results.earlier_run import require_replaceable_suggestions
from grainseg.pipeline.suggest import suggest
from grainseg.report.pictures.suggestion_sheet import SheetPicture, suggestion_sheet


@pytest.fixture
def config(checkpoint: Path, fields: Path, tmp_path: Path) -> SuggestConfig:
    return SuggestConfig(
        str(checkpoint), str(fields / "images"), str(tmp_path / "out"), 4, None, None, "cpu", 10.0
    )


def test_all_files_are_written_and_agree(
    config: SuggestConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[SheetPicture] = []

    def drawing(pictures: list[SheetPicture]) -> np.ndarray:
        drawn.extend(pictures)
        return suggestion_sheet(pictures)

    monkeypatch.setattr(module, "suggestion_sheet", drawing)
    found = suggest(config)
    places = [(rank, each.name, region.image) for each in drawn for rank, region in each.regions]
    assert sorted(places) == [(rank, each.image, each.image) for rank, each in enumerate(found.regions, 1)]
    rows = csv_rows(tmp_path / "out" / "suggestions.csv")
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert list(rows[0]) == ["rank", "image", "row", "column", "height", "width", "score"]
    assert [float(row["score"]) for row in rows] == [region.score for region in found.regions]
    images = csv_rows(tmp_path / "out" / "suggested_images.csv")
    assert {row["image"] for row in images} == {"f0.png", "f1.png", "f2.png"}
    scores = [float(row["score"]) for row in images]
    assert scores == sorted(scores, reverse=True)
    assert np.asarray(Image.open(tmp_path / "out" / "suggestions.png")).ndim == 3
    require_replaceable_suggestions(tmp_path / "out")
    first = found.regions[0]
    assert (
        f"label first: {first.image}, rows {first.row} to {first.row + first.height - 1}" in found.summary()
    )
    assert "views of each picture" in found.summary()


def test_the_place_of_the_disagreement_is_found_in_the_file(
    config: SuggestConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that a crop cuts off count in the file's rows, where the mask is drawn."""

    def forecast(_networks: object, unit: np.ndarray, *_: object) -> Forecast:
        line, spread = np.zeros((2, *unit.shape[:2]), np.float32)
        line[-1, -30:] = 1
        spread[-5:, -30:] = 0.4
        return Forecast(line, spread)

    monkeypatch.setattr(module, "predict_members", forecast)
    found = suggest(replace(config, window_px=32, crop=[10, 0, 7, 0]))
    assert {region.image for region in found.regions[:3]} == {"f0.png", "f1.png", "f2.png"}
    for region in found.regions[:3]:
        with Image.open(Path(config.images) / region.image) as picture:
            width, height = picture.size
        assert (region.row + region.height, region.column + region.width) == (height, width)
        assert region.score > 0.3  # over the band, not the region


def test_one_bad_picture_does_not_stop_the_others(
    config: SuggestConfig, fields: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select, look = module.list_images, module._look_at

    def selecting(*asked: Any) -> Any:
        return replace(select(*asked), unlisted=("closed: cannot be listed",))

    def looking(*asked: Any) -> Any:
        if asked[-2].path.name == "large.png":
            raise MemoryError
        return look(*asked)

    monkeypatch.setattr(module, "list_images", selecting)
    monkeypatch.setattr(module, "_look_at", looking)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    only_bad = replace(config, images=str(tmp_path / "in"))
    with pytest.raises(GrainsegError, match="none of the pictures can be read"):
        suggest(only_bad)
    for name in ("good.png", "large.png"):
        Image.open(fields / "images" / "f0.png").save(tmp_path / "in" / name)
    Image.fromarray(np.zeros((31, 200), np.uint8)).save(tmp_path / "in" / "small.png")
    found = suggest(only_bad)
    closed, bad, large, small = found.failures
    assert closed == "closed: cannot be listed"
    assert "bad.png" in bad
    assert "large.png: needs more memory than there is" in large
    assert "small.png: a side is shorter than 32 px; training would refuse it, take" in small
    assert [name for name, _ in found.images] == ["good.png"]
    assert found.summary().count("look first whether it shows metal at all") == 1
    assert "see the warnings" not in found.summary()


def test_the_weights_that_ship_see_large_grains_shrunk_and_a_blank_picture_is_named(
    config: SuggestConfig, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a prediction without a checkpoint does; places and sizes stay those of the file."""
    lines = np.random.default_rng(0).integers(40, 80, (240, 240), np.uint8)
    for offset in range(8):
        lines[offset + 60 :: 80] = 255
        lines[:, offset + 60 :: 80] = 255
    (tmp_path / "in").mkdir()
    Image.fromarray(lines).save(tmp_path / "in" / "large.png")
    Image.fromarray(np.zeros((240, 240), np.uint8)).save(tmp_path / "in" / "blank.png")
    seen = []

    def forecast(_networks: object, unit: np.ndarray, *_: object) -> Forecast:
        seen.append(unit.shape[0])
        return Forecast(unit[:, :, 0], 0.3 * unit[:, :, 0])

    monkeypatch.setattr(module, "predict_members", forecast)
    monkeypatch.setattr(module, "predict_probability", lambda _network, unit, tiles: unit[:, :, 0])
    spec, networks = module.load_networks(checkpoint)
    known = replace(spec, intercept_px=40.0, label_offset_px=(0.0, 0.0))
    monkeypatch.setattr(module, "load_networks", lambda _: (known, networks))
    monkeypatch.setattr("grainseg.pipeline.pictures.scaling.ships", lambda path: path == checkpoint)
    found = suggest(replace(config, images=str(tmp_path / "in"), crop=None, count=8))
    blank, large = seen
    assert blank == 240
    assert large < 160
    assert [name for name, _ in found.images] == ["large.png", "blank.png"]
    assert {(each.height, each.width) for each in found.regions} == {(120, 120)}
    assert found.warned == ("blank.png",)
    assert "(and see the warnings above: blank.png)" in found.summary()


@pytest.mark.parametrize("name", ["suggestions.csv", "suggested_images.csv", "suggestions.png"])
def test_files_of_somebody_else_are_not_overwritten(config: SuggestConfig, tmp_path: Path, name: str) -> None:
    path = tmp_path / "out" / name
    path.mkdir(parents=True)
    with pytest.raises(GrainsegError, match=rf"{name}: is a folder, .*; choose another output folder"):
        suggest(config)
    path.rmdir()
    path.write_text("rank,image\n1,a.png\n", encoding="utf-8")
    with pytest.raises(
        GrainsegError, match=rf"{name}: .* and would be overwritten; .* another output folder"
    ):
        suggest(config)
    assert [each.name for each in path.parent.iterdir()] == [name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"count": 0}, "count=0: must be 1 to 1000"), ({"window_px": 8}, "window_px=8: must be 32 or more")],
)
def test_what_cannot_be_is_refused(config: SuggestConfig, changes: dict[str, int], message: str) -> None:
    with pytest.raises(GrainsegError, match=message):
        replace(config, **changes)  # type: ignore[arg-type]
